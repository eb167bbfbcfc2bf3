/**
 * Small dense matrices in double precision: what the theorem of CQR is stated and checked in.
 *
 * Layout: column-major, `data[column · rows + row]`, so that a column is one contiguous view; the algorithms here
 * (Householder, Gram–Schmidt) work column by column. Meant for hundreds of rows; training uses the kernels.
 */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { instanceOf, type OptionType, objectWith } from '../checks/options.ts';
import { ShapeError } from '../errors/errors.ts';
import type { Generator } from '../random/generator.ts';

/** The most numbers of a matrix: 1 GiB. */
const NUMBERS_MAX = 2 ** 27;

/** A column-major float64 matrix. */
export class Dense {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
  /** Views of the columns, made at the first use: the algorithms ask for each column many times. */
  readonly #views: Float64Array[] = [];

  constructor(rows: number, columns: number, values?: Float64Array) {
    checkInteger('rows', rows, 0);
    checkInteger('columns', columns, 0, Math.floor(NUMBERS_MAX / Math.max(1, rows)));
    const data = values ?? new Float64Array(rows * columns);
    if (data.length !== rows * columns) {
      throw new ShapeError(`data: expected ${rows * columns} numbers, got ${data.length}`);
    }
    this.rows = rows;
    this.columns = columns;
    this.data = data;
  }

  /** Column `index` as a view. */
  column(index: number): Float64Array {
    checkInteger('column', index, 0, this.columns - 1);
    const { rows, data } = this;
    this.#views[index] ??= data.subarray(index * rows, (index + 1) * rows);
    return this.#views[index];
  }

  /** A copy. */
  clone(): Dense {
    return new Dense(this.rows, this.columns, this.data.slice());
  }

  /** Independent standard normal entries. */
  static normal(rows: number, columns: number, generator: Generator): Dense {
    checkArgument('generator', generator, objectWith('a Generator', 'normal'));
    const made = new Dense(rows, columns);
    for (let i = 0; i < made.data.length; i++) made.data[i] = generator.normal();
    return made;
  }

  /** [A | B] */
  static beside(a: Dense, b: Dense): Dense {
    checkArgument('a', a, DENSE);
    checkArgument('b', b, DENSE);
    const joined = new Dense(a.rows, a.columns + b.columns);
    joined.data.set(a.data);
    joined.data.set(b.data, a.data.length);
    return joined;
  }
}

/** Σ_i x_i · y_i */
export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** y ← y + factor · x */
export function addScaled(y: Float64Array, factor: number, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i] = y[i]! + factor * x[i]!;
}

/**
 * A · B.
 *
 * @throws {ShapeError} when the inner dimensions differ
 */
export function multiply(a: Dense, b: Dense): Dense {
  if (a.columns !== b.rows) throw new ShapeError(`product: expected ${a.columns} rows on the right, got ${b.rows}`);
  const product = new Dense(a.rows, b.columns);
  for (let j = 0; j < b.columns; j++) {
    const out = product.column(j);
    const right = b.column(j);
    for (let t = 0; t < a.columns; t++) {
      if (right[t] !== 0) addScaled(out, right[t]!, a.column(t));
    }
  }
  return product;
}

/** ‖A − B‖² (Frobenius); without B, ‖A‖². */
export function squaredNorm(a: Dense, b?: Dense): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) {
    const difference = a.data[i]! - (b ? b.data[i]! : 0);
    sum += difference * difference;
  }
  return sum;
}

export const DENSE: OptionType = instanceOf('a Dense', () => Dense);
