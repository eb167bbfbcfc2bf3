/** Checks of vectors as callers pass them: an array of rows, or one array of all numbers with the width of a row. */
import { shown } from '../checks/numbers.ts';
import { ShapeError } from '../errors/errors.ts';

/** True for an array of numbers of any kind: a row. */
export function isRow(value: unknown): value is ArrayLike<number> {
  if (Array.isArray(value)) return value.length === 0 || typeof value[0] === 'number';
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** The width of rows; 0 where there is none. @throws {ShapeError} when they are not rows of numbers of one width */
export function widthOfRows(name: string, rows: readonly ArrayLike<number>[]): number {
  if (!Array.isArray(rows)) throw new ShapeError(`${name}: expected rows of numbers, got ${shown(rows)}`);
  const dimensions = rows[0]?.length ?? 0;
  rows.forEach((row, i) => {
    if (!isRow(row)) throw new ShapeError(`${name}: expected rows of numbers (2-D), got ${shown(row)} in row ${i}`);
    if (row.length !== dimensions) {
      throw new ShapeError(`${name}: expected ${dimensions} dimensions in every row, got ${row.length} in row ${i}`);
    }
  });
  return dimensions;
}

/** Check that numbers are whole rows. @throws {ShapeError} when they are not */
export function checkWholeRows(name: string, { length }: ArrayLike<number>, dimensions: number): void {
  if (!Number.isInteger(dimensions) || dimensions < 1 || length % dimensions !== 0) {
    throw new ShapeError(`${name}: expected whole rows of ${dimensions} dimensions, got ${length} numbers`);
  }
}
