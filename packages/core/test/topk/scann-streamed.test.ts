/** Builds that stream: two passes, a sample, runs; a build that is killed and started again gives the same bytes. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileRuns } from '../../src/bundle/file-runs.ts';
import { containerSections } from '../../src/format/saved.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { balancedPca } from '../../src/quantization/pca.ts';
import type { CandidateSequence } from '../../src/topk/contract.ts';
import { recallOf } from '../../src/topk/recall.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { saveScann } from '../../src/topk/scann/saved-scann.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import { indexStreamed } from '../../src/topk/scann/streamed/index-streamed.ts';
import { memoryRuns, type RunStore } from '../../src/topk/scann/streamed/run-store.ts';
import { flat, normalRows } from '../conformance/oracle.ts';
import { containerOf } from '../format/containers.ts';

/** Builds in segments have one thread, because every new segment starts other threads; those in one memory have two. */
const [runtime, threaded] = [new Runtime({ threads: 1 }), new Runtime({ threads: 2 })];
const [N, D] = [6_000, 8];
type Index = ScaNN<ArrayLike<number>, number>;
type Options = ScannOptions<ArrayLike<number>>;

/** Clusters of different norms. */
const rows = ((): Float32Array[] => {
  const centres = normalRows(50, D, 1);
  return normalRows(N, D, 2).map((row, i) => row.map((x, t) => (1 + (i % 3)) * (centres[i % 50]![t]! + 0.4 * x)));
})();
const queries = flat(normalRows(60, D, 3));
const BASE: Options = {
  ...{ tree: 'always', numLeaves: 60, numLeavesToSearch: 60, numReorderingCandidates: 200 },
  ...{ trainingSampleSize: 3_000, trainingIterations: 3, minLeafSize: 2, runtime },
};

/** The rows in batches, with numbers as identifiers; `change` may change a batch. */
function dataset(size: number, change: (batch: Float32Array[], first: number) => Float32Array[] = (batch) => batch) {
  return function* read(): CandidateSequence<number> & Generator<readonly [number[], Float32Array[]]> {
    for (let first = 0; first < N; first += size) {
      const batch = change(rows.slice(first, first + size), first);
      yield [batch.map((_, i) => 1_000_000 + first + i), batch];
    }
  };
}

const make = (options: Options = {}): Index => new ScaNN<ArrayLike<number>, number>({ ...BASE, ...options });
const bytesOf = (index: Index): Uint8Array => containerOf(containerSections(saveScann(index)), runtime);

for (const [name, options] of Object.entries({
  'dot product': {},
  'cosine, bfloat16': { distanceMeasure: 'cosine', reorder: 'bfloat16' },
  'squared distance, balanced PCA': { distanceMeasure: 'squared_l2', rotation: balancedPca.name },
  'int8 rows, upper tree': { reorder: 'int8', upperTree: true },
  'second leaves': { soar: 1 },
  'second leaves, squared distance, bfloat16': { soar: 1.5, distanceMeasure: 'squared_l2', reorder: 'bfloat16' },
} as Record<string, Options>)) {
  test(`${name}: finds what the exact index finds, in any number of segments and any batches`, async () => {
    const exact = make({ ...options, soar: false, tree: 'never', reorder: 'float32' });
    await exact.indexFromDataset(dataset(N));
    const one = await indexStreamed(make({ ...options, runtime: threaded }), dataset(1_000), { runs: memoryRuns() });
    assert.deepEqual([one.size, one.dimensions, one.stats().segments], [N, D, 1]);
    const share = recallOf(one.call(queries, { k: 10, leavesToSearch: 60, reorder: N }), exact.call(queries, 10));
    // With all leaves and all candidates the recall is 1, except for rounded rows; .99 was measured for int8.
    assert.ok(share >= (options.reorder ? 0.97 : 1), `recall ${share}`);
    // In one memory `index` finds .845 to 1 of them.
    assert.ok(recallOf(one.call(queries, { k: 10 }), exact.call(queries, 10)) > 0.8);

    const many = await indexStreamed(make({ ...options, segments: segmentsOf(40_000) }), dataset(777), {
      runs: memoryRuns(),
    });
    assert.ok(many.stats().segments >= 3, `${many.stats().segments} segments`);
    const settings = { leavesToSearch: 9, reorder: 50 };
    const work = [one, many].map((index) => {
      const work = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
      return { hits: [...index.call(queries, { ...settings, work }).rows], work };
    });
    assert.deepEqual(work[1], work[0]);
    assert.deepEqual(many.drift(), one.drift());
    for (const index of [one, many, exact]) index.free();
  });
}

test('where the sample holds all candidates, the index is that of `index`', async () => {
  for (const options of [{ trainingSampleSize: N }, { trainingSampleSize: N, soar: 1 }]) {
    const streamed = await indexStreamed(make({ ...options, runtime: threaded }), dataset(999), { runs: memoryRuns() });
    const whole = await make(options).indexFromDataset(dataset(N));
    assert.deepEqual(bytesOf(streamed), bytesOf(whole));
  }
});

/** The number of slots of each row. */
function slotsOfRows(index: Index): number[] {
  const slots: number[] = [];
  for (const segment of index.live.leaves.segments) {
    for (const row of segment.integers('rowOf')) if (row >= 0) slots[row] = (slots[row] ?? 0) + 1;
  }
  return slots;
}

test('second leaves: each candidate is once or twice in the index, with a row for each segment that has it', async () => {
  const options: Options = { soar: 1, segments: segmentsOf(80_000) };
  const index = await indexStreamed(make(options), dataset(777), { runs: memoryRuns() });
  const { segments } = index.live.leaves;
  assert.ok(segments.length >= 3);
  const slots = slotsOfRows(index);
  const twice = slots.filter((count) => count === 2).length;
  assert.ok(slots.length === N && slots.every((count) => count === 1 || count === 2));
  const whole = await make({ soar: 1 }).indexFromDataset(dataset(N));
  const twiceInWhole = slotsOfRows(whole).filter((count) => count === 2).length;
  // 2,520 and 2,530 were measured: leaves of a sample differ from those of all rows.
  assert.ok(
    Math.abs(twice - twiceInWhole) < 0.1 * N,
    `${twice} have two leaves, in a build in one memory ${twiceInWhole}`,
  );
  for (const segment of segments) {
    assert.equal(new Set(segment.integers('rowOf').filter((row) => row >= 0)).size, segment.shape.places);
  }
  const places = segments.reduce((sum, { shape }) => sum + shape.places, 0);
  assert.ok(places > N && places < N + twice, `${places} rows`);
  // Updates reach both leaves.
  assert.equal(index.delete([1_000_000, 1_000_001]), 2);
  index.upsert([1_000_001], [rows[1]!]);
  const found = index.call(rows[1]!, { k: N, leavesToSearch: 60, reorder: N }).identifiers();
  assert.deepEqual([found.length, new Set(found).size, index.size], [N - 1, N - 1, N - 1]);
  assert.ok(found.includes(1_000_001) && !found.includes(1_000_000));
  index.free();
});

test('an index without leaves has all candidates, also where the sample has only some of them', async () => {
  const flatIndex: Options = { tree: 'never', trainingSampleSize: 500, numLeaves: 8 };
  const read = { runs: memoryRuns() };
  for (const options of [flatIndex, { ...flatIndex, tree: 'auto' as const }]) {
    const streamed = await indexStreamed(make(options), dataset(777), read);
    const whole = await make(options).indexFromDataset(dataset(N));
    assert.deepEqual([streamed.size, streamed.stats().leaves], [N, 0]);
    assert.deepEqual(bytesOf(streamed), bytesOf(whole));
  }
  // What the sample needs is less than what all rows need.
  await assert.rejects(indexStreamed(make(flatIndex), dataset(500), { ...read, memoryBytes: 189_999 }), {
    code: 'ERR_MEMORY',
    message: /^memoryBytes: expected at least 192000 bytes for 6000 candidates × 8 dimensions without leaves/,
  });
  let pass = 0;
  const changing = (): CandidateSequence<number> => (pass++ === 0 ? dataset(500)() : [...dataset(500)()].slice(0, 3));
  await assert.rejects(indexStreamed(make(flatIndex), changing, read), {
    code: 'ERR_STATE',
    message: 'dataset: expected the 6000 candidates of the first pass again, got only 1500',
  });
});

/** A store that throws after `calls` changes, in place of a process that is killed. */
function failing(runs: RunStore, calls: number): RunStore {
  let left = calls;
  const counted = async (change: () => Promise<void>): Promise<void> => {
    if (left-- === 0) throw new Error('killed');
    await change();
  };
  return {
    ...runs,
    append: (name, bytes) => counted(() => runs.append(name, bytes)),
    replace: (name, bytes) => counted(() => runs.replace(name, bytes)),
  };
}

test('a build that is killed at any change of its runs goes on, and ends in the same bytes', async () => {
  const options = { segments: segmentsOf(100_000) };
  const memoryBytes = 4 * 2 ** 20;
  const expected = bytesOf(await indexStreamed(make(options), dataset(500), { runs: memoryRuns(), memoryBytes }));
  // Runs are written when 128 KiB of records are kept, after 21 changes or more, and at the end, after 37 or more.
  for (const calls of [0, 10, 35]) {
    const runs = memoryRuns();
    const index = make(options);
    await assert.rejects(indexStreamed(index, dataset(500), { runs: failing(runs, calls), memoryBytes }), {
      message: 'killed',
    });
    assert.equal(index.size, 0, 'the index is as before');
    const again = await indexStreamed(index, dataset(calls % 2 ? 500 : 333), { runs, memoryBytes });
    assert.deepEqual(bytesOf(again), expected, `killed at change ${calls}`);
    again.free();
  }
});

test('runs of other settings or candidates are not used', async () => {
  const runs = memoryRuns();
  const index = make();
  const memoryBytes = 4 * 2 ** 20;
  await assert.rejects(indexStreamed(index, dataset(500), { runs: failing(runs, 2), memoryBytes }), {
    message: 'killed',
  });
  const options = { dimensionsPerBlock: 4 };
  const other = await indexStreamed(make(options), dataset(500), { runs, memoryBytes });
  const fresh = await indexStreamed(make(options), dataset(500), { runs: memoryRuns(), memoryBytes });
  assert.deepEqual(bytesOf(other), bytesOf(fresh));
});

test('a source that ends early, changes, or has a NaN in a row is refused, and the index stays as it was', async () => {
  const index = make().index(flat(rows.slice(0, 3_000)));
  const before = bytesOf(index);
  const runs = memoryRuns();
  const passes =
    (...reads: (() => CandidateSequence<number>)[]) =>
    (): CandidateSequence<number> =>
      reads.shift()!();
  const nan = dataset(500, (batch, first) => {
    if (first === 5_500) batch[7] = batch[7]!.map((x, t) => (t === 3 ? Number.NaN : x));
    return batch;
  });
  await assert.rejects(indexStreamed(index, nan, { runs }), {
    code: 'ERR_NOT_FINITE',
    message: 'candidates: expected finite numbers, got NaN in row 5507, column 3',
  });
  const short = dataset(500, (batch, first) => (first >= 5_500 ? [] : batch));
  await assert.rejects(indexStreamed(index, passes(dataset(500), short), { runs }), {
    code: 'ERR_STATE',
    message: 'dataset: expected the 6000 candidates of the first pass again, got only 5500',
  });
  await assert.rejects(indexStreamed(index, passes(short, dataset(500)), { runs }), {
    code: 'ERR_STATE',
    message: /expected the 5500 candidates of the first pass again, got at least/,
  });
  const other = dataset(500, (batch, first) => (first === 4_000 ? batch.toReversed() : batch));
  await assert.rejects(indexStreamed(index, passes(dataset(500), other), { runs }), {
    code: 'ERR_STATE',
    message: 'dataset: expected the 6000 candidates of the first pass again, got other numbers',
  });
  assert.equal(await runs.sizeOf('manifest'), 0, 'no run is left');
  await assert.rejects(indexStreamed(index, dataset(500), { runs, memoryBytes: 100_000 }), {
    code: 'ERR_MEMORY',
    message: /memoryBytes: expected at least \d+ bytes for a training sample of 3000 rows × 8 dimensions, got 100000/,
  });
  const signal = AbortSignal.abort();
  await assert.rejects(indexStreamed(index, dataset(500), { runs, signal }), { code: 'ERR_ABORTED' });
  await assert.rejects(
    indexStreamed(index, () => [], { runs }),
    { code: 'ERR_SHAPE' },
  );
  assert.deepEqual(bytesOf(index), before);
});

test('runs in a folder: a build goes on after a failure, ends in the same bytes, and leaves other files alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-runs-'));
  try {
    const options = { segments: segmentsOf(100_000) };
    const memoryBytes = 4 * 2 ** 20;
    const runs = fileRuns(join(folder, 'runs'));
    await assert.rejects(indexStreamed(make(options), dataset(500), { runs: failing(runs, 35), memoryBytes }), {
      message: 'killed',
    });
    assert.ok((await runs.sizeOf('manifest')) > 0);
    writeFileSync(join(folder, 'runs', 'mine.txt'), 'mine');
    const again = await indexStreamed(make(options), dataset(500), {
      runs: fileRuns(join(folder, 'runs')),
      memoryBytes,
    });
    const expected = await indexStreamed(make(options), dataset(500), { runs: memoryRuns(), memoryBytes });
    assert.deepEqual(bytesOf(again), bytesOf(expected));
    assert.deepEqual(readdirSync(join(folder, 'runs')), ['mine.txt']);
    const release = await fileRuns(join(folder, 'runs')).lock();
    const refused = indexStreamed(make(options), dataset(500), { runs: fileRuns(join(folder, 'runs')), memoryBytes });
    await assert.rejects(refused, {
      code: 'ERR_STATE',
      message: new RegExp(`build\\.lock: expected no other build in this folder, got one of process ${process.pid}`),
    });
    await release();
    // A process that has ended leaves its lock behind.
    const ended = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(join(folder, 'runs', 'build.lock'), JSON.stringify({ process: ended, host: hostname() }));
    await (await fileRuns(join(folder, 'runs')).lock())();
    writeFileSync(join(folder, 'runs', 'build.lock'), JSON.stringify({ process: 1, host: 'elsewhere' }));
    await assert.rejects(fileRuns(join(folder, 'runs')).lock(), { message: /on elsewhere; if it has ended, remove/ });
    rmSync(join(folder, 'runs', 'build.lock'));
    assert.deepEqual(readdirSync(join(folder, 'runs')), ['mine.txt']);
    const path = join(folder, 'mine.txt');
    writeFileSync(path, 'x');
    await assert.rejects(fileRuns(path).append('a', new Uint8Array(1)), { code: 'ERR_IO' });
    await assert.rejects(fileRuns(folder).read('none', 0, new Uint8Array(4)), { code: 'ERR_IO' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('k-means uses the whole sample, 50 rows for each leaf, however small trainingSampleSize is', async () => {
  const distances: number[] = [];
  const index = make({ numLeaves: 60, trainingSampleSize: 60, initialization: 'random' });
  await indexStreamed(index, dataset(1_000), {
    runs: memoryRuns(),
    onProgress: ({ meanSquaredDistance }) => {
      if (meanSquaredDistance !== undefined) distances.push(meanSquaredDistance);
    },
  });
  // Sixty rows in sixty leaves would all be their own centroids.
  assert.ok(distances[0]! > 0.1, String(distances[0]));
});
