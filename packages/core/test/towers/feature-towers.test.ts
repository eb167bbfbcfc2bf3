/**
 * Towers of learned features, from raw rows to bundles: a planted rule is learned from histories, both towers share a table,
 * a bundle and a checkpoint hold it once, and damaged or contradictory parts are refused.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { checkpointFromBytes, checkpointToBytes } from '../../src/bundle/checkpoint.ts';
import { dictionaryColumn, interactionsOf } from '../../src/data/interactions.ts';
import type { FeatureSet } from '../../src/features/feature-set.ts';
import { learnFeatures } from '../../src/features/learn-features.ts';
import { LazyAdam } from '../../src/optimizers/adam.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { FitAbortedError } from '../../src/retrieval/checkpoint.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { nextItemExamples } from '../../src/retrieval/next-item-examples.ts';
import { parametersOf } from '../../src/retrieval/parameters.ts';
import { Retrieval } from '../../src/retrieval/task.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { createTowers } from '../../src/towers/create-towers.ts';
import { Tower } from '../../src/towers/tower.ts';

type QueryRow = { history: readonly string[]; age?: number; mood?: readonly number[] };

const ITEMS = Array.from({ length: 40 }, (_, i) => `item ${i}`);
const runtime = new Runtime({ threads: 2 });

/** Users who go round the items: after item i comes item i + 1. */
const interactions = interactionsOf({
  users: dictionaryColumn(Array.from({ length: 600 }, (_, row) => `user ${Math.floor(row / 10)}`)),
  items: dictionaryColumn(
    Array.from({ length: 600 }, (_, row) => ITEMS[(7 * Math.floor(row / 10) + (row % 10)) % 40]!),
  ),
});
const examples = nextItemExamples(interactions, { maxLength: 5 });
const specs = {
  history: { type: 'sequence', table: 'items', recencyDecay: 0.3, dimensions: 16 },
  item: { type: 'string', table: 'items' },
  age: { type: 'number' },
  mood: { type: 'vector', length: 3, dimensions: 4 },
} as const;
let features: FeatureSet;

before(async () => {
  const columns = {
    history: examples.queries.map(({ history }) => history),
    item: examples.candidates,
    age: examples.queries.map((_, i) => 20 + (i % 50)),
    mood: examples.queries.map((_, i) => [1, 0, i % 3]),
  };
  features = await learnFeatures(specs, [columns]);
});

function newModel(seed = 1): TwoTowerModel<QueryRow, string> {
  const towers = createTowers<QueryRow, string>({
    // The layer tells the next item from the one before: without it, both are as close to the last item in one table.
    queryTower: { features: features.pick(['history']), dense: [16], normalize: true },
    candidateTower: { features: features.pick(['item']), normalize: true },
    seed,
    runtime,
  });
  return new TwoTowerModel({
    ...towers,
    task: new Retrieval({ temperature: 0.1 }),
    optimizer: new LazyAdam({ learningRate: 0.02 }),
  });
}

/** The share of items after which the next one is found first. */
function nextFound(model: TwoTowerModel<QueryRow, string>): number {
  const index = new BruteForce<QueryRow, string>({ queryModel: model.queryTower, k: 2, runtime });
  index.index(model.candidateTower.embed(ITEMS), ITEMS);
  const hits = ITEMS.filter((item, i) => {
    const found = index.call([{ history: [item] }], { exclude: [[item]] });
    return found.identifiers()[0] === ITEMS[(i + 1) % 40];
  });
  return hits.length / ITEMS.length;
}

test('a rule of the order of items is learned from histories, with one table for both towers', async () => {
  const model = newModel();
  assert.equal(model.queryTower.inputs[0]!.table, model.candidateTower.inputs[0]!.table);
  assert.equal(parametersOf(model).length, 2);
  await model.fit(examples, { epochs: 30, batchSize: 128 });
  assert.ok(nextFound(model) >= 0.95, `${nextFound(model)}`);
});

test('a bundle holds a shared table and its words once, shares them again, and answers with the same bits', async () => {
  const { queryTower, candidateTower } = newModel();
  const index = new BruteForce<QueryRow, string>({ queryModel: queryTower, runtime });
  index.index(candidateTower.embed(ITEMS), ITEMS);
  const bytes = bundleToBytes({ index, candidateTower: candidateTower as Tower<never> });
  const text = new TextDecoder('latin1').decode(bytes);
  assert.equal(text.split('towers/table').length - text.split('towers/table0').length, 0);
  const loaded = await bundleFromBytes<QueryRow, string>(bytes, { runtime });
  const [query, candidate] = [loaded.queryTower!, loaded.candidateTower!];
  assert.equal(query.inputs[0]!.table, candidate.inputs[0]!.table);
  assert.equal(query.inputs[0]!.feature!.vocabulary, candidate.inputs[0]!.feature!.vocabulary);
  const asked = [{ history: ['item 3', 'item 4'] }, { history: [] }, { history: ['nothing known'] }];
  assert.deepEqual([...query.embed(asked).data], [...queryTower.embed(asked).data]);
  assert.deepEqual(loaded.index.call(asked).identifiers(), index.call(asked).identifiers());
  assert.deepEqual(bundleToBytes({ index: loaded.index, candidateTower: candidate as Tower<never> }), bytes);
});

test('a bundle without the candidate tower has the query tower as a part of its own', async () => {
  const towers = createTowers<Required<QueryRow>, string>({
    queryTower: { features: features.pick(['history', 'age', 'mood']), dense: [12, 16], normalize: true },
    candidateTower: { features: features.pick(['item']) },
    runtime,
  });
  assert.equal(towers.queryTower.inputs.length, 3);
  const index = new BruteForce<Required<QueryRow>, string>({ queryModel: towers.queryTower, runtime });
  index.index(towers.candidateTower.embed(ITEMS), ITEMS);
  const bytes = bundleToBytes({ index });
  const loaded = await bundleFromBytes<Required<QueryRow>, string>(bytes, { runtime });
  const asked = [{ history: ['item 3'], age: 33, mood: [1, 2, 3] }];
  assert.deepEqual([...loaded.queryTower!.embed(asked).data], [...towers.queryTower.embed(asked).data]);
  assert.deepEqual(bundleToBytes({ index: loaded.index }), bytes);
  assert.throws(() => towers.queryTower.embed([{ history: 'item 3', age: 33, mood: [1, 2, 3] } as never]), /history/);
});

test('interrupted and resumed through a checkpoint, a run with a shared table ends with the bits of one that was not', async () => {
  const whole = newModel();
  await whole.fit(examples, { epochs: 3, batchSize: 100 });
  const part = newModel();
  const stop = new AbortController();
  let steps = 0;
  const error = await part
    .fit(examples, {
      epochs: 3,
      batchSize: 100,
      signal: stop.signal,
      onProgress: () => void (++steps === 8 && stop.abort()),
    })
    .catch((reason: unknown) => reason);
  assert.ok(error instanceof FitAbortedError);
  const checkpoint = await checkpointFromBytes(checkpointToBytes(error.checkpoint, runtime), runtime);
  assert.equal(checkpoint.arrays.length, 4);
  const resumed = newModel(9);
  await resumed.fit(examples, { epochs: 3, batchSize: 100, resume: checkpoint });
  assert.deepEqual(
    parametersOf(resumed).map(({ data }) => data),
    parametersOf(whole).map(({ data }) => data),
  );
});

test('a table for a tower alone; contradictory features are refused', async () => {
  const alone = Tower.create<QueryRow>({ features: features.pick(['history', 'item']), runtime });
  assert.equal(alone.dimensions, 32);
  assert.equal(alone.parameters().length, 1);
  const others = await learnFeatures({ item: specs.item }, [{ item: ['item 1'] }]);
  assert.throws(
    () =>
      createTowers({
        queryTower: { features: features.pick(['history']) },
        candidateTower: { features: others },
        runtime,
      }),
    /features.item: expected the words of history, with which it shares the table items, got its own: learn both/,
  );
  const apart = await learnFeatures({ genre: { type: 'string' } }, [{ genre: ['drama', 'comedy'] }]);
  const other = await learnFeatures({ genre: { type: 'string' } }, [{ genre: ['rock'] }]);
  const towers = createTowers({ queryTower: { features: apart }, candidateTower: { features: other }, runtime });
  assert.notEqual(towers.queryTower.inputs[0]!.table, towers.candidateTower.inputs[0]!.table);
  const narrow = await learnFeatures({ ...specs, item: { ...specs.item, dimensions: 16 } }, [
    { history: [['a']], item: ['a'], age: [1], mood: [[1, 2, 3]] },
  ]);
  assert.equal(Tower.create<QueryRow>({ features: narrow.pick(['item']), runtime }).dimensions, 16);
});
