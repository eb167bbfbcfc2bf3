/**
 * Similar candidates: known results, every index compared with a readable reference, filters and exclusions, and
 * refusals.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Runtime } from '../../src/parallel/runtime.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { CallOptions, UpdatableTopK } from '../../src/topk/contract.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { type SimilarTo, similar, similarAsync } from '../../src/topk/similar.ts';
import { normalRows } from '../conformance/oracle.ts';

const runtime = new Runtime({ threads: 2 });
const D = 5;
const ROWS = 90;
const plain = normalRows(ROWS, D, 31);
const unit = plain.map((row) => row.map((x) => x / Math.hypot(...row)));
/** All of one length, which is not 1. */
const long = unit.map((row) => row.map((x) => 3 * x));
const names = plain.map((_, i) => `item ${i}`);

type Index = UpdatableTopK<ArrayLike<number>, string, CallOptions<string>>;
const everything = { tree: 'always', numLeaves: 5, minLeafSize: 2, numLeavesToSearch: 5, runtime } as const;
const all = { ...everything, numReorderingCandidates: 10_000 };
const INDEXES: Record<string, () => Index> = {
  BruteForce: () => new BruteForce<ArrayLike<number>, string>({ runtime }),
  'ScaNN with leaves': () => new ScaNN<ArrayLike<number>, string>(all),
  'ScaNN without leaves': () => new ScaNN<ArrayLike<number>, string>({ tree: 'never', runtime }),
  'ScaNN of cosine': () => new ScaNN<ArrayLike<number>, string>({ ...all, distanceMeasure: 'cosine' }),
  'ScaNN of squared distances': () => new ScaNN<ArrayLike<number>, string>({ ...all, distanceMeasure: 'squared_l2' }),
};

/** The reference: every candidate scored, sorted. */
function reference(
  held: ReadonlyMap<string, ArrayLike<number>>,
  to: readonly string[],
  isSquared: boolean,
): { identifier: string; score: number }[] {
  const scaledTo = (row: ArrayLike<number>): number[] => {
    const length = isSquared ? 1 : Math.hypot(...Array.from(row));
    return Array.from(row, (x) => x / length);
  };
  const asked = to.map((id) => scaledTo(held.get(id)!));
  const mean = Array.from({ length: D }, (_, t) => asked.reduce((sum, row) => sum + row[t]!, 0) / asked.length);
  const query = isSquared ? mean : scaledTo(mean);
  return [...held]
    .filter(([id]) => !to.includes(id))
    .map(([identifier, row]) => {
      const x = scaledTo(row);
      const terms = x.map((value, t) => (isSquared ? -((value - query[t]!) ** 2) : value * query[t]!));
      return { identifier, score: terms.reduce((sum, term) => sum + term, 0) };
    })
    .sort((a, b) => b.score - a.score);
}

function assertHits(
  found: readonly { identifier: string; score: number }[],
  expected: readonly { identifier: string; score: number }[],
): void {
  assert.deepEqual(
    found.map(({ identifier }) => identifier),
    expected.map(({ identifier }) => identifier),
  );
  found.forEach(({ score }, i) => {
    assert.ok(Math.abs(score - expected[i]!.score) < 1e-4, `score ${i}: ${score} for ${expected[i]!.score}`);
  });
}

test('known answer: by cosine the direction counts, and not the length, which says how much everybody likes an item', () => {
  const rows = [
    [1, 0],
    [0.9, 0.1],
    [50, 50],
    [0, 1],
    [-1, 0],
  ];
  for (const make of [INDEXES.BruteForce!, INDEXES['ScaNN without leaves']!]) {
    const index = make().index(rows, ['a', 'near a', 'popular', 'other', 'opposite']);
    assert.equal(index.call([rows[0]!], 1).identifiers()[0], 'popular');
    const found = similar(index, 'a', 9);
    assert.deepEqual(found.identifiers(), ['near a', 'popular', 'other', 'opposite']);
    assert.deepEqual(
      [...found.scoresOf()].map((score) => score.toFixed(3)),
      ['0.994', '0.707', '0.000', '-1.000'],
    );
    assert.deepEqual(similar(index, ['a', 'other'], 2).identifiers(), ['popular', 'near a']);
    assert.deepEqual(similar(index, { vector: [0, 9] }, 2).identifiers(), ['other', 'popular']);
  }
});

test('squared distances are compared as they are', () => {
  const index = INDEXES['ScaNN of squared distances']!().index(
    [
      [1, 0],
      [9, 0],
      [1, 1],
    ],
    ['a', 'far', 'near'],
  );
  assert.deepEqual(similar(index, 'a').hits(), [
    { identifier: 'near', score: -1 },
    { identifier: 'far', score: -64 },
  ]);
});

for (const [name, make] of Object.entries(INDEXES)) {
  const isSquared = name.includes('squared');
  describe(`${name}: similar`, () => {
    for (const [lengths, rows] of Object.entries({ 'different lengths': plain, 'length 1': unit, 'length 3': long })) {
      test(`candidates of ${lengths}, as the reference, now and while the thread goes on, after updates`, async () => {
        const index = make().index(rows, names);
        const held = new Map<string, ArrayLike<number>>(names.map((id, i) => [id, rows[i]!]));
        const check = async (to: readonly string[]): Promise<void> => {
          const expected = reference(held, to, isSquared).slice(0, 7);
          assertHits(similar(index, to, 7).hits(), expected);
          assertHits((await similarAsync(index, to, 7)).hits(), expected);
        };
        await check(['item 4']);
        await check(['item 4', 'item 80', 'item 3']);
        index.upsert(['new', 'item 5'], [rows[4]!.map((x) => x * 0.99), rows[7]!]);
        held
          .set(
            'new',
            rows[4]!.map((x) => x * 0.99),
          )
          .set('item 5', rows[7]!);
        index.delete(['item 7']);
        held.delete('item 7');
        await check(['item 4']);
        await check(['item 5', 'new']);
      });
    }

    test('filters, include lists and exclusions as for queries; k results while k exist', () => {
      const index = make().index(plain, names);
      const held = new Map<string, ArrayLike<number>>(names.map((id, i) => [id, plain[i]!]));
      fc.assert(
        fc.property(
          fc.uniqueArray(fc.nat(ROWS - 1), { minLength: 1, maxLength: 4 }),
          fc.array(fc.nat(ROWS - 1), { maxLength: 60 }),
          fc.option(fc.array(fc.nat(ROWS - 1), { maxLength: 30 }), { nil: undefined }),
          fc.integer({ min: 1, max: 12 }),
          fc.boolean(),
          (asked, left, kept, k, filters) => {
            const to = asked.map((i) => names[i]!);
            const exclude = left.map((i) => names[i]!);
            const include = kept?.map((i) => names[i]!);
            const filter = filters ? (id: string) => Number(id.slice(5)) % 3 !== 0 : undefined;
            const expected = reference(held, to, isSquared).filter(
              ({ identifier }) =>
                !exclude.includes(identifier) &&
                (include?.includes(identifier) ?? true) &&
                (filter?.(identifier) ?? true),
            );
            assertHits(similar(index, to, { k, exclude, include, filter }).hits(), expected.slice(0, k));
          },
        ),
        { numRuns: 40, seed: 3 },
      );
    });

    test('what is unknown, empty, of another width or without direction is refused by name', () => {
      const index = make().index(
        [
          [0, 0],
          [1, 2],
          [3, 4],
        ],
        ['zero', 'constructor', 'b'],
      );
      assert.deepEqual(similar(index, 'constructor').identifiers().at(0), isSquared ? 'zero' : 'b');
      assert.throws(() => similar(index, 'toString'), { code: 'ERR_IDENTIFIER', message: /"toString"/ });
      assert.throws(() => similar(index, []), { code: 'ERR_OPTION', message: /at least one identifier/ });
      assert.throws(() => similar(index, { vector: [1] }), { code: 'ERR_SHAPE', message: /expected 2 numbers, got 1/ });
      assert.throws(() => similar(index, 'b', { kk: 3 } as CallOptions<string>), { code: 'ERR_OPTION', message: /kk/ });
      assert.throws(() => similar(index, 'b', { exclude: [['a'], ['b']] }), { code: 'ERR_SHAPE' });
      if (!isSquared) {
        assert.throws(() => similar(index, 'zero'), { code: 'ERR_OPTION', message: /only zeros/ });
        assert.throws(() => similar(index, { vector: [0, 0] }), { code: 'ERR_OPTION' });
      }
      assert.throws(() => similar(make(), { vector: [] } as SimilarTo<string>), { code: 'ERR_STATE' });
    });
  });
}

test('where all candidates have one length the search of the index answers, and else all are looked at', () => {
  const work = (rows: readonly ArrayLike<number>[]): number => {
    const index = new ScaNN<ArrayLike<number>, string>(all).index(rows, names);
    const counts = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
    similar(index, 'item 3', { work: counts } as CallOptions<string>);
    return counts.queries;
  };
  assert.deepEqual([unit, long, plain].map(work), [1, 1, 0]);
});

test('an index without candidates finds nothing similar to a vector of any width', () => {
  const index = new BruteForce({ runtime: new Runtime({ threads: 1 }) }).index([]);
  assert.deepEqual([...similar(index, { vector: [1, 2] }, 3).counts], [0]);
});
