/** Checkpoints: a run stopped, saved, loaded and resumed gives the bits of one that was never stopped. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { checkpointFromBytes, checkpointToBytes } from '../../src/bundle/checkpoint.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/bundle/save.ts';
import { FormatError } from '../../src/errors/errors.ts';
import { type Checkpoint, FitAbortedError } from '../../src/retrieval/checkpoint.ts';
import type { FitOptions } from '../../src/retrieval/fit-options.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { runtime } from '../format/containers.ts';
import { answer, TITLES, USERS, world } from './worlds.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'shortlist-checkpoint-'));
after(() => rmSync(ROOT, { recursive: true }));

const rows = Array.from({ length: 300 }, (_, i) => [USERS[(i * 7) % 12]!, TITLES[(i * 11) % 40]!] as const);
const dataset = { queries: rows.map(([user]) => user), candidates: rows.map(([, title]) => title) };
const options: FitOptions<string, string> = {
  epochs: 3,
  batchSize: 64,
  shuffle: true,
  validation: { dataset },
  clock: () => 0,
};
const newModel = (): TwoTowerModel => {
  const { queryTower, candidateTower } = world(runtime);
  return new TwoTowerModel({ queryTower, candidateTower });
};

/** Stop in the second epoch. */
async function stopped(): Promise<Checkpoint> {
  const abort = new AbortController();
  const onProgress = ({ epoch, step }: { epoch: number; step: number }): void => {
    if (epoch === 2 && step === 2) abort.abort();
  };
  try {
    await newModel().fit(dataset, { ...options, onProgress, signal: abort.signal });
  } catch (error) {
    assert.ok(error instanceof FitAbortedError, String(error));
    return error.checkpoint;
  }
  return assert.fail('the run was not stopped');
}

test('a stopped run goes on from its saved checkpoint to the same bits', async () => {
  const whole = newModel();
  const history = await whole.fit(dataset, options);
  const checkpoint = await stopped();
  assert.ok(checkpoint.epochs.length > 0 && checkpoint.arrays.length === 4);
  const path = join(ROOT, 'run.checkpoint');
  await saveCheckpoint(path, checkpoint);
  const loaded = await loadCheckpoint(path);
  assert.deepEqual(loaded, checkpoint);
  const resumed = newModel();
  assert.deepEqual(await resumed.fit(dataset, { ...options, resume: loaded }), history);
  assert.deepEqual(answer(resumed.queryTower, USERS), answer(whole.queryTower, USERS));
  assert.deepEqual(answer(resumed.candidateTower, TITLES), answer(whole.candidateTower, TITLES));
});

test('saving a loaded checkpoint gives the same bytes', async () => {
  const bytes = checkpointToBytes(await stopped());
  assert.deepEqual(checkpointToBytes(await checkpointFromBytes(bytes)), bytes);
});

test('a loaded tower trains on as the saved one would', async () => {
  const { queryTower, candidateTower } = await bundleFromBytes<string>(bundleToBytes(world(runtime)));
  const loaded = new TwoTowerModel({ queryTower: queryTower!, candidateTower: candidateTower as never });
  const fresh = newModel();
  assert.deepEqual(await loaded.fit(dataset, options), await fresh.fit(dataset, options));
  assert.deepEqual(answer(loaded.queryTower, USERS), answer(fresh.queryTower, USERS));
});

test('a bundle is no checkpoint, and the other way round', async () => {
  const message = /settings at byte \d+: settings: kind: expected one of checkpoint, got "bundle"/;
  await assert.rejects(checkpointFromBytes(bundleToBytes(world(runtime))), (error) => {
    assert.ok(error instanceof FormatError);
    assert.match(error.message, message);
    return true;
  });
  await assert.rejects(bundleFromBytes(checkpointToBytes(await stopped())), { code: 'ERR_FORMAT' });
});
