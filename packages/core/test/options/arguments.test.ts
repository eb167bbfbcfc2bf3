/**
 * Wrong arguments from JavaScript: every function, constructor and method of every entry point is called with a wrong value in
 * each place of a valid call. Each throws an error of the library that says what was expected, or gives a result.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { InteractionColumns } from '../../src/data/interactions.ts';
import { ShortlistError } from '../../src/errors/errors.ts';
import { INDEX_CALLS } from './calls-of-indexes.ts';
import { OPTIMIZER_CALLS } from './calls-of-optimizers.ts';
import { OPTION_CALLS } from './calls-of-options.ts';
import { TRAINING_CALLS } from './calls-of-training.ts';
import { folder } from './fixtures.ts';
import { type Call, FIRST, faultsOf, targetsOf } from './wrong-arguments.ts';

const SOURCE = new URL('../../src/', import.meta.url);
const ENTRIES = readdirSync(new URL('entries/', SOURCE)).filter((file) => file.endsWith('.js'));
const FILES = ['index.js', ...ENTRIES.map((file) => `entries/${file}`)];

const CALLS: Readonly<Record<string, Call>> = {
  ...INDEX_CALLS,
  ...OPTIMIZER_CALLS,
  ...OPTION_CALLS,
  ...TRAINING_CALLS,
};

/** What only the library itself calls, and the reason why a wrong argument cannot come from a caller. */
const INTERNAL: Readonly<Record<string, string>> = {
  Cqr: 'made by the method cqr of a tower',
  'Cqr.adopt': 'takes what a clustering found',
  QuantizedTable: 'made by `quantizeTable`',
  DenseLayer: 'made by `DenseLayer.create`',
  LayerNorm: 'made by `LayerNorm.create`',
  multiplyRows: 'takes offsets of the linear memory, as a kernel does',
  multiplyRowsFused: 'the same',
  multiplyTransposed: 'the same',
  multiplyTransposedFused: 'the same',
  GroupFilter: 'made by `compileFilter` of an index',
  'GroupFilter.fits': 'takes the leaves of an index',
  SeenItems: 'made by `SeenItems.fromInteractions`',
  Tower: 'made by `Tower.create`',
  'Tower.of': 'the parts of a tower that was loaded',
  'TwoTowerModel.step': 'takes batches that `fit` encoded',
  loadFeatureSets: 'takes a part of a file that was read',
  nearestName: 'takes lists that the code of a command holds',
  optionsCheck: 'takes a table that the compiler checks',
  required: 'the same',
  checkArgument: 'takes a name and a type that the code of a function holds',
  checkInteger: 'the same',
  kindOfEntry: 'takes what `stat` of the file system gave',
  'BruteForce.restore': 'takes what the reader of a bundle made',
  'ScaNN.restore': 'the same',
  'ScaNN.replaceBuilt': 'takes what `indexStreamed` built',
};

/** Methods that TypeScript calls protected. */
const PROTECTED: RegExp =
  /\.(applyDelete|applyReserve|applyUpsert|growth|writePointers|gather)$|(Adam|Adagrad|Sgd)\.(update|newState|decayedRows|writeRows|run)$/;

const isRefusal = (error: unknown): boolean => error instanceof ShortlistError;

test('wrong arguments of public functions, constructors and methods are refused by name', async () => {
  // Some calls write a file whose name is one of the wrong values.
  process.chdir(folder);
  const faults: string[] = [];
  const checked = new Set<string>();
  for (const file of FILES) {
    for (const target of targetsOf((await import(new URL(file, SOURCE).href)) as Record<string, unknown>)) {
      const { name } = target;
      // A part is given by the reader of a file.
      if (name.endsWith('.load') || PROTECTED.test(name) || checked.has(name)) continue;
      checked.add(name);
      if (name in INTERNAL) continue;
      const call = CALLS[name] ?? FIRST;
      assert.ok(CALLS[name] || !target.isMethod, `${name}: expected a valid call of it in calls-of-*.ts, got none`);
      faults.push(...(await faultsOf(target, call, isRefusal)));
    }
  }
  assert.deepEqual(faults, []);
  const listed = [...Object.keys(CALLS), ...Object.keys(INTERNAL)].filter((name) => !checked.has(name));
  assert.deepEqual(listed, [], 'names that are gone or renamed');
});

test('interactions from columns that are wrong say which column, and what it must be', async () => {
  const { interactionsOf } = await import('../../src/data/interactions.ts');
  const column = { codes: Int32Array.of(0), vocabulary: ['a'] };
  const refused = (columns: unknown, message: RegExp): void => {
    assert.throws(() => interactionsOf(columns as InteractionColumns), { code: 'ERR_OPTION', message });
  };
  refused({ users: column }, /^interactions: expected interactions with the columns users and items, got Object$/);
  refused({ users: ['a'], items: ['b'] }, /^interactions\.users: expected codes and a vocabulary, got an array of 1$/);
  refused({ users: { ...column, codes: [0] }, items: column }, /^interactions\.users\.codes: expected an Int32Array/);
  refused({ users: column, items: { ...column, vocabulary: 5 } }, /^interactions\.items\.vocabulary: expected a list/);
  refused(
    { users: column, items: column, times: 'now' },
    /^interactions\.times: expected a list of numbers, got "now"$/,
  );
});
