/**
 * Budgets: how large a compressed table may be, in trained parameters or in bytes, and how a method spends it.
 *
 * Bytes are counted whole: float32 parameters, pointers, hash coefficients. A budget that a method cannot meet is refused
 * with the smallest it could.
 */

import { checkInteger, shown } from '../checks/numbers.ts';
import { OptionError } from '../errors/errors.ts';

/** At most so many trained float32, or at most so many bytes of everything that is saved. */
export type Budget = { parameters: number; bytes?: never } | { bytes: number; parameters?: never };

/** What a method needs beside its rows. */
export interface Cost {
  /** float32 in a codebook row. */
  rowParameters: number;
  /** Bytes that do not depend on the number of rows: pointers, coefficients. */
  fixedBytes: number;
  /** The fewest rows the method works with. */
  rowsMin: number;
}

/**
 * The most codebook rows a budget pays for.
 *
 * @throws {OptionError} when it pays for fewer than `rowsMin`; the message has the smallest possible budget
 */
export function affordRows(method: string, budget: Budget, { rowParameters, fixedBytes, rowsMin }: Cost): number {
  const unit = budget.bytes === undefined ? 'parameters' : 'bytes';
  const given = budget.bytes ?? budget.parameters;
  if (typeof given !== 'number' || Number.isNaN(given)) {
    throw new OptionError(`budget: expected a number of parameters or bytes, got ${shown(given)}`);
  }
  checkInteger(`budget (${unit})`, given, 1);
  const rowCost = unit === 'bytes' ? 4 * rowParameters : rowParameters;
  const fixed = unit === 'bytes' ? fixedBytes : 0;
  const rows = Math.floor((given - fixed) / rowCost);
  if (rows < rowsMin) {
    const least = fixed + rowsMin * rowCost;
    throw new OptionError(`budget: expected at least ${least} ${unit} for method ${method}, got ${given}`);
  }
  return rows;
}

/**
 * The width of one of `columns` equal slices of a vector.
 *
 * @throws {OptionError} when columns do not divide the dimensions
 */
export function sliceWidth(dimensions: number, columns: number): number {
  checkInteger('columns', columns, 1, dimensions);
  if (dimensions % columns !== 0) {
    throw new OptionError(`columns: expected a divisor of ${dimensions} dimensions, got ${columns}`);
  }
  return dimensions / columns;
}
