/**
 * Interactions as columns, lists of them, and splits: small cases with known results, and properties of all
 * interactions.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { distinctPairs } from '../../src/data/distinct-pairs.ts';
import { dictionaryColumn, type Interactions, interactionsOf, takeInteractions } from '../../src/data/interactions.ts';
import { itemsByUser, listOf, transposeLists } from '../../src/data/items-by-user.ts';
import { leaveLastOut, splitByTime } from '../../src/data/split.ts';

/** Rows as `user item time`, separated by commas. */
function rows(text: string): Interactions {
  const cells = text.split(',').map((row) => row.trim().split(' '));
  return interactionsOf({
    users: dictionaryColumn(cells.map(([user]) => user!)),
    items: dictionaryColumn(cells.map(([, item]) => item!)),
    times: cells[0]!.length > 2 ? Float64Array.from(cells, ([, , time]) => Number(time)) : undefined,
  });
}

/** `user item` of every row. */
function words({ users, items, length }: Interactions): string[] {
  return Array.from({ length }, (_, i) => `${users.vocabulary[users.codes[i]!]} ${items.vocabulary[items.codes[i]!]}`);
}

test('columns of words keep every word once, in the order of appearance', () => {
  const { codes, vocabulary } = dictionaryColumn(['b', 'a', 'b', '007']);
  assert.deepEqual(
    [[...codes], vocabulary],
    [
      [0, 1, 0, 2],
      ['b', 'a', '007'],
    ],
  );
});

test('columns that do not fit are refused, the row named', () => {
  const users = dictionaryColumn(['u', 'v']);
  const items = dictionaryColumn(['i', 'j']);
  const refused = (columns: object, code: string, message: RegExp): void =>
    assert.throws(() => interactionsOf({ users, items, ...columns }), { code, message });
  refused(
    { items: dictionaryColumn(['i']) },
    'ERR_SHAPE',
    /^interactions\.items: expected 2 rows as users have, got 1$/,
  );
  refused({ times: Float64Array.of(1, Number.NaN) }, 'ERR_NOT_FINITE', /^interactions\.times: .* got NaN in row 1$/);
  refused({ weights: Float32Array.of(1, -1) }, 'ERR_OPTION', /^interactions\.weights: .* got -1 in row 1$/);
  refused(
    { users: { codes: Int32Array.of(0, 2), vocabulary: ['u', 'v'] } },
    'ERR_SHAPE',
    /codes from 0 to 1, got 2 in row 1$/,
  );
  refused({ users: { codes: Int32Array.of(0, 0), vocabulary: [] } }, 'ERR_SHAPE', /vocabulary is empty/);
  assert.throws(() => takeInteractions(rows('u i'), Int32Array.of(1)), { code: 'ERR_SHAPE' });
});

test('lists are in the order of time, a repeated item where it was chosen last, weights summed', () => {
  const interactions = rows('u a 5, u b 1, v a 2, u a 0, u c 3');
  const lists = itemsByUser({ ...interactions, weights: Float32Array.of(1, 2, 1, 0.5, 1) });
  assert.deepEqual(
    [...listOf(lists, 0)].map((item) => interactions.items.vocabulary[item]),
    ['b', 'c', 'a'],
  );
  assert.deepEqual([...lists.weights!], [2, 1, 1.5, 1]);
  assert.deepEqual([...lists.starts], [0, 3, 4]);
  const byItem = transposeLists(lists);
  assert.deepEqual([...listOf(byItem, 0)], [0, 1]);
  assert.deepEqual([...byItem.weights!], [1.5, 1, 2, 1]);
  assert.equal(itemsByUser(rows('u a, v a')).weights, undefined, 'distinct rows have no weights');
});

test('the last rows of a user are held out by time, ties by row, and small users stay whole', () => {
  const { train, test: held } = leaveLastOut(rows('u a 5, u b 1, u c 5, v a 1, u d 9, v b 0, w a 7'), { count: 2 });
  assert.deepEqual(words(held), ['u c', 'u d']);
  assert.deepEqual(words(train), ['u a', 'u b', 'v a', 'v b', 'w a']);
  assert.deepEqual(words(leaveLastOut(rows('u b, u a, v c')).test), ['u a'], 'without times the last row is last');
});

test('a cut in time never parts rows of one moment', () => {
  const interactions = rows('u a 1, u b 2, u c 2, u d 3');
  assert.deepEqual(words(splitByTime(interactions, { testShare: 0.5 }).test), ['u b', 'u c', 'u d']);
  assert.deepEqual(words(splitByTime(interactions, { from: 3 }).test), ['u d']);
  assert.equal(splitByTime(interactions, { testShare: 0 }).test.length, 0);
  assert.throws(() => splitByTime(rows('u a'), { testShare: 0.1 }), { code: 'ERR_STATE' });
});

test('a split parts the rows, draws users by the seed, and holds out only what comes after', () => {
  const row = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 5 }));
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (cells, count) => {
      const interactions = interactionsOf({
        users: dictionaryColumn(cells.map(([user]) => `${user}`)),
        items: dictionaryColumn(cells.map(([, item]) => `${item}`)),
        times: Float64Array.from(cells, ([, , time]) => time),
      });
      const options = { count, maxUsers: 2, seed: 7 };
      const { train, test: held } = leaveLastOut(interactions, options);
      assert.deepEqual([...words(train), ...words(held)].sort(), words(interactions).sort());
      assert.deepEqual(leaveLastOut(interactions, options), { train, test: held }, 'the same seed, the same split');
      const heldUsers = new Set(held.users.codes);
      assert.ok(heldUsers.size <= 2);
      for (const user of heldUsers) {
        const times = (part: Interactions): number[] => [...part.times!].filter((_, i) => part.users.codes[i] === user);
        assert.equal(times(held).length, count);
        assert.ok(Math.max(...times(train)) <= Math.min(...times(held)));
      }
    }),
    { numRuns: 100, seed: 5 },
  );
});

test('a pair that stands several times is its last row with all weights, as the lists have it', () => {
  const again = distinctPairs(rows('u a 5, u b 1, v a 2, u a 3, u a 4'));
  assert.deepEqual(
    [words(again), [...again.times!], [...again.weights!]],
    [
      ['u a', 'u b', 'v a'],
      [5, 1, 2],
      [3, 1, 1],
    ],
  );
  const row = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 9 }));
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (cells) => {
      const interactions = interactionsOf({
        users: dictionaryColumn(cells.map(([user]) => `${user}`)),
        items: dictionaryColumn(cells.map(([, item]) => `${item}`)),
        times: Float64Array.from(cells, ([, , time]) => time),
      });
      const distinct = distinctPairs(interactions);
      const pairs = words(distinct);
      assert.deepEqual([...pairs].sort(), [...new Set(words(interactions))].sort());
      assert.deepEqual(itemsByUser(distinct), itemsByUser(interactions));
      if (pairs.length === cells.length) assert.equal(distinct, interactions);
    }),
    { numRuns: 100, seed: 5 },
  );
});
