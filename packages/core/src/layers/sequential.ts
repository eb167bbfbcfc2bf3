/** Layers one after another, as one layer. Without layers it is the identity. */
import { checkArgument } from '../checks/arguments.ts';
import type { Saved } from '../format/saved.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import { checkBackward, checkForward, LAYERS } from './check-passes.ts';
import type { Layer } from './contract.ts';

/** A sequence of layers of which each takes the outputs of the one before. */
export class Sequential implements Layer {
  readonly kind = 'sequential';
  readonly inputs: number;
  readonly outputs: number;
  readonly runtime: Runtime;
  readonly layers: readonly Layer[];
  /** Rows of the last y. */
  #rows: number | undefined;

  constructor(inputs: number, layers: readonly Layer[], runtime: Runtime) {
    checkArgument('layers', layers, LAYERS);
    this.runtime = checkArgument('runtime', runtime, RUNTIME);
    this.inputs = inputs;
    this.outputs = layers.at(-1)?.outputs ?? inputs;
    this.layers = layers;
  }

  save(): Saved {
    const parts = Object.fromEntries(this.layers.map((layer, i) => [`layer${i}`, layer.save()]));
    return { kind: 'sequential', settings: { inputs: this.inputs, layers: this.layers.length }, sections: [], parts };
  }

  backwardWeights(dy: Matrix, optimizer: SparseOptimizer): void {
    checkBackward(this, dy, optimizer, this.#rows);
    backwardWeightsThrough(this.layers, dy, optimizer);
  }

  parameters(): Matrix[] {
    return this.layers.flatMap((layer) => layer.parameters());
  }

  forward(x: Matrix, trainingStep?: number): Matrix {
    checkForward(this, x);
    const y = forwardThrough(this.layers, x, trainingStep);
    this.#rows = y.rows;
    return y;
  }

  backward(dy: Matrix, optimizer: SparseOptimizer): Matrix {
    checkBackward(this, dy, optimizer, this.#rows);
    const gradient = backwardThrough(this.layers, dy, optimizer);
    if (gradient !== dy) return gradient;
    const copy = new Matrix(dy.rows, dy.dimensions, dy.runtime);
    copy.data.set(dy.data);
    return copy;
  }
}

/** The output of layers one after another; without layers x itself. */
export function forwardThrough(layers: readonly Layer[], x: Matrix, trainingStep?: number): Matrix {
  return layers.reduce((value, layer) => layer.forward(value, trainingStep), x);
}

/** The gradient of x in `forwardThrough`, which the caller frees; without layers dy itself. Steps all layers. */
export function backwardThrough(layers: readonly Layer[], dy: Matrix, optimizer: SparseOptimizer): Matrix {
  let gradient = dy;
  for (const layer of layers.toReversed()) {
    const next = layer.backward(gradient, optimizer);
    if (gradient !== dy) gradient.free();
    gradient = next;
  }
  return gradient;
}

/** `backwardThrough` for an x that is not trained: the first layer computes no gradient of it. Steps all layers. */
export function backwardWeightsThrough(layers: readonly Layer[], dy: Matrix, optimizer: SparseOptimizer): void {
  const [first, ...rest] = layers;
  if (!first) return;
  const gradient = backwardThrough(rest, dy, optimizer);
  if (first.backwardWeights) first.backwardWeights(gradient, optimizer);
  else first.backward(gradient, optimizer).free();
  if (gradient !== dy) gradient.free();
}
