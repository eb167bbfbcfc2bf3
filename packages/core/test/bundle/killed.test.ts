/** A process killed at any step of saving leaves the old bundle or the new one, whole. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { bundleToBytes } from '../../src/bundle/bundle.ts';
import { loadBundle } from '../../src/bundle/save.ts';
import { runtime } from '../format/containers.ts';
import { isThorough } from '../thorough.ts';
import { world } from './worlds.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'shortlist-killed-'));
after(() => rmSync(ROOT, { recursive: true }));
/** The program of a dozen processes as one file: each would take 0.3 s to load its modules one by one. */
const CHILD = join(ROOT, 'killed-child.mjs');
await build({
  input: fileURLToPath(new URL('./killed-child.js', import.meta.url)),
  platform: 'node',
  logLevel: 'warn',
  checks: { bundlerTimings: false },
  output: { file: CHILD, codeSplitting: false },
});

/** The calls after the last write: fsync, close, rename, and three that flush the folder. */
const CALLS_AFTER_WRITES = 6;

const OLD: Uint8Array = bundleToBytes(world(runtime, { seed: 1 }));
const NEW: Uint8Array = bundleToBytes(world(runtime, { seed: 2 }));

for (const how of ['at once', 'asynchronously'])
  test(`SIGKILL before any call of a save ${how}`, async () => {
    const folder = join(ROOT, how);
    mkdirSync(folder);
    const path = join(folder, 'bundle');
    const save = (seed: number, killedAt: number): { signal: string | null; calls: number } => {
      const { signal, stdout, stderr } = spawnSync(process.execPath, [CHILD, path, `${seed}`, `${killedAt}`, how]);
      assert.equal(stderr.toString(), '');
      return { signal, calls: Number(stdout.toString()) };
    };
    const { signal, calls } = save(2, -1);
    assert.equal(signal, null);
    assert.deepEqual(new Uint8Array(readFileSync(path)), NEW);
    const renamed = calls - CALLS_AFTER_WRITES + 3;
    const all = [0, 1, 2, Math.floor(calls / 2), ...Array.from({ length: 8 }, (_, i) => calls - 8 + i)];
    // A process for each: without all of them those around the rename.
    const steps = isThorough ? all : all.filter((step) => step === 1 || Math.abs(step - renamed) <= 1);
    for (const step of steps) {
      writeFileSync(path, OLD);
      assert.equal(save(2, step).signal, 'SIGKILL');
      assert.deepEqual(
        new Uint8Array(readFileSync(path)),
        step < renamed ? OLD : NEW,
        `killed at call ${step} of ${calls}`,
      );
      assert.equal((await loadBundle(path)).index.size, 40);
    }
    const left = readdirSync(folder).filter((name) => name !== 'bundle');
    assert.ok(
      left.every((name) => /^bundle\.[0-9a-f]{16}\.tmp$/.test(name)),
      left.join(),
    );
    assert.equal(left.length, steps.filter((step) => step > 0 && step < renamed).length);
    assert.equal(save(1, -1).signal, null);
    assert.deepEqual(new Uint8Array(readFileSync(path)), OLD, 'what a kill left does not hinder the next save');
  });
