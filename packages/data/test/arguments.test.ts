/**
 * Wrong arguments from JavaScript: every function, constructor and method of the package is called with a wrong value in
 * each place of a valid call. Each throws an error that says what was expected, or gives a result.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ShortlistError } from 'shortlist';
import * as data from '../src/index.ts';

type WrongArguments = typeof import('../../core/test/options/wrong-arguments.ts');
type Call = Parameters<WrongArguments['faultsOf']>[1];

const { faultsOfAll, targetsOf, WRONG } = (await import(
  new URL('../../../core/build/test/options/wrong-arguments.js', import.meta.url).href
)) as WrongArguments;

const folder = mkdtempSync(join(tmpdir(), 'shortlist-data-arguments-'));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const RATINGS = file('ratings.csv', 'userId,movieId,rating\nu1,m1,5\nu1,m2,3\nu2,m1,4\n');
const ITEMS = file('movies.csv', 'movieId,title\nm1,Heat\nm2,Alien\n');
const NAMES = file('names.txt', 'a\nb\n');
const tensor = { name: 'vectors', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };
const VECTORS = join(folder, 'vectors.npy');
await data.writeTensors(VECTORS, [tensor]);

const table = await data.openTable(RATINGS);
const read = await data.readInteractions(RATINGS);
const { items } = await data.readItems(ITEMS);
const vectors = await data.openVectors(VECTORS);
const { columns: profiles } = await data.profileTable(table);
const selected = data.likedRows(read);
const leaks = data.findLeaks(selected, selected);

async function* batches(): AsyncGenerator<data.OutputBatch> {
  yield [['a', 'b']];
}

const CALLS: Readonly<Record<string, Call>> = {
  ReadLog: { arguments: () => ['ratings.csv', { strict: false }] },
  'ReadLog.reject': { of: () => new data.ReadLog('ratings.csv'), arguments: () => [3, 'no user'] },
  'ReadLog.note': { of: () => new data.ReadLog('ratings.csv'), arguments: () => ['a note'] },
  assignRoles: { arguments: () => ['ratings.csv', profiles, true, {}] },
  coverageOf: { arguments: () => [items, ['m1']] },
  distinctIdentifiers: { arguments: () => [NAMES, ['a', 'b', 'a'], 3, new data.ReadLog(NAMES)] },
  describeFindings: { arguments: () => [read] },
  describeInteractions: { arguments: () => [read] },
  describeLeaks: { arguments: () => [leaks] },
  findLeaks: { arguments: () => [selected, selected] },
  identifiersPath: { arguments: () => [VECTORS] },
  joinItems: { arguments: () => [items, ['m1']] },
  likedRows: { arguments: () => [read] },
  openTable: { arguments: () => [RATINGS, {}] },
  openVectors: { arguments: () => [VECTORS] },
  parseLike: { arguments: () => ['rating >= 4', ['rating']] },
  parseTime: { arguments: () => ['2016-10-16'] },
  profileTable: { arguments: () => [table, 10] },
  readIdentifiers: { arguments: () => [NAMES, 2, new data.ReadLog(NAMES)] },
  readInteractions: { arguments: () => [RATINGS, {}] },
  readItems: { arguments: () => [ITEMS, {}] },
  readTensors: { arguments: () => [VECTORS] },
  tableSource: { arguments: () => [RATINGS, { query: 'userId', candidate: 'movieId' }] },
  vectorDataset: { arguments: () => [vectors, ['a', 'b'], {}] },
  writeBatches: { arguments: () => [join(folder, 'out.csv'), [{ name: 'word', type: 'text' }], 2, batches()] },
  writeTensors: { arguments: () => [join(folder, 'out.npy'), [tensor], {}] },
};

const isRefusal = (error: unknown): boolean =>
  error instanceof ShortlistError && /: (?:expected .+, (?:got|found) |cannot be )/s.test(error.message);

test('wrong arguments of public functions, constructors and methods are refused by name', async () => {
  // Some calls write a file whose name is one of the wrong values.
  process.chdir(folder);
  assert.deepEqual(await faultsOfAll(targetsOf(data), CALLS, isRefusal), []);
});

async function lengthOf(batches: AsyncIterable<{ rows: number }>): Promise<number> {
  let rows = 0;
  for await (const batch of batches) rows += batch.rows;
  return rows;
}

test('batches of a table of any format are of the columns that it has', async () => {
  const lines = file('rows.jsonl', '{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n');
  const sequences = file('sequences.txt', 'u1 m1 m2 m3\nu2 m1 m4 m3\n');
  const parquet = join(folder, 'rows.parquet');
  await data.writeBatches(parquet, [{ name: 'word', type: 'text' }], 2, batches());
  for (const path of [RATINGS, lines, sequences, parquet]) {
    const opened = await data.openTable(path);
    const last = opened.columns.length - 1;
    assert.ok((await lengthOf(opened.batches({ columns: [last, last] }))) > 0);
    for (const [columns, got] of [
      [[0, last + 1], last + 1],
      [[-1], -1],
      [[0.5], 0.5],
      [['a'], 'string'],
    ] as const) {
      assert.throws(() => opened.batches({ columns: columns as unknown as number[] }), {
        code: 'ERR_DATA',
        message: `${path}: expected positions of columns from 0 to ${last}, got ${got}`,
      });
    }
  }
});

/** Options objects by their valid form; each option is given each wrong value. */
const OPTIONS: readonly (readonly [name: string, names: readonly string[], call: (options: never) => unknown])[] = [
  ['openTable', ['delimiter', 'header'], (options) => data.openTable(RATINGS, options)],
  [
    'readInteractions',
    [
      ...[
        'delimiter',
        'header',
        'userColumn',
        'itemColumn',
        'valueColumn',
        'weightColumn',
        'timeColumn',
        'eventColumn',
      ],
      ...['like', 'strict', 'signal', 'onProgress'],
    ],
    (options) => data.readInteractions(RATINGS, options),
  ],
  [
    'readItems',
    ['delimiter', 'header', 'identifierColumn', 'titleColumn', 'listColumns', 'known', 'strict', 'signal'],
    (options) => data.readItems(ITEMS, options),
  ],
  [
    'tableSource',
    ['delimiter', 'header', 'query', 'candidate', 'weight', 'signal'],
    (options: object) => data.tableSource(RATINGS, { query: 'userId', candidate: 'movieId', ...options }),
  ],
  ['vectorDataset', ['rowsPerBatch', 'signal'], (options) => data.vectorDataset(vectors, undefined, options)],
  [
    'Table.batches',
    ['columns', 'log', 'progress', 'signal'],
    (options) => lengthOf(table.batches({ columns: [0], ...(options as object) })),
  ],
  ['VectorFile.batches', ['rowsPerBatch', 'signal'], (options) => lengthOf(vectors.batches(options))],
  ['ReadLog', ['strict'], (options) => new data.ReadLog('ratings.csv', options)],
];

test('options of another type or name are refused by name', async () => {
  const faults: string[] = [];
  for (const [name, options, call] of OPTIONS) {
    for (const option of options) {
      for (const value of WRONG) {
        try {
          await call({ [option]: value } as never);
        } catch (error) {
          if (!isRefusal(error)) faults.push(`${name}, ${option}, ${typeof value}: ${String(error)}`);
        }
      }
    }
    const wrong = { [`${options[0]}s`]: 1 };
    await assert.rejects(async () => call(wrong as never), {
      code: 'ERR_OPTION',
      message: new RegExp(`nearest is ${options[0]}`),
    });
  }
  assert.deepEqual(faults, []);
});
