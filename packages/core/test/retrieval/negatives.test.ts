/** Negatives beside those of a batch: the mixture's probabilities, the memory, and runs that learn, stop and go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointFromBytes, checkpointToBytes } from '../../src/bundle/checkpoint.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { FitAbortedError } from '../../src/retrieval/checkpoint.ts';
import { encodeDataset, takeBatch } from '../../src/retrieval/dataset.ts';
import { DatasetNegatives } from '../../src/retrieval/dataset-negatives.ts';
import type { FitOptions } from '../../src/retrieval/fit-options.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { samplingProbabilities } from '../../src/retrieval/sampling-probability.ts';
import { step } from '../../src/retrieval/step.ts';
import { Retrieval, type RetrievalOptions } from '../../src/retrieval/task.ts';
import { Tower } from '../../src/towers/tower.ts';
import { movies, parityModel, tastes, users, weightsOf } from './parity-tastes.ts';

test('uniform negatives: drawn from the catalogue, with the probabilities of the mixture', () => {
  const { queryTower, candidateTower } = parityModel();
  const dataset = {
    queries: ['user 0', 'user 1', 'user 2', 'user 3'],
    candidates: ['movie 0', 'movie 0', 'movie 0', 'movie 1'],
  };
  const encoded = encodeDataset(dataset, queryTower, candidateTower);
  encoded.candidateSamplingProbability = samplingProbabilities(encoded.candidates);
  const catalogue = candidateTower.encode(['movie 0', 'movie 2', 'movie 2', 'movie 1', 'movie 3', 'movie 4']);
  const negatives = new DatasetNegatives({ uniform: 400 }, { encoded, catalogue, inBatchNegatives: true, seed: 1 });
  const batch = takeBatch(encoded, 0, 4);
  negatives.addTo(batch, Int32Array.of(0, 1, 2, 3), 7);
  assert.equal(batch.negatives!.rows, 400);
  const counts = new Map<number, number>();
  for (const key of batch.columnKeys!.subarray(4)) counts.set(key, (counts.get(key) ?? 0) + 1);
  assert.equal(counts.size, 5, 'equal candidates of the catalogue are one');
  for (const count of counts.values()) assert.ok(count > 40 && count < 130, `${count} of 400, expected about 80`);
  // 4 rows and 400 uniform columns of 5 candidates: (4 · share + 80) / 404.
  const shares = [0.75, 0.75, 0.75, 0.25];
  const probabilities = Array.from(batch.candidateSamplingProbability!);
  shares.forEach((share, i) => assert.equal(probabilities[i], (4 * share + 80) / 404));
  assert.deepEqual(new Set(probabilities.slice(4)), new Set([0.75, 0.25, 0].map((share) => (4 * share + 80) / 404)));
  const again = takeBatch(encoded, 0, 4);
  negatives.addTo(again, Int32Array.of(0, 1, 2, 3), 7);
  assert.deepEqual(again.columnKeys, batch.columnKeys, 'a step draws the same again');
  negatives.addTo(again, Int32Array.of(0, 1, 2, 3), 8);
  assert.notDeepEqual(again.columnKeys, batch.columnKeys, 'another step draws others');
});

test('the memory: the loss of a step is that of its batch with the candidates of the steps before', () => {
  const model = parityModel(undefined, { optimizer: { tables: 'frozen' } });
  const encoded = encodeDataset(tastes(12), model.queryTower, model.candidateTower);
  const negatives = new DatasetNegatives(
    { memory: 6 },
    { encoded, catalogue: undefined, inBatchNegatives: true, seed: 1 },
  );
  const rows = (at: number): Int32Array => Int32Array.from({ length: 4 }, (_, i) => 4 * at + i);
  const losses = [0, 1, 2].map((at) => {
    const batch = takeBatch(encoded, 4 * at, 4 * at + 4);
    negatives.addTo(batch, rows(at), at);
    return step(model, batch, true, at, negatives.memory).loss;
  });
  const { queries, candidates } = tastes(12);
  const vectors = (tower: Tower, words: readonly string[]): number[][] =>
    words.map((word) => [...tower.embed([word]).row(0)]);
  const expected = [0, 1, 2].map((at) => {
    const batch = [4 * at, 4 * at + 4] as const;
    const before = candidates.slice(Math.max(0, 4 * at - 6), 4 * at);
    const columns = [...candidates.slice(...batch), ...before];
    return new Retrieval().call(
      vectors(model.queryTower, queries.slice(...batch)),
      vectors(model.candidateTower, columns),
    ).loss;
  });
  losses.forEach((loss, i) =>
    assert.ok(Math.abs(loss - expected[i]!) < 1e-5, `step ${i}: ${loss}, not ${expected[i]}`),
  );
});

const RUNS: readonly {
  name: string;
  task: RetrievalOptions;
  options: FitOptions<string, string>;
  normalize?: boolean;
}[] = [
  { name: 'mixed negatives', task: {}, options: { negatives: { uniform: 16 } } },
  {
    name: 'mixed, counted while training',
    task: {},
    options: { samplingCorrection: 'streaming', negatives: { uniform: 16 } },
  },
  {
    name: 'sampled softmax',
    task: { inBatchNegatives: false },
    options: { negatives: { uniform: 16, catalogue: movies } },
  },
  {
    name: 'cross-batch memory',
    task: { removeAccidentalHits: true },
    options: { negatives: { memory: 100, memoryWarmupSteps: 3 } },
  },
  { name: 'BPR', task: { loss: 'bpr', inBatchNegatives: false }, options: { negatives: { uniform: 16, memory: 10 } } },
  {
    name: 'cosine contrastive',
    task: { loss: 'cosine-contrastive', margin: 0.2, negativeWeight: 2 },
    options: { negatives: { uniform: 16 } },
    normalize: true,
  },
];

for (const { name, task, options, normalize = false } of RUNS) {
  const model = (threads = 1): TwoTowerModel => {
    const runtime = new Runtime({ threads });
    return new TwoTowerModel({
      queryTower: Tower.create({ vocabulary: users, dimensions: 6, seed: 1, normalize, runtime }),
      candidateTower: Tower.create({ vocabulary: movies, dimensions: 6, seed: 2, normalize, runtime }),
      task: new Retrieval(task),
    });
  };
  const run = { batchSize: 64, epochs: 12, ...options };

  test(`${name}: a taste is learned, with the same bits on two threads`, async () => {
    const [one, two] = [model(), model(2)];
    await one.fit(tastes(300), run);
    await two.fit(tastes(300), run);
    assert.deepEqual(weightsOf(two), weightsOf(one));
    const wins = users.filter((user, u) => {
      const query = one.queryTower.embed([user]).row(0).slice();
      const score = (parity: number): number =>
        movies.reduce((sum, movie, i) => {
          const vector = one.candidateTower.embed([movie]).row(0);
          return i % 2 === parity ? sum + vector.reduce((s, v, t) => s + v * query[t]!, 0) : sum;
        }, 0);
      return score(u % 2) > score(1 - (u % 2));
    });
    assert.ok(wins.length >= 27, `${wins.length} of 30 users prefer their own parity`);
  });

  test(`${name}: a run that was interrupted and saved ends with the same bits`, async () => {
    const whole = model();
    await whole.fit(tastes(300), { ...run, epochs: 2 });
    for (const stop of [2, 7]) {
      const controller = new AbortController();
      let steps = 0;
      const onProgress = (): void => {
        if (++steps === stop) controller.abort();
      };
      const stopped = model().fit(tastes(300), { ...run, epochs: 2, onProgress, signal: controller.signal });
      const error = await stopped.catch((thrown: unknown) => thrown);
      assert.ok(error instanceof FitAbortedError);
      const resumed = model();
      const resume = await checkpointFromBytes(checkpointToBytes(error.checkpoint));
      await resumed.fit(tastes(300), { ...run, epochs: 2, resume });
      assert.deepEqual(weightsOf(resumed), weightsOf(whole));
    }
  });
}

test('impossible negatives are named', async () => {
  const model = parityModel();
  const refused = (negatives: object, message: RegExp): Promise<void> =>
    assert.rejects(model.fit(tastes(10), { negatives }), message);
  await refused({}, /negatives: expected uniform or memory above 0/);
  await refused({ unifrom: 3 }, /nearest is uniform/);
  await refused({ uniform: 1.5 }, /uniform: expected an integer/);
  const withIds = { ...tastes(10), candidateIds: tastes(10).candidates };
  await assert.rejects(model.fit(withIds, { negatives: { uniform: 2, catalogue: movies } }), /without candidateIds/);
  await model.fit(withIds, { negatives: { uniform: 2 } });
});
