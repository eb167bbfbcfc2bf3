/**
 * An index in segments, each in a memory of its own, has the bits, the order and the work of the same index in one
 * memory.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSaved } from '../../src/format/part.ts';
import { containerSections } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import type { KernelMemory } from '../../src/kernels/segments/segment.ts';
import { LinearMemory } from '../../src/memory/linear-memory.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { balancedPca } from '../../src/quantization/pca.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { loadScann, saveScann } from '../../src/topk/scann/saved-scann.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import type { ScannCallOptions } from '../../src/topk/scann/search/call.ts';
import type { SearchWork } from '../../src/topk/scann/search/search-work.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import { flat, normalRows } from '../conformance/oracle.ts';
import { containerOf } from '../format/containers.ts';
import { referenceRuntime, VARIANTS } from '../kernels/variants.ts';
import { lateThread } from '../memory/late-thread.ts';

/** Enough queries for a scan of panels, which takes 16 or more. */
const [N, D, QUERIES, K] = [1_500, 9, 20, 7];
type Index = ScaNN<ArrayLike<number>, number>;
type Options = ScannOptions<ArrayLike<number>>;

/** An index of these candidates has 40 to 150 kilobytes: 5 to 15 segments. */
const segmentBytesOf = ({ reorder }: Options): number => (reorder === 'int8' ? 9_000 : 18_000);

/**
 * One case for each path through the kernels. An index with few codewords has few different scores, so there are ties.
 */
const CASES: Record<string, Options> = {
  'dot product, groups skipped': { groupBound: 1 },
  'dot product, no group skipped': { groupBound: false },
  'cosine, second leaves': { distanceMeasure: 'cosine', soar: 1 },
  'dot product, second leaves, groups skipped': { soar: 1, groupBound: 1 },
  'squared distance': { distanceMeasure: 'squared_l2' },
  'upper tree, bfloat16': { upperTree: true, reorder: 'bfloat16', groupBound: 1 },
  'int8 rows, wide blocks': { reorder: 'int8', dimensionsPerBlock: 5, correction: false },
  'balanced PCA': { rotation: balancedPca.name, dimensionsPerBlock: 3 },
  'approximate scores, second leaves': { reorder: false, soar: 0.5, groupBound: 2 },
  'a measured build': { targetRecall: 0.9, tunedK: 5 },
};
/**
 * The cases that also run on the readable kernels, and on several threads, and the calls of the former: only some, because
 * those kernels are slow, and every new segment starts other threads.
 */
const READ: readonly string[] = ['dot product, groups skipped', 'approximate scores, second leaves'];
const READ_CALLS: readonly string[] = ['plain', 'exclusions'];

const CALLS: Record<string, ScannCallOptions<number>> = {
  plain: {},
  'a filter': { filter: (_, row) => row % 3 > 0 },
  'an include list': { include: Array.from({ length: 200 }, (_, i) => 7 * i) },
  exclusions: { exclude: Array.from({ length: QUERIES }, (_, query) => [query, 3 * query, 700 + query]) },
  'a filter, exclusions and all leaves': {
    leavesToSearch: 60,
    reorder: 60,
    filter: (_, row) => row % 2 === 0,
    exclude: Array.from({ length: QUERIES }, (_, query) => (query % 4 ? [2 * query, 2, 4, 6, 8] : [])),
  },
  'every candidate scored exactly': { exact: true },
  'a filter that leaves few': { filter: (_, row) => row % 97 === 5 },
  'more reordered than the leaves hold': { reorder: 900, leavesToSearch: 3 },
  'many more reordered than returned': { reorder: 130, leavesToSearch: 30 },
  'fewer in the leaves than results': { k: 60, leavesToSearch: 1 },
};

/** Rows with norms that vary; 40 of them occur twice. */
const rows = normalRows(N, D, 3).map((row, i) => row.map((x) => x * (1 + (i % 5))));
for (let i = 0; i < 40; i++) rows[N - 1 - i] = rows[i]!;
const queries = flat(normalRows(QUERIES, D, 4));

function build(options: Options, runtime: Runtime): { one: Index; many: Index } {
  const reordered = options.reorder === false ? {} : { numReorderingCandidates: 25 };
  const tree = { tree: 'always', numLeaves: 60, numLeavesToSearch: 9, trainingIterations: 3, minLeafSize: 2 } as const;
  const settings = { k: K, ...tree, ...reordered, ...options, runtime };
  const one: Index = new ScaNN(settings);
  const many: Index = new ScaNN({ ...settings, segments: segmentsOf(segmentBytesOf(options)) });
  return { one: one.index(flat(rows)), many: many.index(flat(rows)) };
}

const noWork = (): SearchWork => ({ queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 });

/** Both indexes give the same answers to all calls, with the same work. */
async function assertSame(one: Index, many: Index, label: string): Promise<void> {
  for (const [name, options] of Object.entries(CALLS)) {
    if (one.runtime === referenceRuntime && !READ_CALLS.includes(name)) continue;
    const message = `${label}, ${name}`;
    const [work, own, aside, ownAside] = [noWork(), noWork(), noWork(), noWork()];
    const expected = one.call(queries, { ...options, work });
    const found = many.call(queries, { ...options, work: own });
    const expectedAside = await one.callAsync(queries, { ...options, work: aside });
    const foundAside = await many.callAsync(queries, { ...options, work: ownAside });
    for (const [result, wanted] of [
      [found, expected],
      [foundAside, expectedAside],
    ] as const) {
      for (let query = 0; query < QUERIES; query++) {
        assert.deepEqual(result.hits(query), wanted.hits(query), `${message}, query ${query}`);
      }
    }
    assert.deepEqual([own, ownAside], [work, aside], message);
    const first = queries.data.subarray(0, D);
    const single = { ...options, exclude: options.exclude && [[0, 3]] };
    assert.deepEqual(many.call(first, single).hits(), one.call(first, single).hits(), `${message}, one query`);
  }
}

test('a thread that has not noticed that memories grew finds all results and counts all work', () => {
  const runtime = new Runtime({ threads: 1 });
  const { one, many } = build({}, runtime);
  const { team } = runtime.pool;
  const { memoryOf } = team;
  const buffers: Map<number, ArrayBufferLike> = new Map();
  const early = (number: number): KernelMemory => {
    buffers.set(number, memoryOf(number).memory.memory.buffer);
    return memoryOf(number);
  };
  const late = (number: number): KernelMemory => {
    const { memory, kernels } = memoryOf(number);
    return { kernels, memory: new LinearMemory(lateThread(memory.memory, buffers.get(number)!)) };
  };
  const callWith = (value: typeof memoryOf, k: number): SearchWork => {
    Object.defineProperty(team, 'memoryOf', { value, configurable: true });
    const work = noWork();
    const wanted = one.call(queries, { k });
    const found = many.call(queries, { k, work });
    for (let query = 0; query < QUERIES; query++) assert.deepEqual(found.hits(query), wanted.hits(query));
    return work;
  };
  callWith(early, 1);
  // More results need more memory.
  const work = callWith(late, 1_000);
  const grown = [...buffers].filter(([number, before]) => before.byteLength < memoryOf(number).memory.sizeBytes);
  assert.ok(grown.length > 0);
  const expected = noWork();
  one.call(queries, { k: 1_000, work: expected });
  assert.deepEqual(work, expected);
  many.free();
  one.free();
});

test('records and buffers beyond 2 GiB of a memory: an int32 holds their offsets as negative numbers', async () => {
  for (const threads of [1, 2]) {
    const runtime = new Runtime({ threads });
    const { one, many } = build({}, runtime);
    const heaps = [many.runtime, ...many.live.leaves.segments.map((segment) => segment.runtime)].map(
      ({ heap }) => heap,
    );
    const held = heaps.map((heap) => heap.allocateUnfilled(2.25 * 2 ** 30));
    await assertSame(one, many, 'beyond 2 GiB');
    const saved = containerOf(containerSections(saveScann(many)), runtime);
    const loaded = await readSaved(bytesSource(saved), (part) => loadScann<ArrayLike<number>, number>(part), runtime);
    await assertSame(one, loaded, 'loaded beyond 2 GiB');
    for (const block of held) block.free();
    for (const index of [one, many, loaded]) index.free();
  }
});

for (const { variant, runtime: threaded, skip } of VARIANTS) {
  describe(`segments, ${variant}`, { skip }, () => {
    const alone = variant === 'reference' || skip ? threaded : new Runtime({ variant, threads: 1 });
    for (const [name, options] of Object.entries(CASES)) {
      const runtime = READ.includes(name) ? threaded : alone;
      if (runtime === referenceRuntime && !READ.includes(name)) continue;
      test(`${name}: calls, updates, rebalance, save and load are those of one memory`, async () => {
        const { one, many } = build(options, runtime);
        assert.equal(one.stats().segments, 1);
        const { segments, notes } = many.stats();
        assert.ok(segments >= 4, `${segments} segments`);
        assert.deepEqual(notes, one.stats().notes);
        assert.deepEqual(many.settings, { ...one.settings, segmentBytes: segmentBytesOf(options) });
        await assertSame(one, many, 'built');
        if (runtime === referenceRuntime) return;

        for (const index of [one, many]) {
          // New candidates, replaced ones that change their leaf, one that is given twice, and deletions.
          const ids = [...Array.from({ length: 90 }, (_, i) => N + i), 3, 4, 5, 3];
          index.upsert(ids, flat(normalRows(ids.length, D, 8).map((row) => row.map((x) => 2 * x))));
          assert.equal(index.delete([10, 11, N + 2, 77, 77_777]), 4);
        }
        await assertSame(one, many, 'updated');
        assert.deepEqual(many.drift(), one.drift());
        assert.deepEqual(many.candidateVectors([3, N + 80]), one.candidateVectors([3, N + 80]));

        const loaded = await readSaved(
          bytesSource(containerOf(containerSections(saveScann(many)), runtime)),
          (part) => loadScann<ArrayLike<number>, number>(part),
          runtime,
        );
        assert.equal(loaded.stats().segments, segments);
        await assertSame(one, loaded, 'loaded');
        loaded.free();

        await Promise.all([one.rebalance(), many.rebalance()]);
        assert.ok(many.stats().segments >= 4);
        await assertSame(one, many, 'rebalanced');
        many.free();
        one.free();
      });
    }
  });
}
