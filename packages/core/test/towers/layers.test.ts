/** Towers with layers: gradients through all of them, dropout in training only, bundles with a program's own layers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import type { Part } from '../../src/format/part.ts';
import type { Saved } from '../../src/format/saved.ts';
import type { Layer } from '../../src/layers/contract.ts';
import type { LayerSpec } from '../../src/layers/make-layers.ts';
import { Adagrad } from '../../src/optimizers/adagrad.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { Retrieval } from '../../src/retrieval/task.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { Tower } from '../../src/towers/tower.ts';
import type { TowerHead } from '../../src/towers/tower-options.ts';
import { Matrix } from '../../src/vectors/matrix.ts';

const vocabulary = ['a', 'b', 'c', 'd'];
const LAYERS: LayerSpec[] = [
  { kind: 'dense', units: 12, activation: 'gelu' },
  { kind: 'layerNorm' },
  { kind: 'dropout', rate: 0.4 },
  { kind: 'add', branches: [[], [{ kind: 'dense', units: 12, activation: 'tanh' }]] },
  { kind: 'concat', branches: [[{ kind: 'dense', units: 5 }], [{ kind: 'l2Normalize' }]] },
  { kind: 'dense', units: 6, activation: 'tanh' },
];

/** A program's own layer: y = −x. */
class Negate implements Layer {
  readonly kind = 'negate';
  readonly inputs: number;
  readonly outputs: number;
  readonly runtime: Runtime;

  constructor(inputs: number, runtime: Runtime) {
    this.inputs = inputs;
    this.outputs = inputs;
    this.runtime = runtime;
  }

  static load({ settings, runtime }: Part): Negate {
    return new Negate(settings.integer('inputs', { min: 1 }), runtime);
  }

  forward(x: Matrix): Matrix {
    const y = new Matrix(x.rows, x.dimensions, this.runtime);
    y.data.set(x.data.map((value) => -value));
    return y;
  }

  backward(dy: Matrix): Matrix {
    return this.forward(dy);
  }

  parameters(): Matrix[] {
    return [];
  }

  save(): Saved {
    return { kind: this.kind, settings: { inputs: this.inputs }, sections: [] };
  }
}

test('a loss falls through layers of every kind, and their weights all move', async () => {
  const runtime = new Runtime({ threads: 1 });
  const create = (seed: number) =>
    Tower.create({ vocabulary, dimensions: 10, layers: LAYERS, normalize: true, seed, runtime });
  const model = new TwoTowerModel({
    queryTower: create(1),
    candidateTower: create(2),
    task: new Retrieval({ temperature: 0.2 }),
    optimizer: new Adagrad({ learningRate: 0.1 }),
  });
  const before = model.queryTower.parameters().map(({ data }) => data.slice());
  const pairs = { queries: ['a', 'b', 'c', 'd'], candidates: ['d', 'c', 'b', 'a'] };
  const { epochs } = await model.fit(pairs, { epochs: 150, samplingCorrection: false });
  assert.ok(
    epochs.at(-1)!.perExample < 0.6 * epochs[0]!.perExample,
    `${epochs[0]!.perExample} to ${epochs.at(-1)!.perExample}`,
  );
  model.queryTower.parameters().forEach(({ data }, i) => {
    assert.ok(
      data.some((value, j) => value !== before[i]![j]),
      `parameters ${i}`,
    );
  });
});

test('dropout acts in steps of training and not in vectors; another step draws another mask', () => {
  const runtime = new Runtime({ threads: 1 });
  const tower = Tower.create({ vocabulary, dimensions: 40, layers: [{ kind: 'dropout', rate: 0.5 }], runtime });
  const encoded = tower.encode(['a', 'b']);
  const vectors = tower.embed(['a', 'b']).data.slice();
  assert.deepEqual(tower.forward(encoded).data.slice(), vectors);
  const first = tower.forward(encoded, 1).data.slice();
  assert.ok(first.some((value) => value === 0));
  assert.notDeepEqual(tower.forward(encoded, 2).data.slice(), first);
  assert.deepEqual(tower.forward(encoded, 1).data.slice(), first);
});

test('a bundle holds layers of every kind, and a program names the loaders of its own', async () => {
  const runtime = new Runtime({ threads: 1 });
  const layers = [...LAYERS, (inputs: number) => new Negate(inputs, runtime)];
  const queryTower = Tower.create({ vocabulary, dimensions: 10, layers, normalize: true, runtime });
  assert.equal(queryTower.dimensions, 6);
  const expected = queryTower.embed(vocabulary).data.slice();
  const index = new BruteForce<string, string>({ queryModel: queryTower, runtime });
  index.index(
    Array.from({ length: 3 }, (_, i) => Float32Array.from({ length: 6 }, (_, t) => i + t)),
    ['x', 'y', 'z'],
  );
  const bytes = bundleToBytes({ index, queryTower });
  const loaded = await bundleFromBytes(bytes, { runtime, layers: { negate: Negate.load } });
  assert.deepEqual(loaded.queryTower!.embed(vocabulary).data.slice(), expected);
  await assert.rejects(bundleFromBytes(bytes, { runtime }), /kind: expected one of .*dense.*, got "negate"/);
});

test('shapes are checked when the tower is made', () => {
  const runtime = new Runtime({ threads: 1 });
  const create = (layers: TowerHead['layers']) =>
    Tower.create({ vocabulary, dimensions: 10, layers: layers!, runtime });
  assert.throws(
    () => create([() => new Negate(9, runtime)]),
    /layers\[0\] \(negate\): expected 10 inputs, since the embeddings have 10 columns, got 9/,
  );
  assert.throws(
    () => create([(inputs) => new Negate(inputs, new Runtime({ threads: 1 }))]),
    /runtime: expected that of/,
  );
  assert.throws(
    () => Tower.create({ vocabulary, dense: [3], layers: [], runtime }),
    /layers: expected either dense or layers, got both/,
  );
});

test('a loss that is not finite names step, tower, and feature or layer', async () => {
  const runtime = new Runtime({ threads: 1 });
  const create = () =>
    Tower.create({ features: { age: { vocabulary }, city: { vocabulary } }, dense: [8, 4], runtime });
  const model = new TwoTowerModel({ queryTower: create(), candidateTower: create() });
  const row = (age: string) => ({ age, city: age });
  const pairs = { queries: ['a', 'b'].map(row), candidates: ['c', 'd'].map(row) };
  model.queryTower.inputs[1]!.table!.trained()[0]!.data.fill(Number.NaN);
  await assert.rejects(
    model.fit(pairs),
    /loss: .* got NaN at epoch 1, step 1; not finite: feature city of the query tower/,
  );
  const other = new TwoTowerModel({ queryTower: create(), candidateTower: create() });
  other.candidateTower.layers[1]!.parameters()[0]!.data.fill(Number.NaN);
  await assert.rejects(other.fit(pairs), /not finite: layers\[1\] \(dense\) of the candidate tower/);
});
