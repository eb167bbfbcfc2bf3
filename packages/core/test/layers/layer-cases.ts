/** The case file of the contract `Layer`: every layer, a program's own too, runs it. */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import type { Layer } from '../../src/layers/contract.ts';
import { padded } from '../../src/layers/contract.ts';
import { gradCheck, type LayerReference } from '../../src/layers/grad-check.ts';
import { backwardWeightsThrough } from '../../src/layers/sequential.ts';
import { Sgd } from '../../src/optimizers/sgd.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';

/** Shared by all layers, so that the threads have started when most of them are tested. */
const [one, three] = [new Runtime({ threads: 1 }), new Runtime({ threads: 3 })];
after(() => three.pool.stop());

/** A layer to test. */
export interface LayerCase {
  readonly name: string;
  /** A layer whose weights are far from their initial values. */
  readonly make: (runtime: Runtime) => Layer;
  readonly reference: LayerReference;
  /** The training step of the forward passes; default none. */
  readonly trainingStep?: number;
  /** True where a row of y depends on other rows of x. */
  readonly mixesRows?: boolean;
}

/** Numbers for x or dy, padding 0. */
export function rowsOf(rows: number, columns: number, seed: number, runtime: Runtime): Matrix {
  const generator = new Generator(seed);
  const matrix = new Matrix(rows, padded(columns), runtime);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) matrix.row(i)[j] = generator.normal();
  return matrix;
}

/** y, dx and the weights after a step, of `rows` rows. */
function pass({ make, trainingStep }: LayerCase, runtime: Runtime, rows: number): Float32Array[] {
  const layer = make(runtime);
  const y = layer.forward(rowsOf(rows, layer.inputs, 5, runtime), trainingStep).data.slice();
  const dx = layer.backward(rowsOf(rows, layer.outputs, 6, runtime), new Sgd({ learningRate: 0.1 }));
  return [y, dx.data.slice(), ...layer.parameters().map(({ data }) => data.slice())];
}

/** Register the tests of a layer. */
export function runLayerCases(layerCase: LayerCase): void {
  const { name, make, reference, trainingStep, mixesRows } = layerCase;
  const options = trainingStep === undefined ? {} : { trainingStep };

  test(`${name}: gradients are the finite differences of a float64 reference`, (t: TestContext) => {
    const runtime = new Runtime({ threads: 1 });
    const layer = make(runtime);
    const result = gradCheck(layer, { rows: 4, reference, ...options });
    t.diagnostic(JSON.stringify(result));
    assert.ok(result.isCorrect, JSON.stringify(result));
    assert.ok(result.checked >= 4 * layer.inputs);
  });

  test(`${name}: and of the layer itself`, () => {
    const runtime = new Runtime({ threads: 1 });
    const result = gradCheck(make(runtime), { rows: 3, ...options });
    assert.ok(result.isCorrect, JSON.stringify(result));
  });

  test(`${name}: the same bits on one and three threads`, () => {
    assert.deepEqual(pass(layerCase, three, 333), pass(layerCase, one, 333));
  });

  test(`${name}: without the gradient of its inputs, the weights get the same step`, () => {
    const runtime = new Runtime({ threads: 1 });
    const whole = pass(layerCase, runtime, 21);
    const layer = make(runtime);
    layer.forward(rowsOf(21, layer.inputs, 5, runtime), trainingStep);
    backwardWeightsThrough([layer], rowsOf(21, layer.outputs, 6, runtime), new Sgd({ learningRate: 0.1 }));
    assert.deepEqual(
      layer.parameters().map(({ data }) => data.slice()),
      whole.slice(2),
    );
  });

  test(`${name}: a batch without rows, then one with rows, then a smaller one`, () => {
    const runtime = new Runtime({ threads: 1 });
    const layer = make(runtime);
    const optimizer = new Sgd({ learningRate: 1e-9 });
    for (const rows of [0, 5, 2]) {
      assert.equal(layer.forward(rowsOf(rows, layer.inputs, 1, runtime), trainingStep).rows, rows);
      assert.equal(layer.backward(rowsOf(rows, layer.outputs, 2, runtime), optimizer).rows, rows);
    }
  });

  if (mixesRows) return;
  test(`${name}: a row has the same bits alone and in a batch`, () => {
    const runtime = new Runtime({ threads: 1 });
    const layer = make(runtime);
    const x = rowsOf(40, layer.inputs, 5, runtime);
    const first = layer.forward(x).row(0).slice();
    const alone = new Matrix(1, x.dimensions, runtime);
    alone.data.set(x.row(0));
    assert.deepEqual(layer.forward(alone).row(0).slice(), first);
  });
}
