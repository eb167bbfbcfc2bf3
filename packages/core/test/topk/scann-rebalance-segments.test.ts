/**
 * Rebalancing an index in segments that one memory does not hold. The memory of the head is filled, so that small indexes
 * are in this case.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadBundle, saveBundle } from '../../src/bundle/save.ts';
import { containerSections } from '../../src/format/saved.ts';
import type { Block } from '../../src/memory/heap.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { CandidateSequence } from '../../src/topk/contract.ts';
import { buildMemory, fitsMemory } from '../../src/topk/scann/build/build-memory.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { saveScann } from '../../src/topk/scann/saved-scann.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import { indexStreamed } from '../../src/topk/scann/streamed/index-streamed.ts';
import { memoryRuns } from '../../src/topk/scann/streamed/run-store.ts';
import { flat, normalRows } from '../conformance/oracle.ts';
import { containerOf } from '../format/containers.ts';

const [N, D] = [12_000, 8];
type Index = ScaNN<ArrayLike<number>, number>;
type Options = ScannOptions<ArrayLike<number>>;

const rows = normalRows(N, D, 1);
const queries = flat(normalRows(20, D, 2));
const BASE: Options = {
  ...{ tree: 'always', numLeaves: 24, numLeavesToSearch: 24, numReorderingCandidates: 200, minLeafSize: 2 },
  ...{ trainingSampleSize: 1_200, trainingIterations: 2, segments: segmentsOf(100_000) },
};
const idOf = (row: number): number => 5_000_000 + row;

/** Candidates in batches. */
function dataset(ids: readonly number[], vectors: ArrayLike<ArrayLike<number>>) {
  return function* read(): CandidateSequence<number> & Generator<readonly [number[], ArrayLike<number>[]]> {
    for (let first = 0; first < ids.length; first += 1_000) {
      const own = ids.slice(first, first + 1_000);
      yield [own, own.map((_, i) => vectors[first + i]!)];
    }
  };
}

const ids = rows.map((_, row) => idOf(row));

/** An index in segments with a memory of its own for the head. */
async function built(options: Options): Promise<{ index: Index; runtime: Runtime }> {
  const runtime = new Runtime({ threads: 1 });
  const index: Index = new ScaNN({ ...BASE, ...options, runtime });
  await indexStreamed(index, dataset(ids, rows), { runs: memoryRuns() });
  return { index, runtime };
}

/** Fill a memory until it has no room for the build of the whole index, but for that of a sample. */
function fill({ heap }: Runtime, index: Index): Block[] {
  const held: Block[] = [];
  const { rows: block, others } = buildMemory(index.size, D, index.settings, 1);
  for (let size = 2 ** 30; size >= 2 ** 16; size /= 2) {
    while (heap.canHold([size, block, others])) held.push(heap.allocateUnfilled(size));
  }
  while (fitsMemory(index.runtime, index.size, D, index.settings)) held.push(heap.allocateUnfilled(2 ** 16));
  return held;
}

const bytesOf = (index: Index, runtime: Runtime): Uint8Array =>
  containerOf(containerSections(saveScann(index)), runtime);

/** Without the order of the settings, which differs between an index that was built and one that was loaded. */
for (const [name, options] of Object.entries({
  'dot product': {},
  'cosine, bfloat16': { distanceMeasure: 'cosine', reorder: 'bfloat16' },
  'squared distance, PCA, int8': {
    ...{ distanceMeasure: 'squared_l2', rotation: 'balanced-pca', reorder: 'int8' },
    segments: segmentsOf(50_000),
  },
  'second leaves, upper tree': { soar: 1, upperTree: true },
} as Record<string, Options>)) {
  test(`${name}: the rebuilt index is that of a streamed build of the present candidates`, async () => {
    const { index, runtime } = await built(options);
    index.upsert([idOf(3), idOf(N), idOf(N + 1)], flat(normalRows(3, D, 5)));
    assert.equal(index.delete([idOf(10), idOf(N - 1), 1]), 2);
    const present = [...ids.filter((id) => id !== idOf(10) && id !== idOf(N - 1)), idOf(N), idOf(N + 1)];
    const { data } = index.candidateVectors(present);
    const again: Index = new ScaNN({ ...BASE, ...options, runtime: new Runtime({ threads: 1 }) });
    const kept = present.map((_, i) => data.slice(i * D, (i + 1) * D));
    await indexStreamed(again, dataset(present, kept), { runs: memoryRuns() });
    const held = fill(runtime, index);
    const steps = new Set<string>();
    await index.rebalance({ onProgress: ({ step }) => steps.add(step) });
    for (const step of ['sample', 'k-means', 'partition', 'segments']) assert.ok(steps.has(step), [...steps].join());
    assert.ok(index.stats().segments >= 3, `${index.stats().segments} segments`);
    assert.deepEqual([index.size, index.drift().deleted], [present.length, 0]);
    assert.deepEqual(bytesOf(index, runtime), bytesOf(again, again.runtime));
    assert.deepEqual(index.call(queries, 10).identifiers(7), again.call(queries, 10).identifiers(7));
    for (const block of held) block.free();
    // With room in one memory the result is again that of one memory.
    await index.rebalance();
    for (const each of [index, again]) each.free();
  });
}

test('updates at any step of the rebuild are not lost', async () => {
  const { index, runtime } = await built({});
  const model = new Map(ids.map((id, row) => [id, rows[row]!]));
  const held = fill(runtime, index);
  const fresh = normalRows(400, D, 9);
  let step = 0;
  const update = (): void => {
    const i = (3 * step++) % 390;
    const changed = new Map([
      [idOf((97 * step) % N), fresh[i]!],
      [idOf(N + (step % 50)), fresh[i + 1]!],
      [idOf((31 * step) % N), fresh[i + 2]!],
    ]);
    index.upsert([...changed.keys()], [...changed.values()]);
    for (const [id, row] of changed) model.set(id, row);
    const gone = [idOf((53 * step) % N), idOf(N + ((step * 7) % 50))];
    index.delete(gone);
    for (const id of gone) model.delete(id);
    // What was deleted comes back two steps later.
    if (step % 2 === 0) {
      const back = idOf((53 * (step - 1)) % N);
      index.upsert([back], [fresh[i]!]);
      model.set(back, fresh[i]!);
    }
  };
  await index.rebalance({ onProgress: update });
  assert.ok(step > 20, `${step} steps`);
  assert.equal(index.size, model.size);
  const exact = new BruteForce<ArrayLike<number>, number>({ runtime: new Runtime({ threads: 1 }) });
  exact.index([...model.values()], [...model.keys()]);
  for (let query = 0; query < 20; query++) {
    const vector = queries.data.subarray(query * D, (query + 1) * D);
    // Vectors that several candidates have give equal scores, which each index puts into the order of its rows.
    const found = [index.callExactly(vector, 30), exact.call(vector, 30)];
    assert.deepEqual([...found[0]!.scores], [...found[1]!.scores]);
    assert.deepEqual(found[0]!.identifiers().toSorted(), found[1]!.identifiers().toSorted());
  }
  const some = [...model.keys()].filter((_, i) => i % 17 === 0);
  const { data } = index.candidateVectors(some);
  some.forEach((id, i) => {
    assert.deepEqual([...data.subarray(i * D, (i + 1) * D)], [...Float32Array.from(model.get(id)!)]);
  });
  for (const block of held) block.free();
  index.free();
});

test('ended at any step, the old index serves, and no memory is kept', async () => {
  const { index, runtime } = await built({ soar: 1 });
  index.delete([idOf(10)]);
  const before = index.callExactly(queries, 5).scores;
  const held = fill(runtime, index);
  let isAborted = true;
  let last = 1;
  for (; isAborted; last += 2) {
    const used = runtime.heap.usedBytes;
    const controller = new AbortController();
    let step = 0;
    const onProgress = (): void => {
      if (++step === last) controller.abort();
    };
    isAborted = await index.rebalance({ signal: controller.signal, onProgress }).then(
      () => false,
      ({ code }: { code: string }) => code === 'ERR_ABORTED',
    );
    if (isAborted) assert.equal(runtime.heap.usedBytes, used, `step ${last}`);
    assert.deepEqual(index.callExactly(queries, 5).scores, before);
  }
  assert.ok(last > 20, `${last} steps`);
  // Nothing fits: the sample does not either.
  while (runtime.heap.canHold([2 ** 14])) held.push(runtime.heap.allocateUnfilled(2 ** 14));
  await assert.rejects(index.rebalance(), { code: 'ERR_MEMORY' });
  for (const block of held) block.free();
  index.free();
});

test('an index whose rows stay in the file gets its rows into memory', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-rebalance-'));
  try {
    const { index, runtime } = await built({});
    const path = join(folder, 'index.bundle');
    await saveBundle(path, { index });
    const held = fill(runtime, index);
    await index.rebalance();
    const other = new Runtime({ threads: 1 });
    const loaded = (await loadBundle<ArrayLike<number>, number>(path, { rows: 'file', runtime: other })).index as Index;
    const heldThere = fill(other, loaded);
    await loaded.rebalance();
    assert.deepEqual(loaded.call(queries, 10).scores, index.call(queries, 10).scores);
    loaded.upsert([1], [rows[0]!]);
    assert.equal(loaded.size, N + 1);
    for (const block of [...held, ...heldThere]) block.free();
    for (const each of [index, loaded]) each.free();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
