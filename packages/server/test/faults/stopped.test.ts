/**
 * kill -9 just before each file operation of a compaction, of a rebalance, and of the removal of the old version, while
 * updates go on: what was acknowledged is there at the next start, once, and nothing is left that is no version.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';
import { isThorough } from '../thorough.ts';
import { findAfter } from './killing.ts';

const CHILD = fileURLToPath(new URL('./stopped-child.js', import.meta.url));
const WORKS = ['compact', 'rebalance'] as const;
/** The operation after the rename that switches to the new version, and the last one of the removal of the old one. */
const LATE = ['1 sync ', '2 rm /.removing-1'];

interface Run {
  basePath: string;
  acknowledged: string[];
  operations: string[];
  isDone: boolean;
}

async function run(work: (typeof WORKS)[number], stopAt: string): Promise<Run> {
  const basePath = await tinyBasePath({ scann: work === 'rebalance' });
  const child = spawn(process.execPath, [CHILD, basePath, work, stopAt], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = (await text(child.stdout)).split('\n');
  const said = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  return {
    basePath,
    acknowledged: said('acknowledged'),
    operations: said('operation'),
    isDone: lines.includes('done'),
  };
}

async function check({ basePath, acknowledged }: Run): Promise<void> {
  const { found, half } = await findAfter(basePath);
  const lost = acknowledged.filter((id) => !found.has(id));
  assert.deepEqual({ lost, half }, { lost: [], half: 0 });
  // At most the update that was under way is there without an acknowledgement.
  assert.ok(found.size <= acknowledged.length + 1, `${found.size} of ${acknowledged.length}`);
  const server = await startTiny(basePath);
  assert.equal((await post(server, '/admin/models/films/compact', {})).status, 200);
  await server.close();
  assert.deepEqual(
    readdirSync(basePath).filter((name) => !/^\d+$/.test(name)),
    [],
  );
}

async function checkStopped(work: (typeof WORKS)[number], operation: string): Promise<void> {
  const stopped = await run(work, operation);
  assert.ok(!stopped.isDone, `${work} was not stopped at ${operation}`);
  await check(stopped);
}

if (!isThorough) {
  test('kill -9 of a compaction after its switch to the new version, and before the old one is removed', async () => {
    for (const operation of LATE) await checkStopped('compact', operation);
  });
} else {
  for (const work of WORKS) {
    test(`kill -9 at every file operation of a ${work}`, async () => {
      const whole = await run(work, '');
      assert.ok(whole.isDone);
      await check(whole);
      for (const operation of LATE) assert.ok(whole.operations.includes(operation), operation);
      for (const operation of whole.operations) await checkStopped(work, operation);
    });
  }
}
