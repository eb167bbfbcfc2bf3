/**
 * A row-major float32 matrix in the linear memory, the type of all tables, batches and sets of candidates.
 *
 * Layout: [rows, dimensions], no padding between rows. The bytes live until the matrix is freed or collected; keep the
 * matrix, not only its `data`, for as long as the numbers are needed.
 */
import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { instanceOf, type OptionType, STRING } from '../checks/options.ts';
import { StateError } from '../errors/errors.ts';
import type { Block } from '../memory/heap.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { checkWholeRows, widthOfRows } from './vector-rows.ts';

/** Vectors as callers may pass them: a matrix, one flat array with its width, or an array of rows. */
export type VectorsLike = Matrix | { data: Float32Array; dimensions: number } | readonly ArrayLike<number>[];

/** Rows of float32 in the linear memory. */
export class Matrix {
  readonly rows: number;
  readonly dimensions: number;
  readonly runtime: Runtime;
  /** Undefined after `handOver`. */
  #block: Block | undefined;

  /**
   * A matrix of zeros, or of the numbers in a block.
   *
   * @param block a block of at least rows · dimensions floats, which the matrix owns from now on
   */
  constructor(rows: number, dimensions: number, runtime: Runtime = defaultRuntime(), block?: Block) {
    this.rows = checkInteger('rows', rows, 0);
    this.dimensions = checkInteger('dimensions', dimensions, 0);
    this.runtime = checkArgument('runtime', runtime, RUNTIME);
    this.#block = block ?? runtime.heap.allocate(rows * dimensions * 4);
  }

  /** Byte offset of row 0 in the linear memory. */
  get offset(): number {
    return this.#held().offset;
  }

  /** All numbers, row after row. */
  get data(): Float32Array {
    return this.#held().floats(this.rows * this.dimensions);
  }

  /** Bytes of its block: the numbers, and the room behind them. */
  get sizeBytes(): number {
    return this.#held().sizeBytes;
  }

  /** Row `index` as a view. @throws {OptionError} when there is no such row */
  row(index: number): Float32Array {
    checkInteger('row', index, 0, this.rows - 1);
    return this.#held().floats(this.dimensions, index * this.dimensions * 4);
  }

  /** Give the memory back at once. */
  free(): void {
    this.#block?.free();
  }

  /**
   * Give the block to the caller; the matrix has no numbers afterwards.
   *
   * @throws {StateError} when the block was handed over before
   */
  handOver(): Block {
    const block = this.#held();
    this.#block = undefined;
    return block;
  }

  #held(): Block {
    if (!this.#block) throw new StateError('matrix: expected one with numbers, got one whose memory was handed over');
    return this.#block;
  }

  /**
   * Copy vectors into a new matrix; a matrix of the same runtime is returned as it is.
   *
   * @throws {ShapeError} when rows differ in length or a flat array is not a whole number of rows
   */
  static from(name: string, vectors: VectorsLike, runtime: Runtime = defaultRuntime()): Matrix {
    checkArgument('name', name, STRING);
    if (vectors instanceof Matrix) {
      if (vectors.runtime === runtime) return vectors;
      return Matrix.from(name, { data: vectors.data, dimensions: vectors.dimensions }, runtime);
    }
    if (isFlat(vectors)) {
      const { data, dimensions } = vectors;
      checkWholeRows(name, data, dimensions);
      const matrix = new Matrix(data.length / dimensions, dimensions, runtime);
      matrix.data.set(data);
      return matrix;
    }
    const dimensions = widthOfRows(name, vectors);
    const matrix = new Matrix(vectors.length, dimensions, runtime);
    const { data } = matrix;
    vectors.forEach((row, i) => {
      data.set(row, i * dimensions);
    });
    return matrix;
  }
}

function isFlat(vectors: VectorsLike): vectors is { data: Float32Array; dimensions: number } {
  return typeof vectors === 'object' && vectors !== null && 'data' in vectors && vectors.data instanceof Float32Array;
}

/** The type of an argument that is a Matrix. */
export const MATRIX: OptionType = instanceOf('a Matrix', () => Matrix);
