/** Checks of vectors as callers pass them: an array of rows, or one array of all numbers with the width of a row. */
import { shown } from '../checks/numbers.ts';
import { ShapeError } from '../errors/errors.ts';

/** True for an array of numbers of any kind: a row. */
export function isRow(value: unknown): value is ArrayLike<number> {
  if (Array.isArray(value)) return value.every((number) => typeof number === 'number');
  // Neither 64-bit integers, which are no numbers in JavaScript, nor a DataView, which has no elements.
  return (
    ArrayBuffer.isView(value) && typeof ((value as Float32Array)[0] ?? (value as Float32Array).length) === 'number'
  );
}

/** The width of rows; 0 where there is none. @throws {ShapeError} when they are not rows of numbers of one width */
export function widthOfRows(name: string, rows: readonly ArrayLike<number>[]): number {
  if (!Array.isArray(rows)) throw new ShapeError(`${name}: expected rows of numbers, got ${shown(rows)}`);
  const dimensions = rows[0]?.length ?? 0;
  // Rows that are missing, which `forEach` would pass over, are no rows.
  for (const [i, row] of rows.entries()) {
    if (!isRow(row)) throw new ShapeError(`${name}: expected rows of numbers, got ${shown(row)} in row ${i}`);
    if (row.length !== dimensions) {
      throw new ShapeError(`${name}: expected ${dimensions} dimensions in every row, got ${row.length} in row ${i}`);
    }
  }
  return dimensions;
}

/** Check that the numbers of a typed array are whole rows. @throws {ShapeError} when they are not */
export function checkWholeRows(name: string, data: ArrayLike<number>, dimensions: number): void {
  if (
    Array.isArray(data) ||
    !isRow(data) ||
    !Number.isInteger(dimensions) ||
    dimensions < 1 ||
    data.length % dimensions
  ) {
    throw new ShapeError(`${name}: expected rows of ${dimensions} numbers, got ${shown(data)}`);
  }
}
