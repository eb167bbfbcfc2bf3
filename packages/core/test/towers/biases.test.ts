/** Biases of two-tower models: gradients, scores of training, evaluation, indexes and bundles, resumed runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { checkpointFromBytes, checkpointToBytes } from '../../src/bundle/checkpoint.ts';
import { learnFeatures } from '../../src/features/learn-features.ts';
import { FactorizedTopK } from '../../src/metrics/factorized-top-k.ts';
import { Sgd } from '../../src/optimizers/sgd.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import type { Checkpoint } from '../../src/retrieval/checkpoint.ts';
import type { RetrievalDataset } from '../../src/retrieval/dataset.ts';
import type { FitOptions } from '../../src/retrieval/fit-options.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { Retrieval, type RetrievalOptions } from '../../src/retrieval/task.ts';
import { historyVectors } from '../../src/seen/history-vectors.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import type { BiasOwners } from '../../src/towers/bias-columns.ts';
import { createTowers } from '../../src/towers/create-towers.ts';
import { Tower } from '../../src/towers/tower.ts';
import { exportWeights, importWeights } from '../../src/towers/weights.ts';
import { movies, tastes, users, weightsOf } from '../retrieval/parity-tastes.ts';

/** Each loss with the biases that it can learn, and negatives beside those of the batch. */
const LOSSES: readonly (RetrievalOptions & { of: BiasOwners; uniform?: number })[] = [
  { of: 'candidates', temperature: 0.5 },
  { of: 'candidates', inBatchNegatives: false, uniform: 6 },
  { of: 'candidates', loss: 'bpr' },
  { of: 'candidates', removeAccidentalHits: true },
  { of: 'candidates', loss: 'cosine-contrastive', margin: 0.1, negativeWeight: 3 },
  { of: 'both', loss: 'cosine-contrastive', margin: 0.1, negativeWeight: 3 },
];

function biasedModel(
  { of, uniform: _, ...task }: (typeof LOSSES)[number],
  runtime = new Runtime({ threads: 1 }),
  optimizer = {},
): TwoTowerModel {
  const common = { dimensions: 6, normalize: true, runtime };
  return new TwoTowerModel({
    queryTower: Tower.create({ ...common, vocabulary: users, seed: 1, biases: { side: 'query', of } }),
    candidateTower: Tower.create({ ...common, vocabulary: movies, seed: 2, biases: { side: 'candidate', of } }),
    task: new Retrieval(task),
    ...optimizer,
  });
}

const nameOf = ({ of, ...task }: (typeof LOSSES)[number]): string => `${JSON.stringify(task)}, biases of ${of}`;

/** ⟨u, v⟩ in double precision. */
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, t) => sum + value * b[t]!, 0);

for (const loss of LOSSES.filter(({ uniform }) => !uniform)) {
  test(`the steps of all parameters are the loss's differences: ${nameOf(loss)}`, () => {
    const optimizer = { optimizer: new Sgd({ learningRate: 1 }) };
    const model = biasedModel(loss, undefined, optimizer);
    const generator = new Generator(4);
    const parameters = [...model.queryTower.parameters(), ...model.candidateTower.parameters()];
    for (const { data } of parameters) data.forEach((_, i) => (data[i] = 0.5 * generator.normal()));
    const batch = { rows: 5, sampleWeight: undefined, candidateSamplingProbability: undefined, identifiers: undefined };
    const encoded = {
      ...batch,
      queries: model.queryTower.encode(['user 0', 'user 3', 'user 0', 'user 4', 'user 5']),
      candidates: model.candidateTower.encode(['movie 0', 'movie 1', 'movie 2', 'movie 2', 'movie 4']),
    };
    const start = parameters.map(({ data }) => data.slice());
    model.step(encoded, true);
    const steps = parameters.map(({ data }, p) => start[p]!.map((before, i) => before - data[i]!));
    const put = (): void => parameters.forEach(({ data }, p) => data.set(start[p]!));
    const width = 2 ** -8;
    let felt = 0;
    parameters.forEach((matrix, p) => {
      for (let i = 0; i < matrix.data.length; i++) {
        const at = (by: number): number => {
          put();
          matrix.data[i] = start[p]![i]! + by;
          return model.step(encoded, false).loss;
        };
        const expected = (at(width) - at(-width)) / (2 * width);
        const got = steps[p]![i]!;
        assert.ok(Math.abs(got - expected) < 0.02 * (1 + Math.abs(expected)), `${p}[${i}]: ${got}, not ${expected}`);
        if (matrix.dimensions === 1 && Math.abs(expected) > 1e-3) felt++;
      }
    });
    assert.ok(felt >= (loss.of === 'both' ? 6 : 3), `${felt} biases have a gradient`);
  });
}

for (const loss of LOSSES) {
  test(`training, evaluation, indexes and a bundle give one score: ${nameOf(loss)}`, async () => {
    const model = biasedModel(loss);
    const negatives = loss.uniform ? { negatives: { uniform: loss.uniform } } : {};
    const data = popular(400);
    await model.fit(data, { epochs: 4, batchSize: 50, ...negatives });
    const { queryTower, candidateTower } = model;
    const [biases] = candidateTower.biases!.parameters();
    assert.ok(
      biases!.data.some((value) => Math.abs(value) > 0.01),
      'biases are learned',
    );
    const [q, c] = [queryTower.embed(['user 4']).row(0).slice(), candidateTower.embed(movies)];
    const d = queryTower.vectorDimensions;
    const expected = movies.map((_, i) => {
      const row = c.row(i);
      const [c0] = [biases!.data[candidateTower.inputs[0]!.lookup.idOf(movies[i]!)]!];
      const own =
        loss.of === 'both' ? queryTower.biases!.parameters()[0]!.data[queryTower.inputs[0]!.lookup.idOf('user 4')]! : 0;
      return dot(q.subarray(0, d), row.subarray(0, d)) + c0 + own;
    });
    const best = movies.map((movie, i) => ({ movie, score: expected[i]! })).sort((a, b) => b.score - a.score);
    const brute = new BruteForce<string, string>({ queryModel: queryTower }).index(c, movies);
    const scann = new ScaNN<string, string>({ queryModel: queryTower, numLeaves: 2, numLeavesToSearch: 2 });
    scann.index(candidateTower.embed(movies), movies);
    const loaded = await bundleFromBytes<string, string>(bundleToBytes({ index: brute, queryTower, candidateTower }));
    for (const index of [brute, scann, loaded.index]) {
      const result = index.call('user 4', 5);
      const [identifiers, scores] = [result.identifiers(), result.scores];
      best.slice(0, 5).forEach(({ movie, score }, i) => {
        assert.ok(Math.abs(scores[i]! - score) < 1e-5, `${scores[i]}, not ${score}`);
        assert.equal(identifiers[i], movie);
      });
    }
    assert.deepEqual(
      weightsOf(model),
      weightsOf({
        ...model,
        queryTower: loaded.queryTower!,
        candidateTower: loaded.candidateTower!,
      } as unknown as TwoTowerModel),
    );
    const metrics = new FactorizedTopK({ candidates: brute, ks: [1] });
    const evaluation = await model.evaluate(data, { metrics });
    const hits = data.queries.filter((user, i) => brute.call(user, 1).identifiers()[0] === data.candidates[i]).length;
    assert.equal(evaluation.metrics['factorized_top_k/top_1_categorical_accuracy'], hits / 400);
  });
}

/** Tastes in which the first movies are chosen more often. */
function popular(rows: number): RetrievalDataset<string, string> {
  const { queries, candidates } = tastes(rows);
  return {
    queries,
    candidates: candidates.map((movie, i) => (i % 2 ? movie : `movie ${Number(queries[i]!.slice(5)) % 2}`)),
  };
}

test('runs with biases have the same bits for any number of threads and after a resumption', async () => {
  const data = popular(200);
  const options: FitOptions<string, string> = { epochs: 2, batchSize: 32, negatives: { uniform: 4, memory: 20 } };
  const whole = biasedModel(LOSSES[0]!);
  const checkpoints: Checkpoint[] = [];
  await whole.fit(data, { ...options, onStepEnd: (_, offer) => void checkpoints.push(offer.takeCheckpoint()) });
  const threads = biasedModel(LOSSES[0]!, new Runtime({ threads: 3 }));
  await threads.fit(data, options);
  assert.deepEqual(weightsOf(threads), weightsOf(whole));
  for (const step of [0, 5, 9]) {
    const resumed = biasedModel(LOSSES[0]!);
    await resumed.fit(data, { ...options, resume: await checkpointFromBytes(checkpointToBytes(checkpoints[step]!)) });
    assert.deepEqual(weightsOf(resumed), weightsOf(whole), `after step ${step}`);
  }
});

test('biases of features: those of all words of a row, saved with both towers', async () => {
  const runtime = new Runtime({ threads: 1 });
  const rows = Array.from({ length: 60 }, (_, i) => ({
    user: `u${i % 7}`,
    item: `i${i % 5}`,
    tags: [`t${i % 3}`, 't9'],
    age: i % 11,
  }));
  const columns = {
    user: rows.map(({ user }) => user),
    item: rows.map(({ item }) => item),
    tags: rows.map(({ tags }) => tags),
    age: rows.map(({ age }) => age),
  };
  const features = await learnFeatures(
    {
      user: { type: 'string', dimensions: 4 },
      item: { type: 'string', dimensions: 4 },
      tags: { type: 'bag', combiner: 'sum', dimensions: 4 },
      age: { type: 'number', transform: 'normalize' },
    },
    [columns],
  );
  const towers = createTowers({
    queryTower: { features: features.pick(['user']), dense: [4] },
    candidateTower: { features: features.pick(['item', 'tags', 'age']), dense: [4] },
    biases: 'candidates',
    runtime,
  });
  const { queryTower, candidateTower } = towers;
  assert.deepEqual([queryTower.dimensions, queryTower.vectorDimensions, candidateTower.dimensions], [5, 4, 5]);
  const model = new TwoTowerModel({
    ...towers,
    optimizer: { tables: { method: 'adagrad' }, features: { item: 'frozen' } },
  });
  await model.fit({ queries: rows, candidates: rows }, { epochs: 2, batchSize: 16 });
  const named = new Map(exportWeights(candidateTower).map((tensor) => [tensor.name, tensor]));
  assert.deepEqual(named.get('tags.biases')!.shape, [candidateTower.inputs[1]!.table!.vocabularySize, 1]);
  assert.ok(named.get('tags.biases')!.data.some((value) => value !== 0));
  assert.ok(
    named.get('item.biases')!.data.every((value) => value === 0),
    'frozen with its feature',
  );
  const row = { item: 'i1', tags: ['t0', 't9', 't9'], age: 3 };
  const { vocabulary } = features.get('tags');
  const expected = row.tags.reduce((sum, tag) => sum + named.get('tags.biases')!.data[vocabulary!.idOf(tag)]!, 0);
  assert.ok(Math.abs(candidateTower.embed([row]).row(0)[4]! - expected) < 1e-6);
  assert.equal(queryTower.embed([{ user: 'u1' }]).row(0)[4], 1);
  const index = new BruteForce<never, string>({ runtime }).index(
    candidateTower.embed(rows.slice(0, 5)),
    movies.slice(0, 5),
  );
  const bytes = bundleToBytes({ index, queryTower, candidateTower });
  const loaded = await bundleFromBytes<never, string>(bytes, { runtime });
  assert.deepEqual(loaded.candidateTower!.embed([row]).data, candidateTower.embed([row]).data);
  const biases = named.get('tags.biases')!;
  importWeights(candidateTower, [{ ...biases, data: biases.data.map((value) => value + 1) }]);
  assert.ok(Math.abs(candidateTower.embed([row]).row(0)[4]! - expected - 3) < 1e-5, 'one more for each of three tags');
});

test('the query of a history has no bias of its own, and feels those of candidates', () => {
  const { queryTower, candidateTower } = biasedModel({ of: 'candidates' });
  candidateTower.biases!.parameters()[0]!.data.forEach((_, i, data) => (data[i] = i));
  const index = new BruteForce<string, string>({ queryModel: queryTower }).index(candidateTower.embed(movies), movies);
  const { vectors } = historyVectors(index, [['movie 3']]);
  const item = candidateTower.embed(['movie 3']).row(0);
  assert.equal(vectors.row(0)[6], 1);
  for (let t = 0; t < 6; t++) assert.ok(Math.abs(vectors.row(0)[t]! - item[t]!) < 1e-6 * 40, `column ${t}`);
});

test('biases that do not meet are refused, and an index that would scale them away', () => {
  const word = (biases?: { side: 'query' | 'candidate'; of?: BiasOwners }): Tower =>
    Tower.create({ vocabulary: ['a', 'b'], dimensions: 4, ...(biases && { biases }) });
  const [query, candidate] = [word({ side: 'query' }), word({ side: 'candidate' })];
  const wide = Tower.create({ vocabulary: ['a'], dimensions: 5 });
  for (const [queryTower, candidateTower] of [
    [query, wide],
    [query, query],
    [candidate, query],
  ] as const) {
    assert.throws(() => new TwoTowerModel({ queryTower, candidateTower }), {
      code: 'ERR_OPTION',
      message: /towers: expected biases of the same rows, each on the side of its tower, got .* in queryTower and /,
    });
  }
  const both = {
    queryTower: word({ side: 'query', of: 'both' }),
    candidateTower: word({ side: 'candidate', of: 'both' }),
  };
  assert.throws(() => new TwoTowerModel(both), /biases.of: expected 'candidates', because the loss 'softmax' does not/);
  assert.throws(() => word({ side: 'user' as 'query' }), /biases.side: expected query or candidate|biases.side/);
  const index = new ScaNN<string, string>({ queryModel: query, distanceMeasure: 'cosine' });
  index.index(candidate.embed(['a', 'b']), ['a', 'b']);
  assert.throws(() => bundleToBytes({ index, queryTower: query }), /expected the distance measure dot_product/);
});
