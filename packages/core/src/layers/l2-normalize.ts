/**
 * Rows scaled to unit length, y = x / |x|, and the gradient back: dx = (dy − y·⟨y, dy⟩) / |x|.
 *
 * A row of zeros stays zero, and its gradient is zero, so that an item without any feature adds no NaN to a step.
 */

import type { Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Matrix } from '../vectors/matrix.ts';
import { unfilledMatrix } from '../vectors/unfilled.ts';
import { checkBackward, checkForward } from './check-passes.ts';
import { columnsMatrix, GRAIN_ROWS, type Layer, withRows } from './contract.ts';
import { copyColumns } from './copy-columns.ts';

/** L2 normalization. It has no weights. */
export class L2Normalize implements Layer {
  readonly kind = 'l2Normalize';
  readonly inputs: number;
  readonly outputs: number;
  readonly runtime: Runtime;
  #y: Matrix | undefined;
  #lengths: Matrix | undefined;

  constructor(inputs: number, runtime: Runtime) {
    this.inputs = inputs;
    this.outputs = inputs;
    this.runtime = runtime;
  }

  save(): Saved {
    return { kind: 'l2Normalize', settings: { inputs: this.inputs }, sections: [] };
  }

  /** Load a saved layer. @throws {FormatError} when a setting is out of range */
  static load({ settings, runtime }: Part): L2Normalize {
    return new L2Normalize(settings.integer('inputs', { min: 1 }), runtime);
  }

  parameters(): Matrix[] {
    return [];
  }

  forward(x: Matrix): Matrix {
    checkForward(this, x);
    const { inputs } = this;
    const { rows } = x;
    this.#y = withRows(this.#y, rows, () => columnsMatrix(rows, inputs, this.runtime));
    this.#lengths = withRows(this.#lengths, rows, () => unfilledMatrix(rows, 1, this.runtime));
    copyColumns(x, 0, this.#y, 0, inputs);
    const { offset, dimensions } = this.#y;
    modelPool(this.runtime).run('normalizeRows', rows, GRAIN_ROWS, offset, dimensions, inputs, this.#lengths.offset);
    return this.#y;
  }

  backward(dy: Matrix, optimizer: SparseOptimizer): Matrix {
    const { inputs } = this;
    checkBackward(this, dy, optimizer, this.#y?.rows);
    const y = this.#y!;
    const dx = columnsMatrix(dy.rows, inputs, this.runtime);
    copyColumns(dy, 0, dx, 0, inputs);
    const of = [dx.offset, dx.dimensions, y.offset, y.dimensions] as const;
    modelPool(this.runtime).run('denormalizeRows', dy.rows, GRAIN_ROWS, ...of, inputs, this.#lengths!.offset);
    return dx;
  }
}
