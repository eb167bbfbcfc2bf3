/** Collects the rows of candidates, given at once or in batches, into one matrix, and checks them. */
import { NotFiniteError, ShapeError } from '../../../errors/errors.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { Matrix } from '../../../vectors/matrix.ts';
import type { RowSink } from '../../candidate-builder.ts';
import type { VectorSource } from '../../vector-source.ts';

/** Rows of one width, in the pieces they came in. */
export class RowBuffer implements RowSink {
  readonly runtime: Runtime;
  #pieces: Matrix[] = [];
  #rows = 0;
  #dimensions = 0;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
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
   */
  append(source: VectorSource): void {
    const { rows, dimensions: d } = source;
    if (rows === 0) return;
    if (d === 0) throw new ShapeError('candidates: expected rows of at least 1 dimension, got 0');
    if (this.#dimensions !== 0 && d !== this.#dimensions) {
      throw new ShapeError(
        `candidates: expected ${this.#dimensions} dimensions as before, got ${d} from row ${this.#rows}`,
      );
    }
    const piece = new Matrix(rows, d, this.runtime);
    this.#pieces.push(piece);
    const { data } = piece;
    source.copy(0, rows, data);
    const at = this.runtime.kernels.findNotFinite(piece.offset, rows * d);
    if (at >= 0) {
      const row = this.#rows + Math.floor(at / d);
      throw new NotFiniteError(`candidates: expected finite numbers, got ${data[at]} in row ${row}, column ${at % d}`);
    }
    this.#rows += rows;
    this.#dimensions = d;
  }

  /** All rows as one matrix, which the caller frees; the buffer is empty afterwards. */
  take(): Matrix {
    const [first] = this.#pieces;
    if (this.#pieces.length === 1 && first) {
      this.#pieces = [];
      return first;
    }
    const all = new Matrix(this.#rows, this.#dimensions, this.runtime);
    const { data } = all;
    let at = 0;
    for (const piece of this.#pieces) {
      data.set(piece.data, at);
      at += piece.rows * this.#dimensions;
    }
    this.free();
    return all;
  }

  /** Give everything back. */
  free(): void {
    for (const piece of this.#pieces) piece.free();
    this.#pieces = [];
  }
}
