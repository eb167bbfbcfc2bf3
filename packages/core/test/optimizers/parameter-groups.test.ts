/** Parameter groups: which optimizer steps which parameters, frozen ones, schedules, and resuming with the same bits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointFromBytes, checkpointToBytes } from '../../src/bundle/checkpoint.ts';
import { Adagrad } from '../../src/optimizers/adagrad.ts';
import type { OptimizerOption } from '../../src/optimizers/parameter-groups.ts';
import { FitAbortedError, restoreCheckpoint, takeCheckpoint } from '../../src/retrieval/checkpoint.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { Tower } from '../../src/towers/tower.ts';

const vocabulary = ['a', 'b', 'c', 'd'];
const dataset = {
  queries: ['a', 'b', 'c', 'd', 'a', 'b'].map((user, i) => ({ user, city: vocabulary[(i + 1) % 4]! })),
  candidates: ['a', 'b', 'c', 'd', 'c', 'd'],
};

function model(optimizer?: OptimizerOption): TwoTowerModel<Readonly<Record<'user' | 'city', string>>, string> {
  const word = { vocabulary, dimensions: 4 };
  return new TwoTowerModel({
    queryTower: Tower.create({ features: { user: word, city: word }, dense: [4], seed: 1 }),
    candidateTower: Tower.create({ ...word, seed: 2 }),
    ...(optimizer && { optimizer }),
  });
}

/** user's table, city's table, the layer, the candidate's table. */
function weights(of: ReturnType<typeof model>): number[][] {
  return [...of.queryTower.parameters(), ...of.candidateTower.parameters()].map(({ data }) => [...data]);
}

const OPTIONS = { epochs: 3, batchSize: 2, seed: 5 };

test('groups of one optimizer train as that optimizer; frozen parameters stay, the others move', async () => {
  const plain = model();
  await plain.fit(dataset, OPTIONS);
  const grouped = model({ tables: new Adagrad(), layers: { method: 'adagrad' } });
  await grouped.fit(dataset, OPTIONS);
  assert.deepEqual(weights(grouped), weights(plain));
  const start = weights(model());
  const frozen = model({ tables: { method: 'row-wise-adagrad' }, features: { city: 'frozen' } });
  await frozen.fit(dataset, OPTIONS);
  const same = weights(frozen).map((values, i) => values.every((value, j) => value === start[i]![j]));
  assert.deepEqual(same, [false, true, false, false]);
  const layersOnly = model({ tables: 'frozen' });
  await layersOnly.fit(dataset, OPTIONS);
  const moved = weights(layersOnly).map((values, i) => values.some((value, j) => value !== start[i]![j]));
  assert.deepEqual(moved, [false, false, true, false]);
  assert.equal(layersOnly.optimizer.stateBytes(), 4 * 9 * 4, 'a frozen table has no state');
});

test('a frozen CQR table is not clustered', async () => {
  const embedding = { method: 'cqr', parameters: 16, columns: 2 } as const;
  const make = (optimizer: OptimizerOption): TwoTowerModel =>
    new TwoTowerModel({
      queryTower: Tower.create({ vocabulary, dimensions: 4, embedding, seed: 1 }),
      candidateTower: Tower.create({ vocabulary, dimensions: 4, embedding, seed: 2 }),
      optimizer,
    });
  const clustered: string[] = [];
  const two = make({ features: { queryTower: 'frozen' } });
  const before = two.queryTower.embed(vocabulary).data.slice();
  await two.fit(
    { queries: vocabulary, candidates: vocabulary },
    { epochs: 4, clusterings: { times: 1 }, onCluster: ({ table }) => clustered.push(table) },
  );
  assert.deepEqual(clustered, ['candidateTower']);
  assert.deepEqual(two.queryTower.embed(vocabulary).data, before);
});

test('the most specific name wins, and names that are not there are refused with the nearest', () => {
  const two = model({
    features: { user: { method: 'sgd' }, 'queryTower.user': { method: 'adam' }, candidateTower: 'frozen' },
  });
  const [user, city] = two.queryTower.parameters();
  assert.equal(two.optimizer.state(user!)?.dimensions, 10, 'Adam has 2d + 2 numbers for each row');
  assert.equal(two.optimizer.state(city!)?.dimensions, 4, 'Adagrad has d');
  assert.equal(two.optimizer.state(two.candidateTower.parameters()[0]!), undefined);
  assert.throws(() => model({ features: { usr: 'frozen' } }), /expected a feature, nearest is user, got "usr"/);
  assert.throws(() => model({ tabels: 'frozen' } as OptimizerOption), /nearest is tables/);
  assert.throws(
    () => model({ tables: 'froze' } as unknown as OptimizerOption),
    /tables: expected an optimizer, .* or 'frozen'/,
  );
});

test('a run of groups with schedules, clipping and decay that was interrupted at any step ends with the same bits', async () => {
  const warm = { schedule: 'cosine-decay', initialLearningRate: 0.1, decaySteps: 6, warmupSteps: 2 } as const;
  const optimizer = (): OptimizerOption => ({
    tables: { method: 'lazy-adam', learningRate: warm, globalClipNorm: 0.5 },
    layers: { method: 'sgd', learningRate: warm, momentum: 0.9, clipNorm: 0.2, weightDecay: 0.01 },
    features: { city: { method: 'row-wise-adagrad', clipValue: 0.01 } },
  });
  const whole = model(optimizer());
  await whole.fit(dataset, OPTIONS);
  for (const stop of [1, 4, 8]) {
    const controller = new AbortController();
    let steps = 0;
    const onProgress = (): void => {
      if (++steps === stop) controller.abort();
    };
    const error = await model(optimizer())
      .fit(dataset, { ...OPTIONS, onProgress, signal: controller.signal })
      .catch((thrown: unknown) => thrown);
    assert.ok(error instanceof FitAbortedError);
    const resumed = model(optimizer());
    await resumed.fit(dataset, { ...OPTIONS, resume: await checkpointFromBytes(checkpointToBytes(error.checkpoint)) });
    assert.deepEqual(weights(resumed), weights(whole), `after ${stop} steps`);
  }
});

test("a checkpoint of the former lazy 'adam' goes on with LazyAdam; one of other groups is refused", async () => {
  const at = { epoch: 0, step: 0, losses: [], epochs: [], best: undefined };
  const lazy = model({ method: 'lazy-adam', learningRate: 0.25 });
  await lazy.fit(dataset, OPTIONS);
  const saved = takeCheckpoint(lazy, at);
  const before = { ...saved, optimizer: { name: 'adam', learningRate: 0.25 } };
  const resumed = model({ method: 'lazy-adam' });
  restoreCheckpoint(resumed, before, 1);
  assert.deepEqual(weights(resumed), weights(lazy));
  assert.equal(resumed.optimizer.learningRate, 0.25);
  await resumed.fit(dataset, OPTIONS);
  restoreCheckpoint(model({ method: 'adam' }), before, 1);
  assert.throws(
    () => restoreCheckpoint(model({ tables: { method: 'sgd' } }), saved, 1),
    /resume: expected a checkpoint/,
  );
});
