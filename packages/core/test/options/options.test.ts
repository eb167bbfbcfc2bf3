/**
 * Every options object of the public interface: unknown names, missing ones, and values of another type are refused by name.
 * The list is read off the compiler's types, so that new options cannot be forgotten.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nearestName } from '../../src/checks/nearest-name.ts';
import { NUMBER, optionsCheck, required } from '../../src/checks/options.ts';
import { OptionError } from '../../src/errors/errors.ts';
import { type Case, context, vocabulary } from './fixtures.ts';
import { INDEX_CASES } from './index-cases.ts';
import { optionsOfApi } from './options-of-api.ts';
import * as core from './public-api.ts';
import { TRAINING_CASES } from './training-cases.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../..');
const ENTRIES = readdirSync(join(ROOT, 'packages/core/src/entries')).filter((file) => file !== 'options.ts');
const FILES = ['packages/core/src/index.ts', ...ENTRIES.map((file) => `packages/core/src/entries/${file}`)];

const CASES: Readonly<Record<string, Case>> = { ...TRAINING_CASES, ...INDEX_CASES };

/** Parameters with optional fields that are no options, and why. */
const NO_OPTIONS: Readonly<Record<string, string>> = {
  'Cqr.adopt(__0)': 'what a clustering found, handed over within the library',
  'Cqr.restorePointers(pointers)': 'what `takePointers` gave',
  'Ease(interactions)': 'data',
  'Ease.recommend(histories)': 'data',
  'IndexAccess.change(kind)': 'the queue of an index: what the indexes themselves and the server ask it',
  'IndexAccess.changeInSteps(long)': 'the same',
  'ItemKnn(interactions)': 'data',
  'ItemKnn.recommend(histories)': 'data',
  'Popularity.recent(interactions)': 'data',
  'Popularity.recommend(histories)': 'data',
  'SeenItems.fromInteractions(interactions)': 'data',
  'RowOptimizer(options)': 'the options of the optimizers, which call it',
  'Retrieval.compute(batch)': 'a batch, checked part by part',
  'ThroughIndex.recommend(histories)': 'data',
  'SettingsReader.integer(__1)': 'the range of a number, said by the code that reads a part',
  'SettingsReader.number(__1)': 'the same',
  'baselineFits(interactions)': 'data',
  'baselines(interactions)': 'data',
  'distinctPairs(interactions)': 'data',
  'bundleToBytes(contents).index': 'an index',
  'callWithRules(index)': 'an index',
  'callWithRulesAsync(index)': 'an index',
  'fitRecommender(options).from': 'an earlier model with what it was fitted on: data',
  'historyVectors(index)': 'an index',
  'splitHistory(index)': 'an index',
  'fitAls(interactions)': 'data',
  'fitHistoryTower(interactions)': 'data',
  'fitRecommender(interactions)': 'data',
  'trainRecommender(interactions)': 'data',
  'interactionsOf(columns)': 'columns of data',
  'itemsByUser(interactions)': 'data',
  'leaveLastOut(interactions)': 'data',
  'saveBundle(contents).index': 'an index',
  'buildBundle(contents).index': 'an index',
  'saveIndex(index)': 'an index',
  'writeBundle(contents).index': 'an index',
  'writeBundleAsync(contents).index': 'an index',
  'loadMovieLens(options).env': 'the environment of the process',
  'fitQuantizedAls(rows)': 'data',
  'pointByCoOccurrence(rows)': 'data',
  'Tower.of(__0)': 'parts of a tower',
  'nextItemExamples(interactions)': 'data',
  'smoothOverGraph(itemsOfUsers)': 'data',
  'smoothTowers(interactions)': 'data',
  'splitByTime(interactions)': 'data',
  'takeInteractions(interactions)': 'data',
  'transposeLists(from)': 'data',
  'listOf(lists)': 'data',
  'RowOptimizer(options).learningRate': 'an abstract class: Adagrad, Adam and Sgd have cases',
  'TwoTowerModel.fit(options).resume': 'a checkpoint',
  'TwoTowerModel.fit(options).resume.optimizer': 'state that an optimizer wrote',
  'TwoTowerModel.step(batch)': 'data',
  'checkpointToBytes(checkpoint)': 'a checkpoint',
  'checkpointToBytes(checkpoint).optimizer': 'state that an optimizer wrote',
  'gradCheck(layer)': 'a layer',
  'saveCheckpoint(checkpoint)': 'a checkpoint',
  'saveCheckpoint(checkpoint).optimizer': 'state that an optimizer wrote',
  'takeCheckpoint(position)': 'the position of a fit',
  'writeCheckpoint(checkpoint)': 'a checkpoint',
  'writeCheckpoint(checkpoint).optimizer': 'state that an optimizer wrote',
  'Popularity(interactions)': 'data',
};
async function refusal(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  assert.fail('expected to be refused');
}

test('every options object of the public interface has a case here, or a reason why not', () => {
  const found = optionsOfApi(ROOT, FILES).filter((name) => !/Error(\.|\()/.test(name));
  const listed = Object.keys(NO_OPTIONS);
  assert.deepEqual(
    found.filter((name) => !(name in CASES) && !listed.includes(name)),
    [],
    'these have no case',
  );
  assert.deepEqual(
    listed.filter((name) => !found.includes(name)),
    [],
    'these are gone: remove their lines',
  );
});

for (const [name, { valid, typo, call, refused = [null, 5, new Map(), Promise.resolve({})] }] of Object.entries(
  CASES,
)) {
  test(`${name}: unknown names, missing ones and values of another type are refused`, async () => {
    await call(valid as never);
    const [wrong, right] = typo;
    const misspelled = await refusal(() => call({ ...valid, [wrong]: 1 } as never));
    assert.ok(misspelled instanceof OptionError, misspelled.stack);
    assert.match(misspelled.message, new RegExp(`nearest is ${right}, got "${wrong}"$`));
    for (const nothing of refused) {
      const error = await refusal(() => call(nothing as never));
      assert.ok(error instanceof OptionError, error.stack);
    }
    const listing = await refusal(() => call({ ...valid, 'nothing like that, not at all': 1 } as never));
    const known = /expected one of the options (.*), got/.exec(listing.message)?.[1]?.split(', ') ?? [];
    assert.ok(known.length > 0, listing.message);
    for (const key of known) {
      const mistyped = await refusal(() => call({ ...valid, [key]: Symbol('no such value') } as never));
      assert.equal((mistyped as { code?: string }).code, 'ERR_OPTION', `${key}: ${mistyped.stack}`);
      assert.ok(mistyped.message.includes(key), mistyped.message);
    }
    for (const key of Object.keys(valid)) {
      const { [key]: _, ...rest } = valid as Record<string, unknown>;
      try {
        await call(rest as never);
      } catch (error) {
        assert.ok(error instanceof OptionError, `without ${key}: ${(error as Error).stack}`);
      }
    }
  });
}

test("a tower's features and the tables of every method have their own names", () => {
  const create = core.Tower.create as (options: object) => unknown;
  assert.throws(() => create({}), /vocabulary: expected a list as an option of Tower.create, got none/);
  assert.throws(
    () => create({ features: { user: { vocabulary, dimension: 3 } } }),
    /nearest is dimensions, got "dimension"/,
  );
  assert.throws(() => create({ features: { user: null } }), /expected an object of options, got null/);
  assert.throws(
    () => create({ features: {}, dimensions: 3 }),
    /Tower.create: expected one of the options|Tower.create: expected a known option/,
  );
  for (const method of core.EMBEDDING_METHODS) {
    const budget = method === 'full' ? {} : { parameters: 100 };
    assert.ok(core.makeTable({ method, ...budget } as never, context));
    assert.throws(
      () => core.makeTable({ method, ...budget, budgets: 1 } as never, context),
      (error) => error instanceof OptionError && error.message.startsWith(`embedding (${method}): expected `),
    );
  }
  assert.throws(
    () => core.makeTable({ method: 'full', bytes: 100 } as never, context),
    /embedding \(full\): expected one of the options method, got "bytes"/,
  );
  assert.throws(() => core.makeTable(undefined as never, context), /embedding.method: expected one of full/);
});

test('a check names what is near, reads no inherited names, and lets undefined stand for nothing', () => {
  const check = optionsCheck<{ columns?: number; rows: number }>('work', { columns: NUMBER, rows: required(NUMBER) });
  assert.deepEqual(check({ rows: 1, columns: undefined }), { rows: 1, columns: undefined });
  for (const name of ['toString', '__proto__x', 'constructor']) {
    assert.throws(() => check({ rows: 1, [name]: 1 }), /work: expected one of the options columns, rows, got/);
  }
  assert.throws(() => check({ rows: undefined }), /rows: expected a number as an option of work, got none/);
});

test('the nearest name is the one that was meant, or none', () => {
  const cases: [string, string[], string | undefined][] = [
    ['numLeafs', ['k', 'numLeaves', 'numLeavesToSearch'], 'numLeaves'],
    ['epoch', ['epochs', 'seed'], 'epochs'],
    ['filter', ['k', 'exclude'], undefined],
    ['learning_rate', ['rate', 'learningRate'], 'learningRate'],
    ['a'.repeat(1e6), ['a'.repeat(64)], 'a'.repeat(64)],
  ];
  const columns = ['userId', 'movieId', 'rating', 'timestamp'];
  for (const [wrong, right] of [
    ['user_id', 'userId'],
    ['USERID', 'userId'],
    ['usreId', 'userId'],
    ['movie', 'movieId'],
    ['ratings', 'rating'],
    ['time', 'timestamp'],
    ['zebra', undefined],
    ['x', undefined],
  ] as const) {
    cases.push([wrong, columns, right]);
  }
  for (const [wrong, known, right] of cases) assert.equal(nearestName(wrong, known), right, wrong.slice(0, 80));
});
