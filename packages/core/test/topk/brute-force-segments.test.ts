/** An exact index in segments, each in a memory of its own, has the bits and the order of the same index in one memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSaved } from '../../src/format/part.ts';
import { containerSections } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { loadBruteForce, saveBruteForce } from '../../src/topk/brute-force/saved-brute-force.ts';
import { SegmentedStore } from '../../src/topk/brute-force/segments/segmented-store.ts';
import type { CallOptions } from '../../src/topk/contract.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import { flat, normalRows } from '../conformance/oracle.ts';
import { runTopKCases } from '../conformance/top-k.case.ts';
import { containerOf } from '../format/containers.ts';
import { VARIANTS } from '../kernels/variants.ts';

const [N, D, QUERIES] = [900, 5, 9];
/** A segment of these bytes has 256 rows of D numbers. */
const SEGMENT_BYTES = 256 * D * 4;
/** The numbers of a row where a segment begins. */
const EDGES = [255, 256, 511, 512, 767, 768];

type Index = BruteForce<ArrayLike<number>, number>;

const runtime = new Runtime({ threads: 2 });
const rows = normalRows(N, D, 3);
// Equal scores in several segments.
for (let i = 0; i < 40; i++) rows[N - 1 - 20 * i] = rows[i]!;
const queries = normalRows(QUERIES, D, 4);

const CALLS: Record<string, CallOptions<number>> = {
  plain: { k: 7 },
  'more results than rows of a segment': { k: 400 },
  'all rows': { k: N },
  'a filter': { k: 7, filter: (_, row) => row % 97 === 5 },
  'an include list': { k: 300, include: EDGES },
  'a list of exclusions for each query': { k: 7, exclude: queries.map((_, b) => [b, 256, 300 + b, N - 1]) },
};

function assertSame(one: Index, many: Index, label: string): void {
  for (const [name, options] of Object.entries(CALLS)) {
    const expected = one.call(queries, options);
    const found = many.call(queries, options);
    for (let b = 0; b < QUERIES; b++)
      assert.deepEqual(found.hits(b), expected.hits(b), `${label}, ${name}, query ${b}`);
  }
}

const sizes = (index: Index): number[] => {
  const { store } = index.held;
  assert.ok(store instanceof SegmentedStore);
  return store.segments.map(({ rows: count }) => count);
};

const saved = (index: Index): Uint8Array => containerOf(containerSections(saveBruteForce(index)), index.runtime);
const loaded = (bytes: Uint8Array): Promise<Index> =>
  readSaved(bytesSource(bytes), (part) => loadBruteForce(part) as Index, runtime);

runTopKCases({
  name: 'BruteForce in segments',
  make: (options) => new BruteForce({ ...options, segments: segmentsOf(1), runtime }),
});

for (const { variant, runtime: own, skip } of VARIANTS) {
  test(`the bits of one memory, ${variant}`, { skip }, async () => {
    const one: Index = new BruteForce({ runtime: own });
    const many: Index = new BruteForce({ runtime: own, segments: segmentsOf(SEGMENT_BYTES) });
    one.index(flat(rows));
    many.index(flat(rows));
    assert.deepEqual(sizes(many), [256, 256, 256, 132]);
    assertSame(one, many, 'call');
    for (const options of Object.values(CALLS)) {
      const [expected, found] = [one.call(queries, options), await many.callAsync(queries, options)];
      for (let b = 0; b < QUERIES; b++) assert.deepEqual(found.hits(b), expected.hits(b));
    }
    many.free();
  });
}

test('upserts, deletions, room and growth go on over the edges of segments', async () => {
  const one: Index = new BruteForce({ runtime });
  const many: Index = new BruteForce({ runtime, segments: segmentsOf(SEGMENT_BYTES) });
  const names = rows.map((_, i) => 10 * i);
  for (const index of [one, many]) {
    index.index(flat(rows.slice(0, 250)), names.slice(0, 250));
    index.reserve(400);
  }
  assert.deepEqual(sizes(many), [250, 0, 0]);
  const { room } = many;
  assert.ok(room >= 400, `${room}`);
  const held = many.sizeBytes;
  for (let at = 250; at < 600; at += 35) {
    for (const index of [one, many]) index.upsert(names.slice(at, at + 35), flat(rows.slice(at, at + 35)));
    assertSame(one, many, `${at}`);
  }
  assert.deepEqual(sizes(many), [256, 256, 88]);
  assert.deepEqual([many.room, many.sizeBytes], [room - 350, held], 'there was room, and nothing was allocated');
  for (const index of [one, many]) {
    assert.equal(index.delete([...EDGES.map((row) => 10 * row), 30]), 5);
    index.upsert([2560, 5110, 70], flat(rows.slice(600, 603)));
    index.upsert([9000], flat(rows.slice(603, 604)));
  }
  assertSame(one, many, 'replaced and deleted');
  assert.deepEqual(many.candidateVectors([2560, 9000, 70]), one.candidateVectors([2560, 9000, 70]));
  await many.reserveAsync(1_000);
  assert.ok(many.room >= 1_000);
  assertSame(one, many, 'grown');
  assert.deepEqual(many.savedRows(), one.savedRows());
  const again = await loaded(saved(many));
  assert.deepEqual(sizes(again), [256, 256, 86], 'the rows of deleted candidates are left out');
  assertSame(await loaded(saved(one)), again, 'loaded');
  many.free();
  again.free();
});

test('coarse codes of segments rule nothing out that is a result, also after updates', () => {
  const n = 70_000;
  const many = normalRows(n, 2, 9);
  const make = (options: object): Index =>
    new BruteForce<ArrayLike<number>, number>({ runtime, ...options }).index(flat(many));
  const plain = make({ coarseCodes: false });
  const coded = make({ segments: segmentsOf(30_000 * 2 * 4) });
  const before = coded.sizeBytes;
  const check = (label: string): void => {
    for (const query of normalRows(3, 2, 10)) {
      assert.deepEqual(coded.call(query, 20).hits(), plain.call(query, 20).hits(), label);
    }
  };
  check('first');
  assert.ok(coded.sizeBytes > before, 'there are codes');
  const added = flat(normalRows(25_000, 2, 11).map((row) => row.map((x) => 3 * x)));
  const names = Array.from({ length: 25_000 }, (_, i) => 69_000 + i);
  for (const index of [plain, coded]) index.upsert(names, added);
  assert.equal(sizes(coded).length, 4);
  check('after upserts that replace, fill a segment and open one');
  coded.free();
});

test('a saved index in segments has the same candidates and segments when it is loaded', async () => {
  const many: Index = new BruteForce<ArrayLike<number>, number>({ runtime, segments: segmentsOf(SEGMENT_BYTES) });
  many.index(flat(rows));
  const bytes = saved(many);
  const again = await loaded(bytes);
  assert.deepEqual(sizes(again), sizes(many));
  assertSame(many, again, 'loaded');
  assert.deepEqual(saved(again), bytes);
  again.upsert([N], flat(rows.slice(0, 1)));
  assert.deepEqual(sizes(again), [256, 256, 256, 133]);
  const empty: Index = new BruteForce<ArrayLike<number>, number>({ runtime, segments: segmentsOf(1) }).index([]);
  const nothing = await loaded(saved(empty));
  assert.equal(nothing.size, 0);
  nothing.upsert([0, 1], [[1], [2]]);
  assert.deepEqual(nothing.call([1]).identifiers(), [1, 0]);
  for (const index of [many, again, nothing]) index.free();
});

test('the last of 64 segments has all rows that are left', async () => {
  const n = 64 * 128 + 300;
  const line = Array.from({ length: n }, (_, i) => [(i * 7_919) % n]);
  const one: Index = new BruteForce<ArrayLike<number>, number>({ runtime }).index(flat(line));
  const many: Index = new BruteForce<ArrayLike<number>, number>({ runtime, segments: segmentsOf(1) });
  await many.indexFromDataset([flat(line.slice(0, 5_000)), flat(line.slice(5_000))]);
  assert.deepEqual([sizes(many).length, sizes(many)[0], sizes(many)[63]], [64, 128, 428]);
  for (const index of [one, many]) index.upsert([n, 3], [[n], [n + 1]]);
  assert.deepEqual(many.call([[1], [-1]], 500).hits(), one.call([[1], [-1]], 500).hits());
  const again = await loaded(saved(many));
  assert.deepEqual(again.call([[1], [-1]], 500).hits(1), one.call([[1], [-1]], 500).hits(1));
  for (const index of [many, again]) index.free();
});

test('errors name rows of the whole index, and a failed build gives its memories back', async () => {
  const many: Index = new BruteForce<ArrayLike<number>, number>({ runtime, segments: segmentsOf(SEGMENT_BYTES) });
  many.index(flat(rows));
  const bad = rows.map((row) => Float32Array.from(row));
  bad[700]![2] = Number.NaN;
  assert.throws(() => many.index(flat(bad)), { code: 'ERR_NOT_FINITE', message: /row 700, column 2/ });
  const wide = async (): Promise<Index> => many.indexFromDataset([flat(rows.slice(0, 512)), [[1, 2, 3]]]);
  await assert.rejects(wide, { code: 'ERR_SHAPE', message: /expected 5 dimensions as before, got 3 from row 512/ });
  const one: Index = new BruteForce<ArrayLike<number>, number>({ runtime }).index(flat(rows));
  assertSame(one, many, 'as before');
  many.free();
});
