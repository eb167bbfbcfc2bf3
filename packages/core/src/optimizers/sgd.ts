/** Stochastic gradient descent on distinct rows: p ← p − learningRate · g. Keeps no state. */
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Matrix } from '../vectors/matrix.ts';
import type { SparseOptimizer } from './contract.ts';
import { checkLearningRate, GRAIN_ROWS, RowNumbers } from './row-step.ts';

/** Options of SGD; the default is Keras's. */
export interface SgdOptions {
  learningRate?: number;
}

const checkOptions = optionsCheck<SgdOptions>('Sgd', { learningRate: NUMBER });

/** Stochastic gradient descent. */
export class Sgd implements SparseOptimizer {
  readonly name = 'sgd';
  learningRate: number;
  readonly #rows = new RowNumbers();

  /** @throws {OptionError} when an option is unknown, or the learning rate not above 0 */
  constructor(options: SgdOptions = {}) {
    const { learningRate = 0.01 } = checkOptions(options);
    this.learningRate = checkLearningRate(learningRate);
  }

  step(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
    const { runtime, dimensions } = parameters;
    const at = this.#rows.write(rows, runtime);
    modelPool(runtime).run(
      'sgdRows',
      rows.length,
      GRAIN_ROWS,
      parameters.offset,
      at,
      gradients.offset,
      gradients.dimensions,
      dimensions,
      this.learningRate,
    );
  }

  state(): undefined {
    return undefined;
  }

  resetState(): void {}

  stateBytes(): number {
    return 0;
  }
}
