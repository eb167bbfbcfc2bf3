/** Rules on every index that holds its candidates: against their definitions, with deletes, filters and ties. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { callWithRules, callWithRulesAsync } from '../../src/rules/call-with-rules.ts';
import type { CandidateValue, Rules } from '../../src/rules/contract.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { CallOptions, UpdatableTopK } from '../../src/topk/contract.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { dot, mayJoin, type PlainCall, type PlainCandidate, plainRules } from './plain-rules.ts';

type Index = UpdatableTopK<ArrayLike<number>, string, CallOptions<string>> & {
  index(candidates: readonly ArrayLike<number>[], identifiers: readonly string[]): unknown;
};

interface IndexCase {
  name: string;
  make: () => Index;
  /** Options that make its results those of a sort. */
  exactly: object;
}

const INDEXES: readonly IndexCase[] = [
  { name: 'BruteForce', make: () => new BruteForce<ArrayLike<number>, string>(), exactly: {} },
  {
    name: 'ScaNN without leaves',
    make: () => new ScaNN<ArrayLike<number>, string>({ tree: 'never' }) as Index,
    exactly: {},
  },
  {
    name: 'ScaNN with leaves',
    make: () => new ScaNN<ArrayLike<number>, string>({ tree: 'always', numLeaves: 6, numLeavesToSearch: 1 }) as Index,
    exactly: { exact: true },
  },
];

const value = fc.constantFrom<CandidateValue>('x', 'y', 'z', 1, true);
// Whole numbers: sums are exact, and many candidates have equal scores.
const vector = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 3, maxLength: 3 });
const candidates = fc
  .array(
    fc.record({
      vector,
      identifier: fc.option(fc.constantFrom('twice', 'two times'), { freq: 8 }),
      genre: fc.option(fc.array(value, { maxLength: 3 })),
      year: fc.option(fc.integer({ min: 1, max: 4 })),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((list) =>
    list.map(({ vector, identifier, genre, year }, row): PlainCandidate => {
      return { row, vector, identifier: identifier ?? `c${row}`, attributes: { genre, year } };
    }),
  );
const identifiers = fc.array(
  fc.oneof(
    fc.nat(59).map((row) => `c${row}`),
    fc.constantFrom('twice', 'nobody'),
  ),
  {
    maxLength: 6,
  },
);
const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const weight = fc.constantFrom(0, 0.3, 0.5, 0.8, 1);
const rules: fc.Arbitrary<Rules<string>> = fc.record({
  perValue: some(fc.dictionary(fc.constantFrom('genre', 'year'), fc.integer({ min: 1, max: 3 }))),
  mmr: some(fc.record({ weight, candidates: some(fc.integer({ min: 1, max: 12 })) }, { requiredKeys: ['weight'] })),
  scoreThreshold: some(fc.integer({ min: -6, max: 9 })),
  pin: some(identifiers),
  block: some(identifiers),
}) as fc.Arbitrary<Rules<string>>;
const call = fc.record({
  k: fc.integer({ min: 0, max: 15 }),
  exclude: some(identifiers),
  include: fc.option(identifiers, { nil: undefined, freq: 5 }),
  modulus: some(fc.integer({ min: 2, max: 4 })),
});
const deleted = fc.array(fc.nat(59), { maxLength: 8 });

/** Attributes of candidates by row. */
const attributesOf = (list: readonly PlainCandidate[]): NonNullable<Rules<string>['attributes']> => ({
  genre: list.map(({ attributes }) => attributes.genre ?? null),
  year: list.map(({ attributes }) => attributes.year ?? null),
});

/** A filter by identifier as a predicate, or as bit words over the rows. */
function filterOf(
  list: readonly PlainCandidate[],
  modulus: number | undefined,
  asWords: boolean,
): CallOptions<string> & PlainCall {
  if (modulus === undefined) return {} as PlainCall;
  const filter = (identifier: string): boolean => identifier.length % modulus !== 0;
  if (!asWords) return { filter } as PlainCall;
  const words = new Int32Array(Math.ceil(list.length / 128) * 4);
  list.forEach(({ identifier, row }) => {
    if (filter(identifier)) words[row >>> 5]! |= 1 << (row & 31);
  });
  return { filter: words } as never;
}

for (const { name, make, exactly } of INDEXES) {
  describe(name, () => {
    const indexed = (list: readonly PlainCandidate[]): Index => {
      const index = make();
      index.index(
        list.map(({ vector }) => vector),
        list.map(({ identifier }) => identifier),
      );
      return index;
    };

    test('results are those of the definitions, with ties, filters, lists of identifiers and deletes', () => {
      fc.assert(
        fc.property(
          candidates,
          vector,
          rules,
          call,
          deleted,
          fc.boolean(),
          (list, query, rules, call, gone, asWords) => {
            const index = indexed(list);
            const away = gone.map((row) => `c${row}`);
            index.delete(away);
            const { k, exclude, include, modulus } = call;
            const plain = { k, ...(exclude && { exclude }), ...(include && { include }) };
            const expected = plainRules(
              list.filter(({ identifier }) => !away.includes(identifier)),
              query,
              rules,
              { ...plain, ...filterOf(list, modulus, false) },
            );
            const options = { ...plain, ...filterOf(list, modulus, asWords), ...exactly };
            const found = callWithRules(index, query, { ...rules, attributes: attributesOf(list) }, options);
            assert.deepEqual(
              [[...found.rowsOf()], [...found.scoresOf()], found.identifiers()],
              [
                expected.map(({ row }) => row),
                expected.map(({ score }) => score),
                expected.map((one) => one.identifier),
              ],
            );
            index.free();
          },
        ),
        { seed: 14, numRuns: 150 },
      );
    });

    test('batches give what single queries give, on other threads too, and nothing is left in the way', async () => {
      const list = Array.from({ length: 40 }, (_, row): PlainCandidate => {
        const attributes = { genre: ['x', 'y', 'z'].slice(row % 3), year: row % 5 };
        return { row, identifier: `c${row}`, vector: [row % 7, 3 - (row % 4), row % 3], attributes };
      });
      const index = indexed(list);
      const queries = [
        [1, 2, 0],
        [0, -1, 2],
        [3, 0, 1],
      ];
      const rules: Rules<string> = {
        ...{ perValue: { genre: 4, year: 2 }, attributes: attributesOf(list), pin: ['c7'], mmr: { weight: 0.6 } },
      };
      const exclude = [['c1'], [], ['c2', 'c3']];
      const batch = callWithRules(index, queries, rules, { k: 6, exclude, ...exactly });
      const later = callWithRulesAsync(index, queries, rules, { k: 6, exclude, ...exactly });
      const upserted = index.upsertAsync(['c39'], [[9, 9, 9]]);
      for (const result of [batch, await later]) {
        queries.forEach((query, i) => {
          const expected = plainRules(list, query, rules, { k: 6, exclude: exclude[i]! });
          assert.deepEqual(
            [...result.rowsOf(i)],
            expected.map(({ row }) => row),
          );
        });
      }
      await upserted;
      index.free();
    });
  });
}

test('through few leaves the rules hold exactly, and there are k results while k candidates obey them', () => {
  fc.assert(
    fc.property(candidates, vector, rules, fc.integer({ min: 1, max: 12 }), (list, query, rules, k) => {
      const { mmr: _, scoreThreshold: __, ...others } = rules;
      const index = INDEXES[2]!.make();
      index.index(
        list.map(({ vector }) => vector),
        list.map(({ identifier }) => identifier),
      );
      const found = callWithRules(index, query, { ...others, attributes: attributesOf(list) }, { k });
      const results = [...found.rowsOf()].map((row) => list[row]!);
      for (const [i, result] of results.entries()) {
        assert.ok(mayJoin(result, results.slice(0, i), others), 'one too many of a value');
        assert.ok(!others.block?.includes(result.identifier), 'a blocked one');
        assert.equal(found.scoresOf()[i], dot(query, result.vector));
      }
      if (results.length < k) {
        const left = list.filter((other) => !results.includes(other) && !others.block?.includes(other.identifier));
        assert.ok(!left.some((candidate) => mayJoin(candidate, results, others)), 'one more would obey the rules');
      }
      index.free();
    }),
    { seed: 5, numRuns: 150 },
  );
});
