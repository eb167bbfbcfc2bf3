/**
 * The cases of every top-k index: known results, TFRS's grid of 96 cases compared with a sort, TFRS's golden figures,
 * and faults of TFRS that an index must not have.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CandidateBatch, Identifier, TopK, TopKOptions } from '../../src/topk/contract.ts';
import type { TopKResult } from '../../src/topk/result.ts';
import { golden } from '../golden/golden.ts';
import { bestRows, normalRows } from './oracle.ts';

/** An index under test. */
export interface TopKCase {
  name: string;
  /** A new index that returns exact results. */
  make<Q, I extends Identifier>(options: TopKOptions<Q>): TopK<Q, I>;
  /** Why the cases are skipped; false when they run. */
  skip?: string | false;
}

interface TopKGolden {
  candidates: number[][];
  queries: number[][];
  exclude_top2: number[][];
  upstream_exclude: number[][];
  [name: string]: number[][] | { ids: number[][]; scores: number[][] };
}

const SCORE_TOLERANCE = 1e-4;

/** Candidates with optional identifiers as a data set of batches of `size` rows. */
export function batches<I extends Identifier>(
  candidates: readonly ArrayLike<number>[],
  identifiers: readonly I[] | undefined,
  size: number,
): CandidateBatch<I>[] {
  const parts: CandidateBatch<I>[] = [];
  for (let begin = 0; begin < candidates.length; begin += size) {
    const rows = candidates.slice(begin, begin + size);
    parts.push(identifiers ? [identifiers.slice(begin, begin + size), rows] : rows);
  }
  return parts;
}

function assertClose(actual: Float32Array, expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  expected.forEach((score, i) => {
    assert.ok(Math.abs(actual[i]! - score) <= SCORE_TOLERANCE, `score ${i}: expected ${score}, got ${actual[i]}`);
  });
}

const lists = <I extends Identifier>(result: TopKResult<I>): I[][] =>
  Array.from({ length: result.queries }, (_, query) => result.identifiers(query));

/** Declare the cases for one index. */
export function runTopKCases({ name, make, skip = false }: TopKCase): void {
  const titles = ['a', 'b', 'c', 'd'];
  const rows = [
    [1, 0],
    [0, 1],
    [3, 1],
    [2, 2],
  ];
  const known = (k = 10): Promise<TopK<ArrayLike<number>, string>> =>
    make<ArrayLike<number>, string>({ k }).indexFromDataset([[titles, rows]]);

  describe(`${name}: a top-k index`, { skip }, () => {
    test('known answer, one query and a batch', async () => {
      const index = await known(2);
      assert.deepEqual(index.call([1, 0]).hits(), [
        { identifier: 'c', score: 3 },
        { identifier: 'd', score: 2 },
      ]);
      const queries = [
        [1, 0],
        [0, 1],
      ];
      assert.deepEqual(lists(index.call(queries)), [
        ['c', 'd'],
        ['d', 'b'],
      ]);
      assert.deepEqual(lists(index.call(Float32Array.of(0, -1), 3)), [['a', 'b', 'c']]);
    });

    test('ties go to the earlier row, duplicates of an identifier are separate rows', async () => {
      const equal = Array.from({ length: 50 }, () => [1, 1]);
      const index = await make<ArrayLike<number>, string>({}).indexFromDataset(
        batches(
          equal,
          equal.map((_, i) => `same ${i % 3}`),
          7,
        ),
      );
      const result = index.call([1, 1], 5);
      assert.deepEqual([...result.rowsOf()], [0, 1, 2, 3, 4]);
      assert.deepEqual(result.identifiers(), ['same 0', 'same 1', 'same 2', 'same 0', 'same 1']);
    });

    test('k of 0, of more than there are, and per call', async () => {
      const index = await known(3);
      assert.equal(index.k, 3);
      assert.deepEqual(lists(index.call([[1, 0]], 0)), [[]]);
      assert.deepEqual(lists(index.call([[1, 0]], 9)), [['c', 'd', 'a', 'b']]);
      assert.deepEqual(lists(index.call([[1, 0]], { k: 1 })), [['c']]);
      assert.equal(index.call([[1, 0]]).k, 3);
      assert.equal(index.call([], 2).queries, 0);
    });

    test('identifiers are strings, numbers or bigints, returned as given', async () => {
      for (const identifiers of [['x', '', 'é', '10'], [7, -1, 0.5, 2 ** 60], [1n, 2n ** 70n, -5n, 0n], undefined]) {
        const index = await make<ArrayLike<number>, Identifier>({ k: 4 }).indexFromDataset(
          batches<Identifier>(rows, identifiers, 3),
        );
        const found = index.call([1, 0.5]).identifiers();
        assert.deepEqual(
          found,
          [2, 3, 0, 1].map((row) => identifiers?.[row] ?? row),
        );
        const left = index.queryWithExclusions([1, 0.5], [found[0]!, found[2]!]).identifiers();
        assert.deepEqual(left, [found[1], found[3]]);
      }
    });

    test('raw features go through the query model, one or a batch', async () => {
      const { Matrix } = await import('../../src/vectors/matrix.ts');
      const queryModel = {
        dimensions: 2,
        embed: (features: readonly string[]) =>
          Matrix.from(
            'towers',
            features.map((word) => (word === '42' ? [0, 1] : [1, 0])),
          ),
      };
      const index = await make<string, string>({ queryModel, k: 1 }).indexFromDataset([[titles, rows]]);
      assert.deepEqual(lists(index.call('42')), [['d']]);
      assert.deepEqual(lists(index.call(['1', '42'])), [['c'], ['d']]);
      assert.deepEqual(lists(index.call(Matrix.from('embedding', [[0, 1]]))), [['d']]);
    });

    test('exclusions: every row of an identifier, any score, ragged, shared, unknown ones passed over', async () => {
      const many = make<ArrayLike<number>, string>({});
      await many.indexFromDataset([
        [
          ['x', 'x', 'x', 'y', 'z'],
          [[5], [4], [3], [2], [1]],
        ],
      ]);
      assert.deepEqual(lists(many.queryWithExclusions([[1]], [['x']], 2)), [['y', 'z']]);

      const huge = make<ArrayLike<number>, string>({});
      await huge.indexFromDataset([
        [
          ['h', 'i', 'j'],
          [[1e6], [3e38], [1]],
        ],
      ]);
      assert.deepEqual(lists(huge.queryWithExclusions([[1]], [['h', 'i']], 2)), [['j']]);
      assert.deepEqual(lists(huge.call([[100]], 3)), [['i', 'h', 'j']], 'infinite scores are scores');
      assert.deepEqual(lists(huge.call([[-100]], 3)), [['j', 'h', 'i']], 'also those below everything');

      const index = await known();
      assert.deepEqual(lists(index.queryWithExclusions([[1, 0]], [['d', 'c']], 3)), [['a', 'b']], 'k + E > N');
      assert.deepEqual(lists(index.queryWithExclusions([[1, 0]], [titles])), [[]], 'all excluded');
      const two = [
        [1, 0],
        [0, 1],
      ];
      assert.deepEqual(lists(index.queryWithExclusions(two, [['c', 'nobody', 'c'], []], 2)), [
        ['d', 'a'],
        ['d', 'b'],
      ]);
      assert.deepEqual(lists(index.queryWithExclusions(two, [['c']], 2)), [
        ['d', 'a'],
        ['d', 'b'],
      ]);
      assert.deepEqual(lists(index.queryWithExclusions(two, ['d'], 2)), [
        ['c', 'a'],
        ['b', 'c'],
      ]);
      assert.deepEqual(lists(index.queryWithExclusions(two, [], 1)), [['c'], ['d']]);
      assert.throws(() => index.queryWithExclusions(two, [['a'], ['b'], ['c']]), { code: 'ERR_SHAPE' });
      assert.throws(() => index.queryWithExclusions(two, [7 as unknown as string]), { code: 'ERR_IDENTIFIER' });
    });

    test('include lists and predicates are row filters as well', async () => {
      const index = await known();
      assert.deepEqual(lists(index.call([[1, 0]], { include: ['b', 'a', 'nobody'] })), [['a', 'b']]);
      assert.deepEqual(lists(index.call([[1, 0]], { include: [] })), [[]]);
      assert.deepEqual(lists(index.call([[1, 0]], { filter: (title, row) => title !== 'c' && row < 3 })), [['a', 'b']]);
      assert.deepEqual(
        lists(index.call([[1, 0]], { filter: Int32Array.of(0b1011) })),
        lists(index.call([[1, 0]], { filter: (_title, row) => [0, 1, 3].includes(row) })),
      );
      const both = { include: ['a', 'b', 'c'], filter: (title: string) => title !== 'b', exclude: [['c'], []] };
      const two = [
        [1, 0],
        [1, 0],
      ];
      assert.deepEqual(lists(index.call(two, both)), [['a'], ['c', 'a']]);
      const filter = (async () => false) as unknown as () => boolean;
      assert.throws(() => index.call([[1, 0]], { filter }), {
        code: 'ERR_OPTION',
        message: /^filter: .* got a promise$/,
      });
    });

    test('re-indexing replaces the candidates, and without identifiers they are row numbers again', async () => {
      const index = await known();
      await index.indexFromDataset([[[0], [2], [1]]] as never);
      assert.deepEqual(lists(index.call([1] as never)), [[1, 2, 0]] as never);
    });

    test('bad input is named', async () => {
      const fresh = make<ArrayLike<number>, string>({});
      assert.throws(() => fresh.call([[1, 0]]), { code: 'ERR_STATE' });
      const index = await known();
      const fails = (dataset: unknown, code: string, words: RegExp): Promise<void> =>
        assert.rejects(
          async () => {
            const asked = await make<ArrayLike<number>, string>({}).indexFromDataset(dataset as never);
            asked.call([1, 0]);
          },
          (error: Error & { code?: string }) => error.code === code && words.test(error.message),
        );
      await fails([[['a', 'b'], rows]], 'ERR_SHAPE', /4 candidates and 2 identifiers/);
      await fails([[['a', 2, 'c', 'd'], rows]], 'ERR_IDENTIFIER', /2 in row 1/);
      await fails(
        [
          [titles, rows],
          [[1], [[1, 2]]],
        ],
        'ERR_IDENTIFIER',
        /1 in row 4/,
      );
      await fails([[titles, rows], rows], 'ERR_OPTION', /got none from row 4/);
      await fails([rows, [[1, 2, 3]]], 'ERR_SHAPE', /got 3 from row 4/);
      await fails(
        [
          rows,
          [
            [1, 2],
            [1, Number.NaN],
          ],
        ],
        'ERR_NOT_FINITE',
        /NaN in row 5, column 1/,
      );
      await fails(
        [
          [
            [1, 2],
            [1e39, 0],
          ],
        ],
        'ERR_NOT_FINITE',
        /Infinity in row 1, column 0/,
      );
      await fails([[1, 2]], 'ERR_SHAPE', /array of 2 that is neither/);
      await fails([[['a'], [[1, 2]], 'extra']], 'ERR_SHAPE', /array of 3 that is neither/);
      assert.throws(() => index.call([1, 2, 3]), { code: 'ERR_SHAPE', message: /expected 2 dimensions .* got 3/ });
      assert.throws(
        () =>
          index.call([
            [1, 2],
            [1, Number.NEGATIVE_INFINITY],
          ]),
        {
          code: 'ERR_NOT_FINITE',
          message: /row 1, column 1/,
        },
      );
      assert.throws(() => index.call('42' as never), { code: 'ERR_OPTION', message: /no query model/ });
      assert.throws(() => index.call([1, 0], -1), { code: 'ERR_OPTION' });
      assert.throws(() => index.call([1, 0], 1.5), { code: 'ERR_OPTION' });
    });

    test('no candidates: empty results', async () => {
      const index = await make<ArrayLike<number>, string>({}).indexFromDataset([]);
      assert.deepEqual(lists(index.call([[1, 2]])), [[]]);
    });

    for (const k of [5, 10]) {
      for (const batch of [3, 16]) {
        for (const queryCount of [3, 15, 16]) {
          for (const n of [1024, 128]) {
            grid(make, k, batch, queryCount, n);
          }
        }
      }
    }

    test("TFRS's golden results", async () => {
      const facts = golden<TopKGolden>('top-k');
      for (const [variant, exclusions] of [
        ['', undefined],
        ['_exclude_top2', facts.exclude_top2],
        ['_upstream_exclude', facts.upstream_exclude],
      ] as const) {
        for (const k of [5, 10]) {
          const expected = facts[`k${k}${variant}`] as { ids: number[][]; scores: number[][] } | undefined;
          if (!expected) continue;
          const index = make<ArrayLike<number>, number>({ k });
          await index.indexFromDataset(batches<number>(facts.candidates, undefined, 32));
          const result = exclusions ? index.queryWithExclusions(facts.queries, exclusions) : index.call(facts.queries);
          assert.deepEqual(lists(result), expected.ids);
          expected.scores.forEach((scores, query) => {
            assertClose(result.scoresOf(query), scores);
          });
        }
      }
    });
  });
}

interface Grid {
  candidates: Float32Array[];
  queries: Float32Array[];
  /** The best rows of each query. */
  best: ReturnType<typeof bestRows>[];
  /** The rows that are excluded for each query, and the best of the others. */
  excluded: number[][];
  bestOthers: ReturnType<typeof bestRows>[];
}

/** The oracle's answers, which every implementation and every size of batches shares. */
const grids: Map<string, Grid> = new Map();

function gridOf(k: number, queryCount: number, n: number): Grid {
  const key = `${k} ${queryCount} ${n}`;
  let known = grids.get(key);
  if (!known) {
    const candidates = normalRows(n, 4, 42, 'candidates');
    const queries = normalRows(queryCount, 4, 42, 'queries');
    const best = queries.map((query) => bestRows(query, candidates, k));
    const excluded = best.map((rows, query) => [rows[0]!.row, rows[2]!.row, query]);
    const bestOthers = queries.map((query, b) => bestRows(query, candidates, k, (row) => !excluded[b]!.includes(row)));
    known = { candidates, queries, best, excluded, bestOthers };
    grids.set(key, known);
  }
  return known;
}

/** Four of TFRS's cases: with and without identifiers and exclusions; each asked twice. */
function grid(make: TopKCase['make'], k: number, batch: number, queryCount: number, n: number): void {
  test(`grid: k ${k}, batches of ${batch}, ${queryCount} queries, ${n} candidates`, async () => {
    const { candidates, queries, best, excluded, bestOthers } = gridOf(k, queryCount, n);
    for (const identifiers of [candidates.map((_, row) => String(row)), undefined]) {
      const index = make<ArrayLike<number>, Identifier>({ k });
      await index.indexFromDataset(batches<Identifier>(candidates, identifiers, batch));
      const named = (row: number): Identifier => identifiers?.[row] ?? row;
      const exclusions = excluded.map((rows) => rows.map(named));
      for (const isExcluding of [true, false]) {
        for (let round = 0; round < 2; round++) {
          const result = isExcluding ? index.queryWithExclusions(queries, exclusions) : index.call(queries);
          for (const [b, rows] of (isExcluding ? bestOthers : best).entries()) {
            assert.deepEqual(
              result.identifiers(b),
              rows.map(({ row }) => named(row)),
            );
            assertClose(
              result.scoresOf(b),
              rows.map(({ score }) => score),
            );
          }
        }
      }
    }
  });
}
