/** Next-item examples: known results, and for any interactions no item of the present or the future in a history. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dictionaryColumn, type Interactions, interactionsOf } from '../../src/data/interactions.ts';
import { itemsByUser, listOf } from '../../src/data/items-by-user.ts';
import { nextItemExamples } from '../../src/retrieval/next-item-examples.ts';

function interactions(
  rows: readonly (readonly [user: string, item: string, time: number])[],
  weights?: number[],
): Interactions {
  return interactionsOf({
    users: dictionaryColumn(rows.map(([user]) => user)),
    items: dictionaryColumn(rows.map(([, item]) => item)),
    times: Float64Array.from(rows, ([, , time]) => time),
    ...(weights && { weights: Float32Array.from(weights) }),
  });
}

const ROWS = [
  ['ada', 'b', 20],
  ['ben', 'a', 5],
  ['ada', 'a', 10],
  ['ada', 'c', 30],
  ['ada', 'a', 40],
  ['ada', 'd', 50],
] as const;

test('examples of known interactions: in the order of time, an item chosen again moves to the end and is no example', () => {
  assert.deepEqual(nextItemExamples(interactions(ROWS, [1, 2, 3, 4, 5, 6])), {
    queries: [
      { user: 'ada', history: ['a'] },
      { user: 'ada', history: ['a', 'b'] },
      { user: 'ada', history: ['b', 'c', 'a'] },
    ],
    candidates: ['b', 'c', 'd'],
    sampleWeight: [1, 4, 6],
  });
  const short = nextItemExamples(interactions(ROWS), { maxLength: 1, minLength: 0 });
  assert.deepEqual(
    short.queries.map(({ history }) => history),
    [[], ['a'], ['b'], ['a'], []],
  );
  assert.deepEqual(short.candidates, ['a', 'b', 'c', 'd', 'a']);
  assert.equal(short.sampleWeight, undefined);
  assert.deepEqual(nextItemExamples(interactions(ROWS), { minLength: 3 }).candidates, ['d']);
});

test('numbers out of range and unknown options are refused', () => {
  assert.throws(() => nextItemExamples(interactions(ROWS), { maxLength: 0 }), /maxLength/);
  assert.throws(() => nextItemExamples(interactions(ROWS), { maxLength: 2, minLength: 3 }), /minLength/);
  assert.throws(() => nextItemExamples(interactions(ROWS), { maxLenght: 2 } as never), /maxLength/);
});

test('a history is what the user chose strictly before, without the candidate, and with all rows it is the list of the user', () => {
  const row = fc.tuple(fc.constantFrom('u', 'v', 'w'), fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(6));
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 4 }), (rows, maxLength) => {
      const data = interactions(rows);
      const { queries, candidates } = nextItemExamples(data, { maxLength, minLength: 0 });
      // The same, from the data alone: the first interaction of a user with an item, and the lists of the rows before it.
      const order = rows.map((value, i) => ({ value, i })).sort((a, b) => a.value[2] - b.value[2] || a.i - b.i);
      const expected = order.flatMap(({ value: [user, item] }, at) => {
        const before = order.slice(0, at).filter(({ value }) => value[0] === user);
        if (before.some(({ value }) => value[1] === item)) return [];
        if (before.length === 0) return [{ user, history: [] as string[], item }];
        const past = interactions(before.map(({ value }) => value));
        const list = [...listOf(itemsByUser(past), 0)].map((code) => past.items.vocabulary[code]!);
        return [{ user, history: list.slice(-maxLength), item }];
      });
      const byUser = data.users.vocabulary.flatMap((user) => expected.filter((example) => example.user === user));
      assert.deepEqual(
        queries.map((query, i) => ({ ...query, item: candidates[i] })),
        byUser,
      );
    }),
    { seed: 6, numRuns: 200 },
  );
});
