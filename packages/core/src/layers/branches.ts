/**
 * Branches: sequences of layers that all take the same x, and whose outputs are added or concatenated.
 *
 *   add: y = Σ branches f(x)        concat: y = [f₁(x) | f₂(x) | …]        dx = Σ branches dxᵢ
 *
 * A branch without layers is x itself, so that `add` of it and another branch is a residual connection (He et al., CVPR
 * 2016) and `concat` a skip connection.
 */
import { checkArgument } from '../checks/arguments.ts';
import { ShapeError } from '../errors/errors.ts';
import type { Saved } from '../format/saved.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Matrix } from '../vectors/matrix.ts';
import { checkBackward, checkForward, LAYERS } from './check-passes.ts';
import { columnsMatrix, type Layer, withRows } from './contract.ts';
import { copyColumns } from './copy-columns.ts';
import type { Sequential } from './sequential.ts';

/** The way in which outputs of branches are joined. */
export type Join = 'add' | 'concat';

/** Layers side by side, as one layer. */
export class Branches implements Layer {
  readonly kind: Join;
  readonly inputs: number;
  readonly outputs: number;
  readonly branches: readonly Sequential[];
  readonly runtime: Runtime;
  /** Rows of the last x. */
  #rows = 0;
  #y: Matrix | undefined;

  /** @throws {ShapeError} when branches are added that have different numbers of outputs */
  constructor(kind: Join, inputs: number, branches: readonly Sequential[], runtime: Runtime) {
    checkArgument('branches', branches, LAYERS);
    this.kind = kind;
    this.inputs = inputs;
    this.branches = branches;
    this.runtime = runtime;
    const outputs = branches.map((branch) => branch.outputs);
    const other = outputs.findIndex((count) => count !== outputs[0]);
    if (kind === 'add' && other > 0) {
      throw new ShapeError(
        `branches: expected ${outputs[0]} outputs of each branch that is added, as branch 0 has, got ${outputs[other]} of branch ${other}`,
      );
    }
    this.outputs = kind === 'add' ? outputs[0]! : outputs.reduce((sum, count) => sum + count, 0);
  }

  save(): Saved {
    const parts = Object.fromEntries(this.branches.map((branch, i) => [`branch${i}`, branch.save()]));
    const settings = { inputs: this.inputs, branches: this.branches.length };
    return { kind: this.kind, settings, sections: [], parts };
  }

  parameters(): Matrix[] {
    return this.branches.flatMap((branch) => branch.parameters());
  }

  /** @throws {ShapeError} when outputs of branches have different numbers of rows */
  forward(x: Matrix, trainingStep?: number): Matrix {
    checkForward(this, x);
    this.#rows = x.rows;
    const values = this.branches.map((branch) => branch.forward(x, trainingStep));
    const { rows } = values[0]!;
    const other = values.findIndex((value) => value.rows !== rows);
    if (other > 0) {
      throw new ShapeError(
        `branches: expected ${rows} rows of each branch, as branch 0 has, got ${values[other]!.rows} of branch ${other}`,
      );
    }
    this.#y = withRows(this.#y, rows, () => columnsMatrix(rows, this.outputs, this.runtime));
    const y = this.#y;
    this.branches.forEach((branch, i) => {
      const value = values[i]!;
      copyColumns(value, 0, y, this.#column(i), branch.outputs, this.kind === 'add' && i > 0);
    });
    return y;
  }

  backward(dy: Matrix, optimizer: SparseOptimizer): Matrix {
    checkBackward(this, dy, optimizer, this.#y?.rows);
    const dx = columnsMatrix(this.#rows, this.inputs, this.runtime);
    this.branches.forEach((branch, i) => {
      // A branch relies on padding of 0 behind its own columns.
      const own = columnsMatrix(dy.rows, branch.outputs, this.runtime);
      copyColumns(dy, this.#column(i), own, 0, branch.outputs);
      const gradient = branch.backward(own, optimizer);
      copyColumns(gradient, 0, dx, 0, this.inputs, i > 0);
      gradient.free();
      own.free();
    });
    return dx;
  }

  /** The column of y at which the outputs of branch `i` begin. */
  #column(i: number): number {
    if (this.kind === 'add') return 0;
    return this.branches.slice(0, i).reduce((sum, { outputs }) => sum + outputs, 0);
  }
}
