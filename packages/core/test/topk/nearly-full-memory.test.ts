/**
 * Indexes in a memory that is nearly full: copies and scratch that only save time are left out, so every call that has an
 * answer gives it, and a call that fails leaves no freed memory in use.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Block, Heap } from '../../src/memory/heap.ts';
import { Scratch, takeFewer } from '../../src/memory/scratch.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import { flat, normalRows } from '../conformance/oracle.ts';

const MIB = 2 ** 20;

/** Fills a heap so that no block larger than `leftBytes` fits. */
function fill(heap: Heap, leftBytes: number): Block[] {
  const filling: Block[] = [];
  const left = heap.allocateUnfilled(leftBytes);
  for (let bytes = 2 ** 32; bytes >= 64; bytes /= 2) {
    while (heap.canHold([bytes])) filling.push(heap.allocateUnfilled(bytes));
  }
  left.free();
  return filling;
}

function free(blocks: readonly Block[]): void {
  for (const block of blocks) block.free();
}

test('scratch that could not grow hands out no freed block', () => {
  const { heap } = new Runtime({ threads: 1 });
  const scratch = new Scratch(heap);
  scratch.reserve(MIB);
  const filling = fill(heap, 64);
  assert.throws(() => scratch.reserve(4 * MIB), { code: 'ERR_MEMORY' });
  const other = heap.allocate(MIB);
  assert.throws(() => scratch.reserve(MIB), { code: 'ERR_MEMORY' }, 'the block is another one now');
  other.free();
  assert.equal(scratch.reserve(MIB).sizeBytes, MIB);
  scratch.free();
  free(filling);
  const tried: number[] = [];
  const taken = takeFewer({ free: () => tried.push(0) }, 20, (count) => {
    tried.push(count);
    if (count > 3) throw new Error('no memory');
    return count;
  });
  assert.deepEqual([taken, tried], [2, [20, 0, 10, 0, 5, 0, 2]]);
});

for (const [name, layout] of Object.entries({ 'one memory': undefined, segments: segmentsOf(MIB / 4) })) {
  test(`an exact index without memory for coarse codes scans without: ${name}`, async () => {
    const runtime = new Runtime({ threads: 2 });
    const rows = flat(normalRows(66_000, 2, 1));
    const index = new BruteForce({ runtime, ...(layout && { segments: layout }) }).index(rows);
    const queries = normalRows(40, 2, 2);
    const plain = new BruteForce({ runtime: new Runtime({ threads: 2 }), coarseCodes: false }).index(rows);
    const { store } = index.held as unknown as { store: { segments?: { runtime: Runtime }[] } };
    const heaps = new Set((store.segments ?? [{ runtime }]).map((segment) => segment.runtime.heap));
    const filling = [...heaps].flatMap((heap) => fill(heap, MIB));
    const bytes = index.sizeBytes;
    for (const k of [1, 2_000]) {
      assert.deepEqual(index.call(queries[0]!, k).rows, plain.call(queries[0]!, k).rows, `one query, k ${k}`);
      assert.deepEqual((await index.callAsync(queries[0]!, k)).rows, plain.call(queries[0]!, k).rows);
      assert.deepEqual(index.call(queries, k).rows, plain.call(queries, k).rows, `${queries.length} queries, k ${k}`);
    }
    assert.equal(index.sizeBytes, bytes, 'no codes');
    free(filling);
    assert.deepEqual(index.call(queries[0]!).rows, plain.call(queries[0]!).rows);
    assert.ok(index.sizeBytes > bytes, 'codes, as soon as there is memory');
    index.free();
  });
}

test('coarse codes make room for new candidates', () => {
  const runtime = new Runtime({ threads: 1 });
  const index = new BruteForce({ runtime }).index(flat(normalRows(66_000, 2, 1)));
  const query = normalRows(1, 2, 2)[0]!;
  const bytes = index.sizeBytes;
  index.call(query);
  assert.ok(index.sizeBytes > bytes);
  const filling = fill(runtime.heap, 64);
  const rows = normalRows(9_000, 2, 3);
  index.upsert(
    rows.map((_, i) => 66_000 + i),
    rows,
  );
  assert.equal(index.size, 75_000);
  const found = index.call(query).rows;
  free(filling);
  assert.deepEqual(index.call(query).rows, found);
  index.free();
});

for (const [name, options] of Object.entries({
  'with leaves': { tree: 'always', numLeaves: 20 },
  'without leaves': { tree: 'never' },
  'in segments': { tree: 'always', numLeaves: 20, segments: segmentsOf(50_000) },
} as const)) {
  test(`a ScaNN index in a memory with little room gives what it gives with much: ${name}`, async () => {
    const runtime = new Runtime({ threads: 2 });
    const rows = flat(normalRows(3_000, 8, 4));
    const how = { trainingIterations: 2, numLeavesToSearch: 20, numReorderingCandidates: 300, ...options };
    const indexes = [new ScaNN({ ...how, runtime }).index(rows), new ScaNN({ ...how, runtime }).index(rows)] as const;
    const roomy = new ScaNN({ ...how, runtime: new Runtime({ threads: 2 }) }).index(rows);
    const queries = normalRows(200, 8, 5);
    const calls = [{}, { k: 1_000 }, { exact: true }, { exact: true, k: 1_000 }, { exclude: [1, 2, 3], k: 1_000 }];
    const expected = calls.map((call) => roomy.call(queries, call).scores);
    const segments = indexes.flatMap((index) => index.live.leaves.segments.map((segment) => segment.runtime));
    const filling = [...new Set([runtime, ...segments])].flatMap(({ heap }) => fill(heap, 1.5 * MIB));
    for (const [i, call] of calls.entries()) {
      assert.deepEqual(indexes[0].call(queries, call).scores, expected[i], JSON.stringify(call));
    }
    indexes[0].free();
    for (const [i, call] of calls.entries()) {
      assert.deepEqual((await indexes[1].callAsync(queries, call)).scores, expected[i], JSON.stringify(call));
    }
    indexes[1].free();
    free(filling);
  });
}

test('a call that fails for lack of memory uses no freed memory afterwards', () => {
  for (const make of [
    (runtime: Runtime) => new ScaNN({ runtime, tree: 'always', numLeaves: 20, trainingIterations: 2 }),
    (runtime: Runtime) => new BruteForce({ runtime }),
  ]) {
    const runtime = new Runtime({ threads: 1 });
    const index = make(runtime).index(flat(normalRows(9_000, 4, 6)));
    const query = normalRows(1, 4, 7)[0]!;
    const small = index.call(query, 100).rows;
    const filling = fill(runtime.heap, 64);
    assert.throws(() => index.call(query, 9_000), { code: 'ERR_MEMORY' });
    // Whoever takes the memory that the failed call gave back must keep it.
    const others = fill(runtime.heap, 64);
    for (const block of others) block.bytes().fill(7);
    assert.throws(() => index.call(query, 100), { code: 'ERR_MEMORY' });
    for (const block of others) assert.ok(block.bytes().every((byte) => byte === 7));
    free([...others, ...filling]);
    assert.deepEqual(index.call(query, 100).rows, small);
    index.free();
  }
});
