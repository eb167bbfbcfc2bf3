/** Raw features as they come: missing, empty, too long, new or of zeros; and a loss that becomes NaN. Each is learned from and embedded, or refused by name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointFromBytes, checkpointToBytes } from '../../src/bundle/checkpoint.ts';
import { DivergedError } from '../../src/errors/errors.ts';
import { learnFeatures } from '../../src/features/learn-features.ts';
import type { FeatureSpecs } from '../../src/features/spec.ts';
import { Adam } from '../../src/optimizers/adam.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { FitAbortedError } from '../../src/retrieval/checkpoint.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { createTowers } from '../../src/towers/create-towers.ts';

const runtime = new Runtime({ threads: 1 });
type Row = Readonly<Record<string, unknown>>;

const ITEMS = ['a', 'b', 'c', 'd', 'e', 'f'];
const SPEC: FeatureSpecs = {
  history: { type: 'sequence', table: 'items', dimensions: 4, maxLength: 2 },
  age: { type: 'number', missing: 'own' },
  mood: { type: 'vector', length: 2, normalize: true, missing: 'own', dimensions: 2 },
  item: { type: 'string', table: 'items' },
};

async function modelOf(learningRate = 0.01): Promise<TwoTowerModel<Row, Row>> {
  const features = await learnFeatures(SPEC, [{ history: [ITEMS], age: [30], mood: [[1, 0]] }, { item: ITEMS }]);
  const towers = createTowers<Row, Row>({
    queryTower: { features: features.pick(['history', 'age', 'mood']), dense: [4] },
    candidateTower: { features: features.pick(['item']), dense: [4] },
    seed: 3,
    runtime,
  });
  return new TwoTowerModel<Row, Row>({ ...towers, optimizer: new Adam({ learningRate }) });
}

/** Rows that lack values, with lists that are empty or too long, and vectors of zeros. */
const QUERIES: readonly Row[] = [
  { history: ['a', 'b', 'c'] },
  { history: [], age: 31 },
  { history: ['d'], mood: [0, 0] },
  { history: ['e', 'f', 'a', 'b'], age: null, mood: [3, 4] },
];
const PAIRS = { queries: QUERIES, candidates: ['a', 'b', 'c', 'd'].map((item) => ({ item })) };

test('values that are missing, empty, too long or zero are trained on, and give finite vectors', async () => {
  const model = await modelOf();
  const { epochs } = await model.fit(PAIRS, { epochs: 3, batchSize: 2 });
  assert.ok(epochs.every(({ perExample }) => Number.isFinite(perExample)));
  const vector = (row: Row): number[] => [...model.queryTower.embed([row]).row(0)];
  for (const row of QUERIES) assert.ok(vector(row).every(Number.isFinite), JSON.stringify(row));
  assert.deepEqual(vector({ history: ['a', 'b', 'c'] }), vector({ history: ['b', 'c'] }), 'the last two are kept');
  assert.deepEqual(vector({ history: [], mood: [0, 0] }), vector({ history: [] }), 'zeros have no direction');
});

test('a feature that is missing in all rows is learned from where the spec allows it, and refused where not', async () => {
  const all = { history: [['a'], ['b']], age: [null, undefined], mood: [undefined, undefined], item: ['a', 'b'] };
  const features = await learnFeatures(SPEC, [all]);
  const [ages] = features.pick(['age']).encodeColumns({ age: [null, 7] });
  assert.ok(ages?.kind === 'floats' && ages.values.every(Number.isFinite));
  await assert.rejects(
    learnFeatures({ ...SPEC, age: { type: 'number' } }, [all]),
    /^FeatureError: features: .*age in row 0: expected a number, got null; age in row 1: expected a number, got none/,
  );
});

test('a new category while serving has the vector of unknown words, and changes nothing', async () => {
  const { candidateTower } = await modelOf();
  const vector = (item: unknown): number[] => [...candidateTower.embed([{ item }]).row(0)];
  const known = vector('a');
  const first = vector('new');
  assert.deepEqual(vector('another'), first);
  assert.notDeepEqual(first, known);
  assert.deepEqual(vector('a'), known);
  assert.throws(() => vector(7), /item in row 0: expected a string, got 7/);
});

test('a loss that becomes NaN stops the run; the last checkpoint is whole, and a run goes on from it', async () => {
  const model = await modelOf();
  const stop = new AbortController();
  const kept = await model
    .fit(PAIRS, {
      epochs: 4,
      batchSize: 2,
      signal: stop.signal,
      onEpochEnd: ({ epoch }) => void (epoch === 2 && stop.abort()),
    })
    .then(
      () => assert.fail('expected to be stopped'),
      (error: unknown) => (error instanceof FitAbortedError ? error.checkpoint : assert.fail(String(error))),
    );
  const bytes = checkpointToBytes(kept, runtime);
  const poisoned = model.queryTower.inputs.find(({ name }) => name === 'mood')!;
  poisoned.projection!.weights.data.fill(Number.NaN);
  await assert.rejects(model.fit(PAIRS, { epochs: 2, batchSize: 2 }), (error) => {
    assert.ok(error instanceof DivergedError);
    assert.match(error.message, /at epoch 1, step 1; not finite: feature mood of the query tower/);
    return true;
  });
  assert.deepEqual(checkpointToBytes(kept, runtime), bytes, 'the checkpoint does not share memory with the model');
  const resumed = await modelOf();
  const checkpoint = await checkpointFromBytes(bytes, runtime);
  const { epochs } = await resumed.fit(PAIRS, { epochs: 4, batchSize: 2, resume: checkpoint });
  assert.ok(epochs.length > 0 && epochs.every(({ perExample }) => Number.isFinite(perExample)));
});
