/**
 * Weighted sums of rows that are anywhere in the linear memory, by the kernel `sumRows`: embedding bags forward, the
 * gradients of each id backward, and columns that are copied to another place.
 */
import { Scratch } from '../memory/scratch.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Matrix } from '../vectors/matrix.ts';

/** Sums that a thread claims at a time: some microseconds of additions. */
const GRAIN_SUMS = 64;

/** The rows of n sums. Sum i has the rows offsets[i] … offsets[i + 1] − 1. */
export interface RowSums {
  /** [n + 1] ascending from 0 */
  offsets: Int32Array;
  /** [offsets[n]] the number of the first float of each row in the linear memory: its byte offset / 4. */
  places: Int32Array;
  /** [offsets[n]] one weight per row; undefined where all are 1. */
  weights?: Float32Array | undefined;
}

/** Computes sums; keeps its scratch memory between calls. */
export class RowAdder {
  readonly #runtime: Runtime;
  readonly #scratch: Scratch;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#scratch = new Scratch(runtime.heap);
  }

  /** Write sums of rows of `width` floats to the columns `column` … `column + width − 1` of the rows of `out`. */
  sum({ offsets, places, weights }: RowSums, width: number, out: Matrix, column = 0): void {
    const [sums, rows] = [offsets.length - 1, places.length];
    const block = this.#scratch.reserve(4 * (offsets.length + 2 * rows));
    const placesAt = 4 * offsets.length;
    const weightsAt = placesAt + 4 * rows;
    block.integers(offsets.length).set(offsets);
    block.integers(rows, placesAt).set(places);
    if (weights) block.floats(rows, weightsAt).set(weights);
    modelPool(this.#runtime).run(
      'sumRows',
      sums,
      GRAIN_SUMS,
      block.offset,
      block.offset + placesAt,
      weights ? block.offset + weightsAt : 0,
      width,
      out.offset + 4 * column,
      out.dimensions,
    );
  }

  /** Copy `width` columns of every row of `from`, from `fromColumn` on, to the columns of `out` from `column` on. */
  copy(from: Matrix, fromColumn: number, width: number, out: Matrix, column: number): void {
    const first = from.offset / 4 + fromColumn;
    const places = new Int32Array(from.rows);
    for (let row = 0; row < places.length; row++) places[row] = first + row * from.dimensions;
    this.sum({ offsets: numbersTo(from.rows), places }, width, out, column);
  }
}

/** 0 … n, the offsets of n sums of one row each. */
export function numbersTo(n: number): Int32Array {
  const numbers = new Int32Array(n + 1);
  for (let i = 0; i <= n; i++) numbers[i] = i;
  return numbers;
}
