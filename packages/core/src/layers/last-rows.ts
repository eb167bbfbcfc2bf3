/**
 * The last row of each sequence: y has one row for each, which is 0 where the sequence is empty.
 *
 *   y_s = x_i, i the last row of sequence s;   dx_i = dy_s there, and 0 at the other rows
 *
 * Where only the state of the last item is used, this keeps the layers that follow from computing the states of the others.
 */
import type { Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import { checkSequences, type Sequences } from './causal-attention.ts';
import { checkBackward, checkForward } from './check-passes.ts';
import { type Layer, padded, withRows } from './contract.ts';

/** The last rows of sequences. It has no weights. */
export class LastRows implements Layer {
  readonly kind = 'lastRows';
  readonly inputs: number;
  readonly outputs: number;
  readonly runtime: Runtime;
  readonly #sequences: Sequences;
  /** The offsets of the last `forward`. */
  #offsets: Int32Array = Int32Array.of(0);
  #y: Matrix | undefined;

  constructor(inputs: number, sequences: Sequences, runtime: Runtime) {
    this.inputs = inputs;
    this.outputs = inputs;
    this.runtime = runtime;
    this.#sequences = sequences;
  }

  save(): Saved {
    return { kind: this.kind, settings: { inputs: this.inputs }, sections: [] };
  }

  /** Load a saved layer. @throws {FormatError} when a setting is out of range */
  static load({ settings, runtime }: Part, sequences: Sequences): LastRows {
    return new LastRows(settings.integer('inputs', { min: 1 }), sequences, runtime);
  }

  parameters(): Matrix[] {
    return [];
  }

  /** @throws {ShapeError} when x has not as many rows as the sequences */
  forward(x: Matrix): Matrix {
    checkForward(this, x);
    const { offsets } = this.#sequences;
    checkSequences(x, offsets);
    this.#offsets = offsets;
    const rows = offsets.length - 1;
    const y = withRows(this.#y, rows, () => new Matrix(rows, padded(this.outputs), this.runtime));
    this.#y = y;
    for (let s = 0; s < rows; s++) {
      const last = offsets[s + 1]! - 1;
      if (last < offsets[s]!) y.row(s).fill(0);
      else y.row(s).set(x.row(last).subarray(0, y.dimensions));
    }
    return y;
  }

  backward(dy: Matrix, optimizer: SparseOptimizer): Matrix {
    checkBackward(this, dy, optimizer, this.#y?.rows);
    const offsets = this.#offsets;
    const dx = new Matrix(offsets.at(-1)!, padded(this.inputs), this.runtime);
    for (let s = 0; s < dy.rows; s++) {
      const last = offsets[s + 1]! - 1;
      if (last >= offsets[s]!) dx.row(last).set(dy.row(s).subarray(0, dx.dimensions));
    }
    return dx;
  }
}
