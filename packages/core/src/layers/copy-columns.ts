/** Columns of one matrix copied or added to columns of another, row by row. */
import { modelPool } from '../parallel/model-pool.ts';
import type { Matrix } from '../vectors/matrix.ts';
import { GRAIN_ROWS } from './contract.ts';

/** to[i][toColumn + j] = from[i][fromColumn + j], or += with `isAdded`, j < columns. */
export function copyColumns(
  from: Matrix,
  fromColumn: number,
  to: Matrix,
  toColumn: number,
  columns: number,
  isAdded = false,
): void {
  const source = [from.offset + 4 * fromColumn, from.dimensions, columns] as const;
  const target = [to.offset + 4 * toColumn, to.dimensions, Number(isAdded)] as const;
  modelPool(from.runtime).run('copyColumns', from.rows, GRAIN_ROWS, ...source, ...target);
}
