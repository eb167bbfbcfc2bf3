/** Bundles that are written segment by segment: the bytes of `saveBundle`, kills, errors, and the memory of a build. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildBundle, buildInFolder } from '../../src/bundle/build-bundle.ts';
import { fileRuns } from '../../src/bundle/file-runs.ts';
import { loadBundle, saveBundle } from '../../src/bundle/save.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { CandidateSequence } from '../../src/topk/contract.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import { indexStreamed } from '../../src/topk/scann/streamed/index-streamed.ts';
import { partitionDataset } from '../../src/topk/scann/streamed/partition-dataset.ts';
import { memoryRuns, type RunStore } from '../../src/topk/scann/streamed/run-store.ts';
import { checkSegments } from '../../src/topk/scann/streamed/train-head.ts';
import { writeSegments } from '../../src/topk/scann/streamed/write-segments.ts';
import { normalRows } from '../conformance/oracle.ts';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-build-bundle-'));
after(() => rmSync(folder, { recursive: true }));
/** Most have one thread, because every new segment starts other threads. */
const [runtime, threaded] = [new Runtime({ threads: 1 }), new Runtime({ threads: 2 })];
const [N, D] = [4_000, 8];
type Options = ScannOptions<ArrayLike<number>>;
type Index = ScaNN<ArrayLike<number>, string>;

const rows = normalRows(N, D, 1);
const OPTIONS: Options = {
  ...{ tree: 'always', numLeaves: 40, numLeavesToSearch: 40, numReorderingCandidates: 200, minLeafSize: 2 },
  ...{ trainingSampleSize: 2_000, trainingIterations: 2, segments: segmentsOf(30_000), runtime },
};
const make = (options: Options = {}): Index => new ScaNN<ArrayLike<number>, string>({ ...OPTIONS, ...options });

function* dataset(): CandidateSequence<string> & Generator<readonly [string[], Float32Array[]]> {
  for (let first = 0; first < N; first += 500) {
    yield [Array.from({ length: 500 }, (_, i) => `item ${first + i}`), rows.slice(first, first + 500)];
  }
}

const metadata = { made: 'of a stream' };
const memoryBytes = 4 * 2 ** 20;

/** The bytes that `indexStreamed` and `saveBundle` write. */
async function savedBytes(options: Options = {}): Promise<Buffer> {
  const index = await indexStreamed(make(options), dataset, { runs: memoryRuns(), memoryBytes });
  const path = join(folder, 'saved');
  await saveBundle(path, { index, metadata });
  index.free();
  return readFileSync(path);
}

for (const [name, options] of Object.entries({
  'dot product': {},
  'cosine, bfloat16, PCA': { distanceMeasure: 'cosine', reorder: 'bfloat16', rotation: 'balanced-pca' },
  'second leaves, bfloat16': { soar: 1, reorder: 'bfloat16' },
  'int8, upper tree': { reorder: 'int8', upperTree: true },
  'a sample that holds all candidates': { trainingSampleSize: N },
} as Record<string, Options>)) {
  test(`${name}: the file has the bytes that saveBundle would write, and nothing is left beside it`, async () => {
    const own = mkdtempSync(join(folder, 'same-'));
    const path = join(own, 'built');
    const index = make(options);
    const steps: [string, number, number][] = [];
    await buildBundle(path, { index, metadata }, dataset, {
      memoryBytes,
      onProgress: ({ step, done, total }) => steps.push([step, done, total]),
    });
    // The bytes are the same on any number of threads.
    const inMemory = name === 'dot product' ? { ...options, runtime: threaded } : options;
    assert.deepEqual(readFileSync(path), await savedBytes(inMemory));
    assert.deepEqual(readdirSync(own), ['built']);
    assert.equal(index.size, 0, 'the index of the contents does not change');
    const segments = steps.filter(([step]) => step === 'segments');
    if (options.trainingSampleSize !== N) {
      assert.ok(segments.length >= 2, `${segments.length} segments`);
      const [, done, total] = segments.at(-1)!;
      assert.equal(done, total);
      // A candidate with leaves in two segments counts in both.
      assert.ok(options.soar ? total > N : total === N, `${total}`);
      const { index: loaded } = await loadBundle<ArrayLike<number>, string>(path, { runtime, rows: 'file' });
      assert.equal(loaded.call(rows[7]!, { k: 5 }).hits().length, 5);
    }
  });
}

/** A store that throws after `calls` changes, in place of a process that is killed, and counts the runs that are read. */
function failing(runs: RunStore, calls: number): { runs: RunStore; read: Set<string> } {
  let left = calls;
  const counted = async (change: () => Promise<void>): Promise<void> => {
    if (left-- === 0) throw new Error('killed');
    await change();
  };
  const read = new Set<string>();
  return {
    read,
    runs: {
      ...runs,
      append: (name, bytes) => counted(() => runs.append(name, bytes)),
      replace: (name, bytes) => counted(() => runs.replace(name, bytes)),
      async read(name, offset, to) {
        read.add(name);
        await runs.read(name, offset, to);
      },
    },
  };
}

test('a build that is killed at any change goes on with the next segment, and ends in the same bytes', async () => {
  const expected = await savedBytes();
  // The changes of a build that is not killed: those of the runs, then one for each finished segment.
  let changes = 0;
  const counting = memoryRuns();
  const counted = {
    ...counting,
    append: async (name: string, bytes: Uint8Array) => counting.append(name, bytes).then(() => void changes++),
    replace: async (name: string, bytes: Uint8Array) => counting.replace(name, bytes).then(() => void changes++),
  };
  const path = join(folder, 'killed');
  await buildInFolder(path, { index: make(), metadata }, dataset, { memoryBytes }, counted);
  for (const before of [1, 2, 3, 20]) {
    writeFileSync(path, 'older');
    const folderRuns = fileRuns(`${path}.runs`);
    const first = failing(folderRuns, changes - before);
    const contents = { index: make(), metadata };
    await assert.rejects(buildInFolder(path, contents, dataset, { memoryBytes }, first.runs), { message: 'killed' });
    assert.equal(readFileSync(path, 'utf8'), 'older', 'the older file stays');
    assert.equal(existsSync(`${path}.partial`), before < 20);
    const second = failing(folderRuns, -1);
    await buildInFolder(path, contents, dataset, { memoryBytes }, second.runs);
    assert.deepEqual(readFileSync(path), expected);
    const built = [...second.read].filter((name) => name.startsWith('segment-'));
    if (before < 20) assert.equal(built.length, before, 'only the segments that were not finished are built');
    assert.ok(!existsSync(`${path}.partial`));
    assert.deepEqual(readdirSync(`${path}.runs`), []);
  }
});

test('another partial file is not used, and one that cannot be written is an error that leaves the older file', async () => {
  const path = join(folder, 'partial');
  writeFileSync(`${path}.partial`, 'something else');
  await buildBundle(path, { index: make(), metadata }, dataset, { memoryBytes });
  const expected = readFileSync(path);
  assert.deepEqual(expected, await savedBytes());
  mkdirSync(`${path}.partial`);
  await assert.rejects(buildBundle(path, { index: make(), metadata }, dataset, { memoryBytes }), {
    code: 'ERR_IO',
    message: /partial\.partial: cannot be written: /,
  });
  assert.deepEqual(readFileSync(path), expected);
  rmSync(`${path}.partial`, { recursive: true });
  await buildBundle(path, { index: make(), metadata }, dataset, { memoryBytes });
  assert.deepEqual(readFileSync(path), expected);
});

test('interrupted in each step, it says so, and continues to the same bytes', async () => {
  const path = join(mkdtempSync(join(folder, 'interrupted-')), 'built');
  const build = async (moment?: number): Promise<string[]> => {
    const controller = new AbortController();
    const { signal } = controller;
    const steps: string[] = [];
    const onProgress = ({ step }: { step: string }): void => {
      if (steps.push(step) === moment) controller.abort(new Error('Ctrl-C'));
    };
    await buildBundle(path, { index: make(), metadata }, dataset, { memoryBytes, signal, onProgress });
    return steps;
  };
  const steps = await build();
  const expected = readFileSync(path);
  assert.ok(steps.includes('segments'));
  for (const step of new Set(steps)) {
    rmSync(path);
    await assert.rejects(build(1 + steps.indexOf(step)), ({ code, cause }: Error & { code?: string }) => {
      assert.deepEqual([code, (cause as Error | undefined)?.message], ['ERR_ABORTED', 'Ctrl-C'], step);
      return true;
    });
    await build();
    assert.deepEqual(readFileSync(path), expected);
  }
});

test('bad input: nothing is left, and an older file stays', async () => {
  const own = mkdtempSync(join(folder, 'bad-'));
  const path = join(own, 'built');
  writeFileSync(path, 'older');
  let pass = 0;
  const changing = (): CandidateSequence<string> => {
    if (pass++ === 0) return dataset();
    return [[Array.from({ length: 500 }, String), rows.slice(0, 500)]];
  };
  await assert.rejects(buildBundle(path, { index: make() }, changing, { memoryBytes }), { code: 'ERR_STATE' });
  const refused = { code: 'ERR_OPTION' };
  const exact = new BruteForce<ArrayLike<number>, string>({ runtime });
  await assert.rejects(buildBundle(path, { index: exact }, dataset, { memoryBytes }), refused);
  await assert.rejects(buildBundle(path, { index: make(), metadata: { x: Number.NaN } }, dataset), refused);
  await assert.rejects(buildBundle(path, { index: make() }, dataset, { memoryBytes: 1_000 }), { code: 'ERR_MEMORY' });
  const signal = AbortSignal.abort();
  await assert.rejects(buildBundle(path, { index: make() }, dataset, { signal }), { code: 'ERR_ABORTED' });
  assert.deepEqual(readdirSync(own), ['built']);
  const release = await fileRuns(`${path}.runs`).lock();
  await assert.rejects(buildBundle(path, { index: make() }, dataset, { memoryBytes }), {
    code: 'ERR_STATE',
    message: /expected no other build in this folder/,
  });
  await release();
  assert.deepEqual([readFileSync(path, 'utf8'), readdirSync(own)], ['older', ['built']]);
});

test('a NaN in the last row is named in the first pass, and refused in the second; nothing is left', async () => {
  const own = mkdtempSync(join(folder, 'nan-'));
  const path = join(own, 'built');
  writeFileSync(path, 'older');
  function* broken(): CandidateSequence<string> & Generator<readonly [string[], Float32Array[]]> {
    for (const [ids, batch] of dataset()) {
      const isLast = ids.includes(`item ${N - 1}`);
      yield [
        ids,
        isLast
          ? batch.with(
              499,
              batch[499]!.map((x, t) => (t === 5 ? Number.NaN : x)),
            )
          : batch,
      ];
    }
  }
  const contents = { index: make() };
  await assert.rejects(buildBundle(path, contents, broken, { memoryBytes }), {
    code: 'ERR_NOT_FINITE',
    message: `candidates: expected finite numbers, got NaN in row ${N - 1}, column 5`,
  });
  let pass = 0;
  const later = (): CandidateSequence<string> => (pass++ === 0 ? dataset() : broken());
  await assert.rejects(buildBundle(path, contents, later, { memoryBytes }), {
    code: 'ERR_STATE',
    message: `dataset: expected the ${N} candidates of the first pass again, got other numbers`,
  });
  assert.deepEqual([readFileSync(path, 'utf8'), readdirSync(own)], ['older', ['built']]);
});

test('while another process builds at the path, a build is refused and names it; a lock of one that ended is taken over', async () => {
  const own = mkdtempSync(join(folder, 'two-'));
  const path = join(own, 'built');
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
  mkdirSync(`${path}.runs`);
  writeFileSync(join(`${path}.runs`, 'build.lock'), JSON.stringify({ process: other.pid, host: hostname() }));
  const build = (): Promise<void> => buildBundle(path, { index: make(), metadata }, dataset, { memoryBytes });
  await assert.rejects(build(), {
    code: 'ERR_STATE',
    message: new RegExp(`build\\.lock: expected no other build in this folder, got one of process ${other.pid}$`),
  });
  assert.deepEqual(readdirSync(own), ['built.runs']);
  const ended = new Promise((resolve) => other.on('exit', resolve));
  other.kill('SIGKILL');
  await ended;
  await build();
  assert.deepEqual(readFileSync(path), await savedBytes());
  assert.deepEqual(readdirSync(own), ['built']);
});

test('the least bound on memory that a refusal names is enough', async () => {
  const path = join(folder, 'least');
  let bound = 1;
  let refusals = 0;
  for (; refusals < 3; refusals++) {
    const error = await buildBundle(path, { index: make() }, dataset, { memoryBytes: bound }).catch(
      (reason: Error) => reason,
    );
    if (!error) break;
    assert.ok(!existsSync(path));
    const [, least] = /^memoryBytes: expected at least (\d+) bytes/.exec(error.message) ?? [];
    assert.ok(Number(least) > bound, error.message);
    bound = Number(least);
  }
  assert.ok(refusals >= 1 && refusals <= 2, `${refusals} refusals`);
  await assert.rejects(buildBundle(path, { index: make() }, dataset, { memoryBytes: bound - 1 }), {
    code: 'ERR_MEMORY',
  });
});

test('a bound on memory that 64 segments would exceed is refused before anything is trained, naming the least', () => {
  const settings = make({ segments: segmentsOf(30_000) }).settings;
  const wanted = { code: 'ERR_MEMORY', message: /^memoryBytes: expected at least \d+ bytes for 100000000 candidates/ };
  assert.throws(() => checkSegments(2 ** 26, 1e8, 32, settings), wanted);
  checkSegments(2 ** 30, 1e8, 32, settings);
  const tooMany = { code: 'ERR_MEMORY', message: /^candidates: expected at most \d+ in 64 segments/ };
  assert.throws(() => checkSegments(2 ** 40, 2e9, 128, settings), tooMany);
});

test('one memory builds all segments, and does not grow with their number', async () => {
  const main = new Runtime({}, runtime);
  const settings = make({ segments: segmentsOf(30_000) }).settings;
  const runs = memoryRuns();
  const read = await partitionDataset(dataset, settings, { runs, memoryBytes }, main);
  assert.ok('partitioned' in read);
  const memory = new Runtime({}, runtime);
  const used: number[] = [];
  const write = async (): Promise<void> => void used.push(memory.heap.memory.bytes.length);
  await writeSegments(read.partitioned, { runs, memoryBytes }, () => false, write, memory);
  assert.ok(used.length >= 5, `${used.length} segments`);
  // Segments differ in size by a leaf.
  assert.ok(used.at(-1)! <= 1.5 * used[0]!, `${used[0]} bytes after the first segment, ${used.at(-1)} after the last`);
  assert.equal(memory.heap.usedBytes, 0);
  for (const { pool } of [main, memory]) pool.leave();
});
