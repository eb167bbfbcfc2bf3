/** A path that is not a file is refused at once: opening a FIFO would wait for another process that writes to it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadBundle } from '../../src/entries/node.ts';

test('loadBundle on a FIFO, a device, a folder', { skip: process.platform === 'win32', timeout: 20_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-fifo-'));
  const fifo = join(folder, 'm.shortlist');
  execFileSync('mkfifo', [fifo]);
  const refused = (message: RegExp): object => ({ code: 'ERR_IO', message });
  await assert.rejects(loadBundle(fifo), refused(/m\.shortlist: expected a file, got a FIFO/));
  await assert.rejects(loadBundle('/dev/null'), refused(/\/dev\/null: expected a file, got a device/));
  await assert.rejects(loadBundle(folder), refused(/expected a file, got a folder/));
});
