/** Every layer by the case file; a layer of a program's own; specs, shapes and dropout. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Saved } from '../../src/format/saved.ts';
import type { Layer } from '../../src/layers/contract.ts';
import { padded } from '../../src/layers/contract.ts';
import type { Activation } from '../../src/layers/dense-layer.ts';
import { gradCheck } from '../../src/layers/grad-check.ts';
import { type LayerSpec, makeLayers } from '../../src/layers/make-layers.ts';
import { Sgd } from '../../src/optimizers/sgd.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { rowsOf, runLayerCases } from './layer-cases.ts';
import { byRow, denseRow, layerNormRow } from './references.ts';

/** One layer of a spec, with random weights in their unpadded columns. */
function made(spec: LayerSpec, inputs: number, runtime: Runtime): Layer {
  const [layer] = makeLayers([spec], inputs, new Generator(4), runtime);
  const generator = new Generator(11);
  for (const { data } of layer!.parameters()) {
    // A number that is 0 in a new layer stays 0: the padding, which must, and also β and biases.
    data.forEach((value, i) => {
      if (value !== 0) data[i] = generator.normal();
    });
  }
  return layer!;
}

for (const activation of ['linear', 'relu', 'tanh', 'gelu'] satisfies Activation[]) {
  for (const [inputs, units] of [
    [5, 3],
    [8, 12],
  ] as const) {
    runLayerCases({
      name: `dense, ${activation}, ${inputs} to ${units}`,
      make: (runtime) => made({ kind: 'dense', units, activation }, inputs, runtime),
      reference: byRow(inputs, (x, [weights]) => denseRow(x, weights!, units, activation)),
    });
  }
}

for (const inputs of [1, 6, 8]) {
  runLayerCases({
    name: `layerNorm of ${inputs}`,
    make: (runtime) => made({ kind: 'layerNorm', epsilon: 0.25 }, inputs, runtime),
    reference: byRow(inputs, (x, [weights]) => layerNormRow(x, weights!, 0.25)),
  });
}

runLayerCases({
  name: 'l2Normalize',
  make: (runtime) => made({ kind: 'l2Normalize' }, 7, runtime),
  reference: byRow(7, (x) => x.map((value) => value / Math.hypot(...x))),
});

runLayerCases({
  name: 'dropout while serving',
  make: (runtime) => made({ kind: 'dropout', rate: 0.5 }, 7, runtime),
  reference: byRow(7, (x) => x),
});

runLayerCases({
  name: 'add of an input and a dense layer',
  make: (runtime) =>
    made({ kind: 'add', branches: [[], [{ kind: 'dense', units: 6, activation: 'tanh' }]] }, 6, runtime),
  reference: byRow(6, (x, [weights]) => denseRow(x, weights!, 6, 'tanh').map((value, i) => value + x[i]!)),
});

runLayerCases({
  name: 'concat of a dense layer, an input and a normalized input',
  make: (runtime) =>
    made({ kind: 'concat', branches: [[{ kind: 'dense', units: 3 }], [], [{ kind: 'l2Normalize' }]] }, 5, runtime),
  reference: byRow(5, (x, [weights]) => [
    ...denseRow(x, weights!, 3, 'linear'),
    ...x,
    ...x.map((value) => value / Math.hypot(...x)),
  ]),
});

/** A program's own layer: y = scale · x², one scale per column. */
class Square implements Layer {
  readonly kind = 'square';
  readonly inputs: number;
  readonly outputs: number;
  readonly runtime: Runtime;
  readonly scales: Matrix;
  readonly #factor: number;
  #x: Matrix | undefined;
  #y: Matrix | undefined;

  /** @param factor 2; another one makes the gradient wrong */
  constructor(inputs: number, runtime: Runtime, factor = 2) {
    this.inputs = inputs;
    this.outputs = inputs;
    this.runtime = runtime;
    this.scales = new Matrix(1, padded(inputs), runtime);
    this.scales.data.fill(1.5, 0, inputs);
    this.#factor = factor;
  }

  forward(x: Matrix): Matrix {
    this.#x = x;
    this.#y = new Matrix(x.rows, x.dimensions, x.runtime);
    const { data } = this.#y;
    for (let i = 0; i < data.length; i++) data[i] = this.scales.data[i % x.dimensions]! * x.data[i]! ** 2;
    return this.#y;
  }

  backward(dy: Matrix, optimizer: Sgd): Matrix {
    const x = this.#x!;
    const [dx, gradient] = [new Matrix(x.rows, x.dimensions, x.runtime), new Matrix(1, x.dimensions, x.runtime)];
    for (let i = 0; i < dx.data.length; i++) {
      const j = i % x.dimensions;
      dx.data[i] = this.#factor * this.scales.data[j]! * x.data[i]! * dy.data[i]!;
      gradient.data[j] = gradient.data[j]! + x.data[i]! ** 2 * dy.data[i]!;
    }
    optimizer.step(this.scales, Int32Array.of(0), gradient);
    return dx;
  }

  parameters(): Matrix[] {
    return [this.scales];
  }

  save(): Saved {
    return { kind: 'square', settings: { inputs: this.inputs }, sections: [] };
  }
}

runLayerCases({
  name: "a program's own layer",
  make: (runtime) => new Square(5, runtime),
  reference: byRow(5, (x, [scales]) => x.map((value, j) => scales![j]! * value ** 2)),
});

test('gradCheck names the place of a wrong gradient, and shapes that break the contract', () => {
  const runtime = new Runtime({ threads: 1 });
  const result = gradCheck(new Square(5, runtime, 2.02));
  assert.equal(result.isCorrect, false);
  assert.match(result.worst, /^x\[\d, \d\]$/);
  const narrow = new Square(5, runtime);
  narrow.forward = (x) => new Matrix(x.rows, 4, runtime);
  assert.throws(() => gradCheck(narrow), /y: expected \[3, 8\], got \[3, 4\]/);
  const full = new Square(5, runtime);
  full.forward = (x) => {
    const y = new Matrix(x.rows, 8, runtime);
    y.data.fill(1);
    return y;
  };
  assert.throws(() => gradCheck(full), /y: expected padding of 0 after column 4, got 1 at \[0, 5\]/);
});

test('dropout: the same mask forward and back, another at another step, about `rate` of the numbers', () => {
  const runtime = new Runtime({ threads: 1 });
  const layer = made({ kind: 'dropout', rate: 0.3 }, 50, runtime);
  const ones = new Matrix(200, 52, runtime);
  ones.data.fill(1);
  const first = layer.forward(ones, 1).data.slice();
  const back = layer.backward(ones, new Sgd()).data.slice();
  assert.deepEqual(back, first);
  const share = first.filter((value) => value === 0).length / first.length;
  // 10,400 numbers: the standard deviation is .0045.
  assert.ok(Math.abs(share - 0.3) < 0.02, `${share}`);
  assert.ok(first.every((value) => value === 0 || Math.abs(value - 1 / 0.7) < 1e-6));
  assert.notDeepEqual(layer.forward(ones, 2).data.slice(), first);
  assert.deepEqual(layer.forward(ones, 1).data.slice(), first);
  assert.equal(layer.forward(ones), ones);
});

test('a row of zeros stays zero when it is normalized, and its gradient is zero', () => {
  const runtime = new Runtime({ threads: 1 });
  const layer = made({ kind: 'l2Normalize' }, 3, runtime);
  assert.deepEqual([...layer.forward(new Matrix(1, 4, runtime)).data], [0, 0, 0, 0]);
  assert.deepEqual([...layer.backward(rowsOf(1, 3, 1, runtime), new Sgd()).data], [0, 0, 0, 0]);
});

test('specs: unknown kinds and options, ranges, and shapes with both numbers', () => {
  const runtime = new Runtime({ threads: 1 });
  const make = (specs: readonly unknown[]) => makeLayers(specs as LayerSpec[], 6, new Generator(1), runtime);
  assert.throws(() => make([{ kind: 'conv' }]), /layers\[0\]\.kind: expected one of dense, layerNorm, .*got conv/);
  assert.throws(() => make([null]), /layers\[0\]\.kind: expected one of/);
  assert.throws(() => make([{ kind: 'dense', unit: 3 }]), /a dense layer: .*nearest is units/);
  assert.throws(() => make([{ kind: 'dense', units: 0 }]), /units: expected/);
  assert.throws(() => make([{ kind: 'dense', units: 2, activation: 'gel' }]), /activation: expected/);
  assert.throws(() => make([{ kind: 'dropout', rate: 1 }]), /rate: expected a number from 0 to below 1, got 1/);
  assert.throws(
    () => make([{ kind: 'add', branches: [[], [{ kind: 'dense', units: 5 }]] }]),
    /expected 6 outputs of each branch that is added, as branch 0 has, got 5 of branch 1/,
  );
  assert.throws(
    () => make([{ kind: 'dense', units: 5 }, () => new Square(7, runtime)]),
    /layers\[1\] \(square\): expected 5 inputs, since layers\[0\] \(dense\) has 5 outputs, got 7/,
  );
  assert.throws(
    () => make([() => new Square(7, runtime)]),
    /expected 6 inputs, since the embeddings have 6 columns, got 7/,
  );
});
