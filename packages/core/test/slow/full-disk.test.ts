/**
 * A disk that becomes full at any moment of a streamed build: one line that names the file, nothing that looks like a finished
 * bundle, and the same bytes as without the failure when the build is started again with more room.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildBundle } from '../../src/bundle/build-bundle.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import type { CandidateSequence } from '../../src/topk/contract.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import { normalRows } from '../conformance/oracle.ts';

const PAGE = 4_096;
const [N, D] = [4_000, 8];
const memoryBytes = 4 * 2 ** 20;
const rows = normalRows(N, D, 1);
const runtime = new Runtime({ threads: 1 });

function* dataset(): CandidateSequence<string> & Generator<readonly [string[], Float32Array[]]> {
  for (let first = 0; first < N; first += 500) {
    yield [Array.from({ length: 500 }, (_, i) => `item ${first + i}`), rows.slice(first, first + 500)];
  }
}

const made = (trainingSampleSize: number): ScaNN =>
  new ScaNN({
    ...{ tree: 'always', numLeaves: 40, minLeafSize: 2, trainingSampleSize, trainingIterations: 2 },
    ...{ segments: segmentsOf(30_000), runtime },
  });

/** A small disk of memory, where root may mount one; otherwise the test is skipped with what the system said. */
function mountTmpfs(t: TestContext): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-disk-'));
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder]);
  if (status === 0) {
    t.after(() => {
      spawnSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true, force: true });
    });
    return folder;
  }
  t.skip(`no disk can be mounted: ${error?.message ?? String(stderr).trim()}`);
  return undefined;
}

for (const [name, sample] of [
  ['runs, segments and file', 2_000],
  ['a sample that holds all candidates', N],
] as const) {
  test(`a disk that becomes full: ${name}`, async (t) => {
    const disk = mountTmpfs(t);
    if (disk === undefined) return;
    const resize = (bytes: number): void => {
      assert.equal(spawnSync('mount', ['-o', `remount,size=${bytes}`, disk]).status, 0);
    };
    const path = join(disk, 'built');
    const steps = new Set<string>();
    const build = async (): Promise<void> => {
      steps.clear();
      const onProgress = ({ step }: { step: string }): void => void steps.add(step);
      await buildBundle(path, { index: made(sample) }, dataset, { memoryBytes, onProgress });
    };
    await build();
    const expected = readFileSync(path);
    const runBytes = sample === N ? 0 : N * (8 + 4 * D);
    const named = new Set<string>();
    let continued = 0;
    // From no room at all to enough.
    for (let room = 0; ; room += 6 * PAGE) {
      rmSync(path, { force: true });
      // Pages that a file system in memory needs for itself: what is left is filled with a file.
      resize(64 * 2 ** 20);
      writeFileSync(join(disk, 'other'), new Uint8Array(2 ** 20));
      resize(2 ** 20 + room);
      try {
        await build();
        assert.ok(room >= expected.length, `${room} bytes of room for ${expected.length}`);
        break;
      } catch (error) {
        const { code, message } = error as Error & { code: string };
        assert.equal(code, 'ERR_IO', message);
        const [, file] = /^([^\n]+): cannot be written: the disk is full \(ENOSPC\)$/.exec(message) ?? [];
        assert.ok(file?.startsWith(path), message);
        named.add(file.slice(path.length).replace(/segment-\d+/, 'segment'));
      }
      assert.ok(!existsSync(path), 'nothing looks like a finished bundle');
      assert.ok(room < expected.length + runBytes + 64 * PAGE, `${room} bytes of room are enough`);
      resize(64 * 2 ** 20);
      await build();
      if (!steps.has('partition') && sample < N) continued++;
      assert.deepEqual(readFileSync(path), expected, `${room} bytes of room`);
      assert.deepEqual(readdirSync(disk).sort(), ['built', 'other']);
    }
    assert.equal(statSync(path).size, expected.length);
    t.diagnostic([...named].join(', '));
    if (sample === N) return;
    assert.ok(continued >= 2, `${continued} builds continued with the segments`);
    for (const file of ['.runs/build.lock', '.runs/segment.run', '.partial']) assert.ok(named.has(file), file);
  });
}
