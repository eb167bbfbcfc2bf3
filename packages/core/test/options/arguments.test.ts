/**
 * Wrong arguments from JavaScript: every function, constructor and static method of every entry point is called with values
 * of wrong types. Each throws an error of the library that says what was expected, or gives a result.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { InteractionColumns } from '../../src/data/interactions.ts';
import { ShortlistError } from '../../src/errors/errors.ts';

const SOURCE = new URL('../../src/', import.meta.url);
const ENTRIES = readdirSync(new URL('entries/', SOURCE)).filter((file) => file.endsWith('.js'));
const FILES = ['index.js', ...ENTRIES.map((file) => `entries/${file}`)];

const WRONG: readonly unknown[] = [
  ...[undefined, null, 'no such file', 5, -1, Number.NaN, true, 10n, Symbol('wrong')],
  ...[{}, [], [null], [5], new Uint8Array(3), new Map(), (): number => 1],
];

/** Functions that only the library itself calls, and the reason why a wrong argument cannot come from a caller. */
const INTERNAL: Readonly<Record<string, string>> = {
  Cqr: 'made by the method cqr of a tower',
  FullTable: 'made by the method full of a tower',
  QuantizedTable: 'made by `quantizeTable`',
  Branches: 'made by a tower from the specification of its layers',
  DenseLayer: 'the same',
  LayerNorm: 'the same',
  Sequential: 'the same',
  multiplyRows: 'takes offsets of the linear memory, as a kernel does',
  multiplyRowsFused: 'the same',
  multiplyTransposed: 'the same',
  multiplyTransposedFused: 'the same',
  GroupFilter: 'made by `compileFilter` of an index',
  TopKResult: 'what a call returns',
  SeenItems: 'made by `SeenItems.fromInteractions`',
  Tower: 'made by `Tower.create`',
  'Tower.of': 'the parts of a tower that was loaded',
  isUnknownValue: 'takes a feature of a tower',
  saveFeatureSets: 'takes the features of towers',
  loadFeatureSets: 'takes a part of a file that was read',
  kindOfEntry: 'takes what `stat` of the file system gave',
  padded: 'called for every row by layers, with a number of their own',
  nearestName: 'takes lists that the code of a command holds',
  optionsCheck: 'takes a table that the compiler checks',
  required: 'the same',
};

type Call = (value: unknown) => unknown;

/** The public functions, constructors and static methods of a module by name. */
function callsOf(exported: Readonly<Record<string, unknown>>): [name: string, call: Call][] {
  return Object.entries(exported).flatMap(([name, value]): [string, Call][] => {
    if (typeof value !== 'function' || name.endsWith('Error')) return [];
    if (!Function.prototype.toString.call(value).startsWith('class')) return [[name, value as Call]];
    const type = value as unknown as { new (argument: unknown): unknown } & Record<string, unknown>;
    const methods = Object.getOwnPropertyNames(type).filter((key) => typeof type[key] === 'function');
    return [
      [name, (argument) => new type(argument)],
      ...methods.map((key): [string, Call] => [
        `${name}.${key}`,
        (argument) => (type[key] as Call).call(type, argument),
      ]),
    ];
  });
}

/** The fault in what a call does with a wrong argument; undefined where it throws as it should, or returns. */
async function faultOf(call: Call, argument: unknown): Promise<string | undefined> {
  try {
    await call(argument);
  } catch (error) {
    if (error instanceof ShortlistError) return undefined;
    return `${typeof argument}: ${String(error)}`;
  }
  return undefined;
}

test('wrong arguments of public functions, constructors and static methods are refused by name', async () => {
  const faults: string[] = [];
  const internal = new Set<string>();
  let calls = 0;
  for (const file of FILES) {
    const exported = (await import(new URL(file, SOURCE).href)) as Record<string, unknown>;
    for (const [name, call] of callsOf(exported)) {
      // A part is given by the reader of a file.
      if (name.endsWith('.load')) continue;
      if (name in INTERNAL) {
        internal.add(name);
        continue;
      }
      for (const argument of WRONG) {
        calls++;
        const fault = await faultOf(call, argument);
        if (fault) faults.push(`${name}(${fault}`);
      }
    }
  }
  assert.deepEqual(faults, []);
  assert.ok(calls > 1000, `${calls} calls`);
  assert.deepEqual([...internal].sort(), Object.keys(INTERNAL).sort(), 'names that are gone or renamed');
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
