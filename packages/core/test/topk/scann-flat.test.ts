/**
 * An index without leaves gives the results of the exact index, bit for bit, after every change; so does an exact call.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { balancedPca } from '../../src/quantization/pca.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { CallOptions } from '../../src/topk/contract.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { normalRows } from '../conformance/oracle.ts';

const runtime = new Runtime({ threads: 2 });
const D = 13;
const rows = normalRows(900, D, 3);
/** Enough for rows to be packed. */
const queries = normalRows(17, D, 4);
type Index = ScaNN<ArrayLike<number>, number>;
const numbers = (begin: number, end: number): number[] => Array.from({ length: end - begin }, (_, i) => begin + i);
const build = (options: ScannOptions<ArrayLike<number>>, of = rows): Index =>
  new ScaNN<ArrayLike<number>, number>({ runtime, ...options }).index(of, numbers(0, of.length));

const CALLS: CallOptions<number>[] = [
  { k: 7 },
  { k: 900 },
  { k: 0 },
  { k: 7, exclude: numbers(10, 500) },
  { k: 7, exclude: queries.map((_, b) => numbers(b, 800)) },
  { k: 7, exclude: queries.map((_, b) => (b === 4 ? [2, 2, 5000] : [])) },
  { k: 7, include: numbers(40, 60) },
  { k: 30, filter: (row) => row % 3 === 1, exclude: numbers(0, 300) },
];

/** Both give the same results for each kind of call, for one query and for many. */
async function check(index: Index, oracle: BruteForce<ArrayLike<number>, number>): Promise<void> {
  for (const call of CALLS) {
    const wanted = oracle.call(queries, call);
    for (const found of [index.call(queries, call), await index.callAsync(queries, call)]) {
      assert.deepEqual(found.counts, wanted.counts);
      queries.forEach((_, b) => {
        assert.deepEqual(found.hits(b), wanted.hits(b));
      });
    }
    if (call.exclude && Array.isArray(call.exclude[0])) continue;
    assert.deepEqual(index.call(queries[2]!, call).hits(), wanted.hits(2));
  }
}

for (const reorder of ['float32', 'bfloat16', 'int8'] as const) {
  test(`flat, ${reorder} rows: the exact index over the rows as kept, through upserts, deletes, save and load`, async () => {
    let index = build({ tree: 'never', reorder });
    const kept = (): BruteForce<ArrayLike<number>, number> => {
      const live = index.callExactly(queries[0]!, 2_000).identifiers() as number[];
      const exact = new BruteForce<ArrayLike<number>, number>({ runtime });
      // Rows as they are kept: bfloat16 and int8 rows are not those that were given.
      const unit = numbers(0, D).map((t) => numbers(0, D).map((s) => Number(s === t)));
      const columns = unit.map(
        (axis) =>
          new Map(
            index
              .call(axis, 2_000)
              .hits()
              .map((hit) => [hit.identifier, hit.score]),
          ),
      );
      const order = live.toSorted((a, b) => a - b);
      return exact.index(
        order.map((identifier) => columns.map((column) => column.get(identifier)!)),
        order,
      );
    };
    await check(index, kept());
    index.delete(numbers(100, 180));
    await check(index, kept());
    index.upsert([5, 120, 900, 901], normalRows(4, D, 8));
    await check(index, kept());
    const bytes = bundleToBytes({ index } as never);
    index = (await bundleFromBytes(bytes, { runtime })).index as unknown as Index;
    await check(index, kept());
    index.upsert(numbers(902, 1_500), normalRows(598, D, 9));
    index.delete([905]);
    await check(index, kept());
    assert.equal(index.size, 1_420);
  });
}

test('a call counts what each query may be answered with', () => {
  const index = build({ tree: 'never' });
  index.delete(numbers(0, 100));
  const reordersOf = (call: object): number => {
    const work = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
    index.call(queries, { work, ...call });
    assert.equal(work.queries, 17);
    return work.reorders;
  };
  assert.equal(reordersOf({}), 17 * 800);
  assert.equal(reordersOf({ filter: (row: number) => row < 150 }), 17 * 50);
  assert.equal(reordersOf({ exclude: queries.map((_, b) => (b < 2 ? [50, 200, 201, 201] : [])) }), 17 * 800 - 4);
});

test('an exact call of an index with leaves: the exact index, after changes too', () => {
  for (const options of [{}, { soar: 1 }, { rotation: balancedPca.name }] as ScannOptions<ArrayLike<number>>[]) {
    const index = build({ tree: 'always', numLeaves: 20, ...options });
    index.delete(numbers(0, 50));
    index.upsert([3, 2_000], normalRows(2, D, 6));
    const oracle = new BruteForce<ArrayLike<number>, number>({ runtime }).index(rows, numbers(0, 900));
    oracle.delete(numbers(0, 50));
    oracle.upsert([3, 2_000], normalRows(2, D, 6));
    for (const k of [1, 20, 851, 852, 1_000]) {
      const [found, wanted] = [index.callExactly(queries, k), oracle.call(queries, k)];
      queries.forEach((query, b) => {
        assert.deepEqual(found.hits(b), wanted.hits(b));
        assert.deepEqual(index.callExactly(query, k).hits(), wanted.hits(b));
      });
    }
  }
});

test('an exact call of an index with leaves over several chunks of rows: ties go to the earlier row', () => {
  // Components are small integers, so that many scores are equal.
  const data = new Float32Array(3 * 20_001).map((_, i) => ((i * 7919) % 1009) % 5);
  const asked = { data: data.subarray(0, 3 * 16), dimensions: 3 };
  const [tree, flat] = (['always', 'never'] as const).map((tree) => {
    const options = { runtime, tree, numLeaves: 4, trainingIterations: 1, trainingSampleSize: 500 };
    const index = new ScaNN<ArrayLike<number>, number>(options).index({ data, dimensions: 3 });
    index.delete([5, 8_191, 8_192, 19_000]);
    return index;
  });
  for (const k of [1, 300]) {
    const [found, wanted] = [tree!.callExactly(asked, k), flat!.callExactly(asked, k)];
    for (let query = 0; query < 16; query++) assert.deepEqual(found.hits(query), wanted.hits(query));
  }
});

test('a tree where scoring everything is more work: by candidates times width', () => {
  const kindOf = (count: number, d: number): string =>
    new ScaNN<ArrayLike<number>, number>({ runtime, trainingIterations: 1, numLeaves: 20 })
      .index({ data: new Float32Array(count * d).map((_, i) => ((i * 7919) % 1009) / 1009), dimensions: d })
      .stats().kind;
  assert.equal(kindOf(20_000, 31), 'flat');
  assert.equal(kindOf(20_000, 32), 'tree');
  assert.equal(kindOf(4_000, 160), 'tree');
  assert.equal(kindOf(3_999, 200), 'flat');
});

/** −|q − x|² of float32, every sum in the order of the dimensions. */
function distances(query: ArrayLike<number>, row: ArrayLike<number>): number {
  let sum = 0;
  for (let t = 0; t < D; t++) {
    const difference = Math.fround(query[t]! - row[t]!);
    sum = Math.fround(sum + Math.fround(difference * difference));
  }
  return 0 - sum;
}

for (const reorder of ['float32', 'bfloat16', 'int8'] as const) {
  test(`squared distance, ${reorder} rows: flat calls and exact calls of leaves have the bits of a plain loop`, async () => {
    for (const tree of ['never', 'always'] as const) {
      const index = build({ tree, reorder, numLeaves: 20, distanceMeasure: 'squared_l2' });
      index.delete(numbers(100, 180));
      index.upsert([5, 120, 900, 901], normalRows(4, D, 8));
      const kept = index.keptRows();
      const read = kept.reader();
      const row = new Float32Array(D);
      const live = numbers(0, index.identifiers!.size).filter((at) => kept.isLive(at));
      const scored = queries.map((query) =>
        live.map((at) => {
          read(at, row);
          return { identifier: index.identifiers!.of(at), score: distances(query, row), at };
        }),
      );
      const calls: (CallOptions<number> & { exact: true })[] = CALLS.map((call) => ({ ...call, exact: true }));
      for (const call of calls) {
        const wanted = scored.map((all, b) => {
          const { k = 10, exclude = [], include, filter } = call;
          const left = new Set((Array.isArray(exclude[0]) ? exclude[b] : exclude) as number[]);
          return all
            .filter(({ identifier, at }) => {
              const isAllowed = typeof filter === 'function' ? filter(at, identifier) : true;
              return isAllowed && !left.has(identifier) && (include?.includes(identifier) ?? true);
            })
            .sort((x, y) => y.score - x.score || x.at - y.at)
            .slice(0, k)
            .map(({ identifier, score }) => ({ identifier, score }));
        });
        for (const found of [index.call(queries, call), await index.callAsync(queries, call)]) {
          queries.forEach((_, b) => {
            assert.deepEqual(found.hits(b), wanted[b], `${tree} ${JSON.stringify(Object.keys(call))}`);
          });
        }
        const isForEach = Array.isArray(call.exclude?.[0]);
        if (!isForEach) assert.deepEqual(index.call(queries[2]!, call).hits(), wanted[2]);
      }
    }
  });
}
