/** Rows of long lists equal those of the plain lookup, also after rows were added, and no list is looked up twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Identifiers } from '../../src/topk/identifiers.ts';
import { joinedLists, LONG_LIST, RowsOfLists } from '../../src/topk/long-lists.ts';

const words = (count: number, step = 1): string[] => Array.from({ length: count }, (_, i) => `item ${i * step}`);

/** Identifiers that count how many of them were looked up. */
class Counted extends Identifiers<string> {
  lookups = 0;

  override forEachRow(identifier: string, visit: (row: number) => void): void {
    this.lookups++;
    super.forEachRow(identifier, visit);
  }
}

function rowsOf(list: readonly string[], identifiers: Counted, lists: RowsOfLists<string>): number[] {
  const rows: number[] = [];
  lists.forEachRow(list, identifiers, (row) => rows.push(row));
  return rows.sort((a, b) => a - b);
}

function plainRowsOf(list: readonly string[], identifiers: Identifiers<string>): number[] {
  const rows: number[] = [];
  for (const identifier of list) identifiers.forEachRow(identifier, (row) => rows.push(row));
  return rows.sort((a, b) => a - b);
}

test('a frozen long list is looked up once, and finds rows that were added later', () => {
  const identifiers = new Counted(4000, [...words(3000), ...words(1000)]);
  const lists = new RowsOfLists<string>();
  const long = Object.freeze([...words(LONG_LIST, 3), 'later', 'never']);
  assert.deepEqual(rowsOf(long, identifiers, lists), plainRowsOf(long, identifiers));
  identifiers.lookups = 0;
  assert.deepEqual(rowsOf(long, identifiers, lists), plainRowsOf(long, new Identifiers(4000, identifiers.values!)));
  assert.equal(identifiers.lookups, 0);
  for (const word of ['later', 'item 3', 'other', 'later']) identifiers.add(word);
  const found = rowsOf(long, identifiers, lists);
  assert.equal(identifiers.lookups, 0);
  assert.deepEqual(found, plainRowsOf(long, identifiers));
  assert.deepEqual(found.slice(-3), [4000, 4001, 4003]);
});

test('a list that may change, or is short, is looked up every time', () => {
  const identifiers = new Counted(3000, words(3000));
  const lists = new RowsOfLists<string>();
  const open = words(LONG_LIST);
  assert.equal(rowsOf(open, identifiers, lists).length, LONG_LIST);
  open.pop();
  assert.equal(rowsOf(open, identifiers, lists).length, LONG_LIST - 1);
  const short = Object.freeze(words(3));
  identifiers.lookups = 0;
  for (let i = 0; i < 2; i++) assert.deepEqual(rowsOf(short, identifiers, lists), [0, 1, 2]);
  assert.equal(identifiers.lookups, 6);
});

test('joined lists hold all identifiers, and their long parts are still recognized', () => {
  const identifiers = new Counted(5000, words(5000));
  const lists = new RowsOfLists<string>();
  const long = Object.freeze(words(LONG_LIST));
  assert.equal(joinedLists([], long, []), long);
  assert.deepEqual(joinedLists(['a'], [], ['b', 'a']), ['a', 'b', 'a']);
  assert.deepEqual(joinedLists(), []);
  const joined = joinedLists(joinedLists(['item 4000'], long), ['item 4001']);
  assert.deepEqual([...joined], ['item 4000', ...long, 'item 4001']);
  assert.deepEqual(rowsOf(joined, identifiers, lists), plainRowsOf(joined, identifiers));
  identifiers.lookups = 0;
  rowsOf(joinedLists(['item 4002'], long), identifiers, lists);
  assert.equal(identifiers.lookups, 1);
});
