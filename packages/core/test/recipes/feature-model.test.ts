/** Models over features: values of items say what a user likes, also of items without interactions; specs that are refused; warm starts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import type { Interactions } from '../../src/data/interactions.ts';
import { leaveLastOut } from '../../src/data/split.ts';
import { FeatureError, OptionError } from '../../src/errors/errors.ts';
import { evaluateRecommender } from '../../src/metrics/evaluate-recommender.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import type { FeatureModelData } from '../../src/recipes/feature-model.ts';
import { checkFeatureModelSpec, type FeatureModelSpec } from '../../src/recipes/feature-model-spec.ts';
import { fitRecommender } from '../../src/recipes/fit-recommender.ts';
import { trainRecommender } from '../../src/recipes/train-recommender.ts';
import type { EarlierModel } from '../../src/recipes/warm-start.ts';
import { isUpdatable } from '../../src/topk/contract.ts';
import type { Tower } from '../../src/towers/tower.ts';
import { interactionsFrom } from '../recommenders/worlds.ts';

const runtime = new Runtime({ threads: 1 });
const TASTES = 3;

/** Users of three tastes, each choosing 7 of the 12 items of the taste; item n has the genre n mod 3. */
function tastes(users = 60): Interactions {
  const generator = new Generator(3);
  const pairs = Array.from({ length: users }, (_, user) =>
    Array.from(generator.permutation(12).subarray(0, 7), (item): [string, string] => [
      `u${user}`,
      `i${TASTES * item + (user % TASTES)}`,
    ]),
  ).flat();
  return interactionsFrom(pairs);
}

const genreOf = (item: string): string => `genre ${Number(item.slice(1)) % TASTES}`;
/** Features alone: the candidate has no identifier. */
const spec: FeatureModelSpec = {
  queryTower: { features: { home: { type: 'string', dimensions: 4 } } },
  candidateTower: { features: { genres: { type: 'bag', dimensions: 4 } } },
  dimensions: 8,
  batchSize: 32,
};
const dataOf = ({ users, items }: Interactions, given: FeatureModelSpec = spec): FeatureModelData => ({
  spec: given,
  userFields: { home: users.vocabulary.map((user) => `town ${Number(user.slice(1)) % TASTES}`) },
  itemFields: { genres: items.vocabulary.map((item) => [genreOf(item)]) },
});
const settings = { dimensions: 8, temperature: 0.1, learningRate: 0.02, epochs: 6 };

test('features alone find the taste of a user, also among new items that are upserted by raw features', async () => {
  const { train, test: held } = leaveLastOut(tastes());
  const fitted = await fitRecommender(train, { model: 'features', settings }, { runtime, features: dataOf(train) });
  assert.ok(fitted.model.kind === 'features');
  const { recall } = evaluateRecommender(fitted.recommender, { train, test: held }, { ks: [6] }).metrics[0]!;
  // 6 items of the taste are unseen, the held-out one among them; all have equal scores. Chance: 6 of 30.
  assert.ok(recall.mean > 0.9, `${recall.mean}`);
  const bytes = bundleToBytes({ index: fitted.index, candidateTower: fitted.model.candidateTower });
  const { index, candidateTower } = await bundleFromBytes<object, string>(bytes, { runtime });
  const fresh = ['new 0', 'new 1', 'new 2'];
  const tower = candidateTower as Tower<Readonly<Record<string, unknown>>>;
  assert.ok(isUpdatable(index));
  index.upsert(fresh, tower.embed(fresh.map((_, i) => ({ genres: [`genre ${i}`] }))));
  for (const [taste, item] of fresh.entries()) {
    const [best] = index.call([{ home: `town ${taste}` }], { k: 1, include: fresh }).identifiers();
    assert.equal(best, item);
  }
});

test('a history of features: shared tables, epochs and learning rate are chosen, and the same seed gives the same model', async () => {
  const rows = tastes(30);
  const given: FeatureModelSpec = {
    queryTower: { features: { history: { type: 'sequence', table: 'items', dimensions: 8 } } },
    candidateTower: {
      features: { item: { type: 'string', table: 'items' }, genres: { type: 'bag', dimensions: 4 } },
    },
    dimensions: 8,
    batchSize: 64,
  };
  const features = dataOf(rows, given);
  const options = { model: 'features', features, runtime, budgetSeconds: 1e9, seed: 7 } as const;
  const trained = await trainRecommender(rows, options);
  assert.deepEqual(
    trained.trials.map(({ settings: { learningRate } }) => learningRate),
    [0.005, 0.002],
  );
  assert.ok(trained.settings.epochs! >= 1 && trained.isSearchComplete);
  const query = trained.queryOf(0, ['i0', 'i3']);
  assert.deepEqual(query, { history: ['i0', 'i3'] });
  const again = await trainRecommender(rows, { ...options, trials: trained.trials, onTrial: () => assert.fail() });
  assert.deepEqual(again.index.call([query]).scores, trained.index.call([query]).scores);
  // Trials of another spec are not used.
  const other = { ...features, spec: { ...given, learningRate: 0.01 } };
  const { trials, ignoredTrials } = await trainRecommender(rows, {
    ...options,
    features: other,
    trials: trained.trials,
  });
  assert.deepEqual([trials.length, ignoredTrials], [1, 2]);
});

test('a fit from an earlier model starts from its rows and layers; one of another shape is refused', async () => {
  const rows = tastes(30);
  const features = dataOf(rows);
  const first = await fitRecommender(rows, { model: 'features', settings }, { runtime, features });
  assert.ok(first.model.kind === 'features');
  const from: EarlierModel = { queryTower: first.model.queryTower, candidateTower: first.model.candidateTower };
  const still = { ...settings, learningRate: 1e-12, epochs: 1 };
  const next = await fitRecommender(rows, { model: 'features', settings: still }, { runtime, features, from });
  const query = [{ home: 'town 1' }];
  const [before, after] = [first, next].map(({ index }) => [...index.queryModel!.embed(query).row(0)]);
  after!.forEach((value, i) => assert.ok(Math.abs(value - before![i]!) < 1e-6));
  const wide = { runtime, from, features: dataOf(rows, { ...spec, dimensions: 16 }) };
  await assert.rejects(
    fitRecommender(rows, { model: 'features', settings }, wide),
    /^OptionError: from: expected the layers of queryTower of .*16.*, got .*8/,
  );
});

test('biases of a spec: learned, kept by a fit from an earlier model, which must have them too', async () => {
  const rows = tastes(30);
  const given: FeatureModelSpec = { ...spec, biases: true };
  const fit = (from?: EarlierModel, features = dataOf(rows, given), epochs = 2) =>
    fitRecommender(rows, { model: 'features', settings: { ...settings, epochs } }, { runtime, features, from });
  const { model } = await fit();
  assert.ok(model.kind === 'features');
  const [biases] = model.candidateTower.biases!.parameters();
  assert.ok(biases!.data.some((value) => value !== 0));
  const again = await fit(model, undefined, 0);
  assert.ok(again.model.kind === 'features');
  assert.deepEqual(again.model.candidateTower.biases!.parameters()[0]!.data.subarray(1), biases!.data.subarray(1));
  await assert.rejects(fit(model, dataOf(rows)), /from: expected no biases of queryTower, got a model that differs/);
});

test('towers without layers get one of the width of the spec, or of the table of a history and an item, begun as a copy', async () => {
  const [query, candidate] = [
    { type: 'sequence', table: 'items' },
    { type: 'string', table: 'items' },
  ] as const;
  for (const [width, dimensions, expected] of [
    [undefined, undefined, 32],
    [8, undefined, 8],
    [8, 16, 16],
  ]) {
    const own: FeatureModelSpec = {
      queryTower: { features: { history: { ...query, ...(width && { dimensions: width }) } } },
      candidateTower: { features: { item: candidate } },
      ...(dimensions && { dimensions }),
    };
    const untrained = { dimensions: 64, temperature: 0.1, learningRate: 1e-12, epochs: 1 };
    const chosen = { model: 'features', settings: untrained } as const;
    const { model } = await fitRecommender(tastes(3), chosen, { features: { spec: own }, runtime });
    assert.ok(model.kind === 'features');
    for (const { dimensions: columns, layers, inputs } of [model.queryTower, model.candidateTower]) {
      assert.deepEqual([columns, layers.map(({ kind }) => kind)], [expected, ['dense']]);
      const weights = layers[0]!.parameters()[0]!;
      const tableWidth = inputs[0]!.table!.dimensions;
      const isCopy = Array.from({ length: tableWidth }, (_, i) => Math.abs(weights.row(i)[i]! - 1) < 1e-6);
      assert.deepEqual(isCopy, new Array(tableWidth).fill(tableWidth === expected));
    }
  }
});

test('the history tower as a model of the search: all kinds of results, and a fit from an earlier one', async () => {
  const rows = tastes(30);
  const chosen = {
    model: 'history',
    settings: { dimensions: 8, recencyDecay: 0.8, learningRate: 0.01, temperature: 0.1, epochs: 8 },
  } as const;
  const trained = await trainRecommender(rows, { only: chosen, runtime });
  assert.ok(trained.model.kind === 'history' && trained.best.model === 'history');
  const ask = { history: ['i1', 'i4', 'i7'] };
  const found = trained.index.call([ask], { k: 4, exclude: [ask.history] }).identifiers();
  assert.deepEqual(new Set(found.map(genreOf)), new Set(['genre 1']));
  const { queryTower, candidateTower } = trained.model;
  const more = interactionsFrom([
    ['u0', 'i0'],
    ['u0', 'fresh'],
    ['u1', 'i1'],
    ['u1', 'i4'],
  ]);
  const short = { ...chosen, settings: { ...chosen.settings, learningRate: 1e-12, epochs: 1 } };
  const next = await fitRecommender(more, short, { runtime, from: { queryTower, candidateTower } });
  const [old, now] = [trained, next].map(({ index }) => [...index.queryModel!.embed([{ history: ['i1'] }]).row(0)]);
  now!.forEach((value, i) => assert.ok(Math.abs(value - old![i]!) < 1e-6));
});

test('specs and values that do not fit are refused by tower, feature and option', async () => {
  const rows = tastes(30);
  const refused = (change: object, pattern: RegExp): void => {
    assert.throws(() => checkFeatureModelSpec({ ...spec, ...change }), pattern);
  };
  refused({ queryTower: { features: {} } }, /^OptionError: queryTower\.features: expected at least one, got none/);
  refused({ queryTower: { feature: {} } }, /queryTower: .*features/);
  refused(
    { candidateTower: { features: { genres: { type: 'bag', combiner: 'max' } } } },
    /^OptionError: candidateTower\.features\.genres\.combiner: expected one of sum, mean, sqrtn, got "max"/,
  );
  refused(
    { candidateTower: { features: { home: { type: 'string' } } } },
    /candidateTower\.features\.home: expected a name that queryTower does not use/,
  );
  refused({ temperature: 0 }, /temperature/);
  assert.throws(() => checkFeatureModelSpec([]), /spec: expected an object with queryTower and candidateTower/);
  const fit = (features: FeatureModelData): Promise<unknown> =>
    fitRecommender(rows, { model: 'features', settings }, { runtime, features });
  await assert.rejects(fit({ spec }), /queryTower\.features\.home: expected a field of the data, got "home"/);
  const wrong = dataOf(rows);
  await assert.rejects(
    fit({ ...wrong, itemFields: { genres: rows.items.vocabulary.map((_, i) => (i === 2 ? 'drama' : ['a'])) } }),
    (error) =>
      error instanceof FeatureError && /genres in row 2: expected a list of strings, got "drama"/.test(error.message),
  );
  await assert.rejects(fitRecommender(rows, { model: 'features', settings }, { runtime }), OptionError);
  const als = { model: 'als', settings: { dimensions: 2, iterations: 1 } } as const;
  await assert.rejects(
    fitRecommender(rows, als, { runtime, features: wrong }),
    /features: expected none with the model als/,
  );
});
