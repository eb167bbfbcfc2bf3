/**
 * Towers of bags and floats, and tables that features of both towers share: known vectors, gradients by finite
 * difference, one step of a table for all its uses, compressed tables, the same bits on any number of threads.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EmbeddingTable } from '../../src/embeddings/contract.ts';
import { FullTable } from '../../src/embeddings/full.ts';
import { makeTable } from '../../src/embeddings/make-table.ts';
import type { Feature, FeatureColumn } from '../../src/features/contract.ts';
import { learnFeatures } from '../../src/features/learn-features.ts';
import type { Combiner } from '../../src/features/spec.ts';
import { DenseLayer } from '../../src/layers/dense-layer.ts';
import { Adagrad } from '../../src/optimizers/adagrad.ts';
import { Sgd } from '../../src/optimizers/sgd.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { parametersOf } from '../../src/retrieval/parameters.ts';
import { Retrieval } from '../../src/retrieval/task.ts';
import { AttentionEncoder } from '../../src/towers/attention-encoder.ts';
import { EncodedFeatures } from '../../src/towers/encoded-features.ts';
import { Tower } from '../../src/towers/tower.ts';
import type { FeatureInput } from '../../src/towers/tower-inputs.ts';
import { Matrix } from '../../src/vectors/matrix.ts';

const shared = new Runtime({ threads: 2 });

/** A feature whose raw values are its encoded ones: [ids, weights] for bags, numbers for ids, lists of numbers for floats. */
function feature(column: FeatureColumn['kind'], combiner: Combiner = 'mean', dimensions = 0): Feature {
  const refuse = (): never => {
    throw new Error('not saved here');
  };
  return {
    spec: { type: 'bag' },
    name: 'x',
    field: 'x',
    besideField: undefined,
    column,
    table: 'x',
    vocabulary: undefined,
    vocabularySize: 5,
    dimensions,
    combiner,
    encode: refuse,
  };
}

function input(
  kind: FeatureColumn['kind'],
  table: EmbeddingTable | undefined,
  more: Partial<FeatureInput> = {},
): FeatureInput {
  return { name: 'x', feature: feature(kind), table, projection: undefined, ...more };
}

function tower(
  inputs: readonly FeatureInput[],
  layers: readonly DenseLayer[] = [],
  normalize = false,
): Tower<Record<string, unknown>> {
  return new Tower<Record<string, unknown>>(inputs, layers, normalize, shared);
}

const BAGS: FeatureColumn = {
  kind: 'bags',
  offsets: Int32Array.of(0, 2, 2, 5),
  ids: Int32Array.of(0, 1, 4, 1, 1),
  weights: Float32Array.of(1, 3, 1, 0.5, 2),
};

test('the vector of a bag: sum, mean and sqrtn by weights; an empty bag and weights of 0 give zeros', () => {
  const table = new FullTable(
    Matrix.from(
      'table',
      [
        [1, 10],
        [2, 20],
        [3, 30],
        [4, 40],
        [5, 50],
      ],
      shared,
    ),
  );
  const vectors = (combiner: Combiner, column: FeatureColumn): number[][] => {
    const made = tower([input('bags', table, { feature: feature('bags', combiner) })]);
    const out = made.forward(new EncodedFeatures(column.kind === 'bags' ? column.offsets.length - 1 : 0, [column]));
    return Array.from({ length: out.rows }, (_, row) => [...out.row(row).subarray(0, 2)]);
  };
  assert.deepEqual(vectors('sum', BAGS), [
    [7, 70],
    [0, 0],
    [10, 100],
  ]);
  assert.deepEqual(
    vectors('mean', BAGS).map(([x]) => x),
    [1.75, 0, Math.fround(10 / 3.5)],
  );
  const [first, , third] = vectors('sqrtn', BAGS).map(([x]) => x!);
  assert.ok(Math.abs(first! - 7 / Math.sqrt(10)) < 1e-6 && Math.abs(third! - 10 / Math.sqrt(5.25)) < 1e-6);
  const zeros: FeatureColumn = {
    kind: 'bags',
    offsets: Int32Array.of(0, 1),
    ids: Int32Array.of(2),
    weights: Float32Array.of(0),
  };
  for (const combiner of ['sum', 'mean', 'sqrtn'] as const) assert.deepEqual(vectors(combiner, zeros), [[0, 0]]);
  const plain = { ...BAGS, weights: undefined } as FeatureColumn;
  assert.deepEqual(vectors('mean', plain)[0], [1.5, 15]);
  assert.throws(
    () => vectors('sum', { ...BAGS, ids: Int32Array.of(0, 1, 4, 1, 5) } as FeatureColumn),
    /got 5 at position 4/,
  );
});

/** Every parameter's SGD step at learning rate 1 against the central difference of Σ weights · vectors. */
function checkGradient(made: Tower<Record<string, unknown>>, features: EncodedFeatures): void {
  const generator = new Generator(9);
  for (const { data } of made.parameters()) data.forEach((_, i) => (data[i] = 0.7 * generator.normal()));
  const start = made.parameters().map(({ data }) => data.slice());
  const gradients = new Matrix(features.rows, made.forward(features).dimensions, shared);
  const weights = Array.from({ length: features.rows }, () =>
    Float32Array.from({ length: made.dimensions }, () => generator.normal()),
  );
  weights.forEach((row, i) => {
    gradients.row(i).set(row);
  });
  const value = (): number => {
    const out = made.forward(features);
    return weights.reduce((sum, row, i) => sum + row.reduce((s, w, t) => s + w * out.row(i)[t]!, 0), 0);
  };
  made.backward(gradients, new Sgd({ learningRate: 1 }));
  const steps = made.parameters().map(({ data }, p) => start[p]!.map((before, i) => before - data[i]!));
  made.parameters().forEach(({ data }, p) => {
    const put = (): void => made.parameters().forEach((matrix, q) => matrix.data.set(start[q]!));
    for (let i = 0; i < data.length; i++) {
      const at = (shift: number): number => {
        put();
        data[i] = start[p]![i]! + shift;
        return value();
      };
      const expected = (at(2 ** -7) - at(-(2 ** -7))) / 2 ** -6;
      const got = steps[p]![i]!;
      assert.ok(
        Math.abs(got - expected) < 4e-3 * (1 + Math.abs(expected)),
        `parameter ${p}[${i}]: ${got}, not ${expected}`,
      );
    }
  });
}

const IDS: FeatureColumn = { kind: 'ids', ids: Int32Array.of(1, 1, 4) };
const FLOATS: FeatureColumn = {
  kind: 'floats',
  dimensions: 3,
  values: Float32Array.from({ length: 9 }, (_, i) => (i % 4) - 1.5),
};
const TABLES: readonly (() => EmbeddingTable)[] = [
  () => FullTable.create({ vocabularySize: 5, dimensions: 3, runtime: shared }),
  () =>
    makeTable(
      { method: 'hashing-trick', parameters: 6 },
      { vocabularySize: 5, dimensions: 3, seed: 1, runtime: shared },
    ),
];

test('gradients of bags, ids and floats over full, compressed and shared tables', () => {
  for (const table of TABLES) {
    for (const combiner of ['sum', 'mean', 'sqrtn'] as const) {
      const bag = { feature: feature('bags', combiner) };
      checkGradient(tower([input('bags', table(), bag)]), new EncodedFeatures(3, [BAGS]));
      const one = table();
      const both = [
        input('bags', one, bag),
        input('ids', one),
        input('floats', undefined, { feature: feature('floats', 'mean', 3) }),
      ];
      const layers = [DenseLayer.create(9, 4, 'linear', 2, shared)];
      checkGradient(tower(both, layers, true), new EncodedFeatures(3, [BAGS, IDS, FLOATS]));
    }
  }
  const projection = DenseLayer.create(3, 2, 'linear', 5, shared);
  const floats = input('floats', undefined, { feature: feature('floats', 'mean', 3), projection });
  checkGradient(tower([input('ids', TABLES[0]!()), floats]), new EncodedFeatures(3, [IDS, FLOATS]));
});

test('gradients of attention over full and compressed tables, shared with an id', () => {
  const column: FeatureColumn = { ...BAGS, weights: undefined } as FeatureColumn;
  const of = { vocabularySize: 5, dimensions: 4, seed: 1, runtime: shared };
  for (const table of [FullTable.create(of), makeTable({ method: 'hashing-trick', parameters: 8 }, of)]) {
    const shape = { maxLength: 3, blocks: 1, heads: 2, dropout: 0 };
    const attention = AttentionEncoder.create('x', 4, shape, { seeds: new Generator(3), runtime: shared });
    checkGradient(
      tower([input('bags', table, { attention }), input('ids', table)]),
      new EncodedFeatures(3, [column, IDS]),
    );
  }
});

/** A model whose history of the query tower and item of the candidate tower are rows of one table. */
function historyModel(runtime: Runtime, optimizer = new Adagrad()): TwoTowerModel<never, never> {
  const table = FullTable.create({ vocabularySize: 5, dimensions: 4, seed: 3, runtime });
  const one = (kind: 'bags' | 'ids'): Tower<never> => new Tower<never>([input(kind, table)], [], true, runtime);
  return new TwoTowerModel({
    queryTower: one('bags'),
    candidateTower: one('ids'),
    optimizer,
    task: new Retrieval({ temperature: 0.5 }),
  });
}

test('no gradient of raw floats is computed', async () => {
  const features = await learnFeatures({ floats: { type: 'vector', length: 3, dimensions: 4 } }, [
    { floats: [[1, 2, 3]] },
  ]);
  const { backward } = DenseLayer.prototype;
  let inner = 0;
  DenseLayer.prototype.backward = function counted(...args) {
    inner++;
    return backward.apply(this, args);
  };
  try {
    const tower = Tower.create({ features, dense: [4, 2], runtime: new Runtime({ threads: 1 }) });
    tower.forward(tower.encode([{ floats: [1, 0, 1] }]));
    const before = tower.parameters().map(({ data }) => data.slice());
    tower.backward(Matrix.from('gradients', [[1, -1, 0, 0]], tower.runtime), new Sgd({ learningRate: 0.1 }));
    assert.equal(inner, 2, 'the two dense layers; the projection of floats has no input to train');
    tower.parameters().forEach(({ data }, i) => assert.notDeepEqual(data, before[i]));
  } finally {
    DenseLayer.prototype.backward = backward;
  }
});

test('a table that both towers read is one parameter, stepped once by the sum of all gradients', () => {
  const queries = new EncodedFeatures(3, [BAGS]);
  const candidates = new EncodedFeatures(3, [{ kind: 'ids', ids: Int32Array.of(1, 2, 4) }]);
  const batch = {
    rows: 3,
    queries,
    candidates,
    sampleWeight: undefined,
    candidateSamplingProbability: undefined,
    identifiers: undefined,
  };
  const model = historyModel(shared, new Adagrad({ learningRate: 0.1 }));
  assert.equal(parametersOf(model).length, 1);
  const [rows] = parametersOf(model);
  const start = rows!.data.slice();
  // The loss falls along its own gradient: central differences of the loss are the SGD step.
  const sgd = historyModel(shared);
  const stepped = new TwoTowerModel({
    queryTower: sgd.queryTower,
    candidateTower: sgd.candidateTower,
    task: sgd.task,
    optimizer: new Sgd({ learningRate: 1 }),
  });
  stepped.step(batch, true);
  const gradient = start.map((before, i) => before - parametersOf(stepped)[0]!.data[i]!);
  gradient.forEach((got, i) => {
    const at = (shift: number): number => {
      rows!.data.set(start);
      rows!.data[i] = start[i]! + shift;
      return model.step(batch, false).loss;
    };
    const expected = (at(2 ** -9) - at(-(2 ** -9))) / 2 ** -8;
    assert.ok(Math.abs(got - expected) < 2e-2 * (1 + Math.abs(expected)), `${i}: ${got}, not ${expected}`);
  });
  // Adagrad squares the sum of the gradients once.
  rows!.data.set(start);
  model.step(batch, true);
  const state = model.optimizer.state(rows!)!.data;
  gradient.forEach((g, i) => {
    assert.ok(Math.abs(state[i]! - (0.1 + g * g)) < 1e-5 * (1 + g * g), `accumulator ${i}`);
  });
});

test('bags and shared tables have the same bits on 1, 2 and 3 threads', () => {
  const generator = new Generator(5);
  const rows = 700;
  const offsets = new Int32Array(rows + 1);
  for (let i = 0; i < rows; i++) offsets[i + 1] = offsets[i]! + generator.below(9);
  const ids = Int32Array.from({ length: offsets[rows]! }, () => generator.below(5));
  const bags: FeatureColumn = {
    kind: 'bags',
    offsets,
    ids,
    weights: Float32Array.from(ids, () => generator.uniform()),
  };
  const candidates = new EncodedFeatures(rows, [
    { kind: 'ids', ids: Int32Array.from({ length: rows }, () => generator.below(5)) },
  ]);
  const results = [1, 2, 3].map((threads) => {
    const model = historyModel(new Runtime({ threads }));
    const batch = {
      rows,
      queries: new EncodedFeatures(rows, [bags]),
      candidates,
      sampleWeight: undefined,
      candidateSamplingProbability: undefined,
      identifiers: undefined,
    };
    for (let i = 0; i < 3; i++) model.step(batch, true);
    return parametersOf(model)[0]!.data.slice();
  });
  assert.deepEqual(results[1], results[0]);
  assert.deepEqual(results[2], results[0]);
});
