/** Collects the rows of candidates, given at once or in batches, into one block, and checks them. */
import { ShapeError } from '../../../errors/errors.ts';
import type { Block, Range } from '../../../memory/heap.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { checkFiniteRows } from '../../../vectors/check-finite.ts';
import { Matrix } from '../../../vectors/matrix.ts';
import type { RowSink } from '../../candidate-builder.ts';
import type { VectorSource } from '../../vector-source.ts';

/** A block that has to move gets this many times the room that it needs, so that it moves seldom. */
const GROWTH = 1.5;

/** The bytes of a block for this many rows; `held` is the block that already has some of them. @throws {MemoryError} */
type BytesFor = (rows: number, dimensions: number, held: Readonly<Range> | undefined) => number;

/** Rows of one width in one block. The block grows in place while the memory after it is free. */
export class RowBuffer implements RowSink {
  readonly runtime: Runtime;
  readonly #bytesFor: BytesFor;
  #block: Block | undefined;
  #rows = 0;
  #dimensions = 0;

  /** @param bytesFor called before rows are copied; default: the bytes of the rows */
  constructor(runtime: Runtime, bytesFor: BytesFor = (rows, dimensions) => 4 * rows * dimensions) {
    this.runtime = runtime;
    this.#bytesFor = bytesFor;
  }

  /** Rows so far. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Add rows.
   *
   * @throws {ShapeError} when their width is not that of earlier rows
   * @throws {NotFiniteError} naming row and column of a NaN or an infinity
   * @throws {MemoryError} when there is no memory for them
   */
  append(source: VectorSource): void {
    const { rows, dimensions: d } = source;
    if (rows === 0) return;
    this.#checkWidth(d);
    const at = 4 * this.#rows * d;
    const block = this.#reserve(this.#rows + rows, d, at);
    source.copy(0, rows, block.floats(rows * d, at));
    this.#checkFinite(block.offset + at, rows, d);
    this.#rows += rows;
    this.#dimensions = d;
  }

  /** Take over the memory of a matrix as all rows. When this throws, the matrix keeps its numbers. Throws as `append`. */
  adopt(matrix: Matrix): void {
    const { rows, dimensions: d } = matrix;
    if (rows > 0) this.#checkWidth(d);
    this.#bytesFor(rows, d, matrix);
    this.#checkFinite(matrix.offset, rows, d);
    this.#block = matrix.handOver();
    this.#rows = rows;
    this.#dimensions = d;
  }

  /** All rows as one matrix, which the caller frees; the buffer is empty afterwards. */
  take(): Matrix {
    const [rows, d] = [this.#rows, this.#dimensions];
    const block = this.#reserve(rows, d, 4 * rows * d);
    block.resize(this.#bytesFor(rows, d, block));
    this.#block = undefined;
    this.#rows = 0;
    this.#dimensions = 0;
    return new Matrix(rows, d, this.runtime, block);
  }

  /** Give everything back. */
  free(): void {
    this.#block?.free();
    this.#block = undefined;
  }

  /** A block with room for `rows` rows, whose first `usedBytes` bytes are those of the old block. */
  #reserve(rows: number, d: number, usedBytes: number): Block {
    const { heap } = this.runtime;
    const before = this.#block;
    const bytes = this.#bytesFor(rows, d, before);
    if (before && (before.sizeBytes >= bytes || before.resize(bytes))) return before;
    const roomy = Math.ceil(GROWTH * bytes);
    const moved = heap.allocateUnfilled(before && heap.canHold([roomy]) ? roomy : bytes);
    if (before) moved.bytes().set(before.bytes().subarray(0, usedBytes));
    before?.free();
    this.#block = moved;
    return moved;
  }

  #checkWidth(d: number): void {
    if (d === 0) throw new ShapeError('candidates: expected rows of at least 1 dimension, got 0');
    if (this.#dimensions !== 0 && d !== this.#dimensions) {
      throw new ShapeError(
        `candidates: expected ${this.#dimensions} dimensions as before, got ${d} from row ${this.#rows}`,
      );
    }
  }

  #checkFinite(offset: number, rows: number, d: number): void {
    checkFiniteRows('candidates', this.runtime, { offset, rows, dimensions: d }, (row) => this.#rows + row);
  }
}
