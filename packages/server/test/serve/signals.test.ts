/** Signals: SIGTERM drains and ends with 0; SIGHUP of a process without a terminal, as nohup makes it, changes nothing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./signals-child.js', import.meta.url));

test('SIGHUP without a terminal is ignored, SIGTERM ends the server', {
  skip: process.platform === 'win32',
}, async () => {
  const child = spawn('nohup', [process.execPath, CHILD], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [printed] = (await once(child.stdout, 'data')) as [Buffer];
  const ended = once(child, 'exit');
  const isLive = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${Number(printed)}/livez`)).ok;
  for (let i = 0; i < 3; i++) {
    child.kill('SIGHUP');
    assert.ok(await isLive());
  }
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});
