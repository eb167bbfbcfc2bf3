/**
 * Budgets of compressed tables, in trained parameters or in bytes, and the number of rows that a budget allows.
 *
 * A budget in bytes includes the float32 parameters, the pointers and the hash coefficients. A method gets the most
 * rows whose cost is within the budget. A budget that is too small for a method is an error that names the smallest
 * one. A budget above the size of the full table is reduced to that size, with a warning.
 */

import { checkInteger, shown } from '../checks/numbers.ts';
import { NUMBER, type OptionTypes } from '../checks/options.ts';
import { warnOnConsole } from '../checks/warning.ts';
import { OptionError } from '../errors/errors.ts';
import type { TableContext } from './table-context.ts';

/** The most trained float32 parameters, or the most bytes of all that is saved. */
export type Budget = { parameters: number; bytes?: never } | { bytes: number; parameters?: never };

/** The types of the options of a budget. */
export const BUDGET: OptionTypes<Budget> = { parameters: NUMBER, bytes: NUMBER };

/** Options of a table, which may also have the `method` of the option `embedding`. */
export type WithMethod<O> = O & { method?: string };

/** The cost of a table; both numbers grow with the rows. */
export interface Cost {
  /** Trained float32 parameters of a table of `rows` rows. */
  parameters: (rows: number) => number;
  /** Bytes of all else: pointers, hash coefficients. */
  otherBytes: (rows: number) => number;
  /** The fewest rows of the method; default 1. */
  rowsMin?: number;
  /** The most rows of the method; default: no limit. */
  rowsMax?: number;
}

/** The full table of the same ids, with which a budget is compared. */
export type FullTableSize = Pick<TableContext, 'vocabularySize' | 'dimensions' | 'onWarning'>;

/**
 * The most codebook rows that a budget allows.
 *
 * @throws {OptionError} when both or none of parameters and bytes are given, or the budget allows fewer than `rowsMin`
 * rows; the message has the smallest possible budget
 */
export function affordRows(method: string, budget: Budget, cost: Cost, full: FullTableSize): number {
  const { rowsMin = 1, rowsMax = Number.MAX_SAFE_INTEGER } = cost;
  const { unit, given } = readBudget(budget);
  const sizeOf = (rows: number): number =>
    unit === 'bytes' ? 4 * cost.parameters(rows) + cost.otherBytes(rows) : cost.parameters(rows);
  const least = sizeOf(rowsMin);
  if (given < least) {
    throw new OptionError(`budget: expected at least ${least} ${unit} for method ${method}, got ${given}`);
  }
  const fullSize = full.vocabularySize * full.dimensions * (unit === 'bytes' ? 4 : 1);
  const limit = Math.max(least, Math.min(given, fullSize));
  if (given > fullSize) {
    const { onWarning = warnOnConsole } = full;
    onWarning(
      `budget: the full table has ${fullSize} ${unit}; of ${given} method ${method} takes no more than ${limit}`,
    );
  }
  // Every row costs at least one parameter, so `limit` is an upper bound of the rows.
  let [fits, above] = [rowsMin, Math.min(rowsMax, limit) + 1];
  while (above - fits > 1) {
    const middle = Math.floor((fits + above) / 2);
    if (sizeOf(middle) <= limit) fits = middle;
    else above = middle;
  }
  return fits;
}

function readBudget({ bytes, parameters }: Budget): { unit: 'bytes' | 'parameters'; given: number } {
  if ((bytes === undefined) === (parameters === undefined)) {
    const got = bytes === undefined ? 'neither' : `${shown(parameters)} parameters and ${shown(bytes)} bytes`;
    throw new OptionError(`budget: expected a number of parameters or of bytes, got ${got}`);
  }
  const unit = bytes === undefined ? 'parameters' : 'bytes';
  return { unit, given: checkInteger(`budget (${unit})`, (bytes ?? parameters)!, 1) };
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
