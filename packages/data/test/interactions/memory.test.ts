import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fileOf } from '../files.ts';

const ROWS = 400_000;

test('400,000 rows take less than twenty bytes each, and only chunks of the file are in memory', async (t) => {
  const rows = Array.from(
    { length: ROWS },
    (_, i) => `${(i * 7919) % 20_011},${(i * 104_729) % 5003},${(i % 10) / 2},${1_400_000_000 + i}\n`,
  );
  const path = fileOf(t, 'ratings.csv', `userId,movieId,rating,timestamp\n${rows.join('')}`);
  const child = fileURLToPath(new URL('./memory-child.js', import.meta.url));
  // The heap is too small for as many objects, and for the text of the file (10 MB) with a string for each of its lines.
  const text = execFileSync(process.execPath, ['--max-old-space-size=32', child, path], { encoding: 'utf8' });
  const { rows: read, buffers } = JSON.parse(text) as { rows: number; buffers: number };
  assert.equal(read, ROWS);
  // 4 + 4 + 1 + 4 bytes a row and the vocabularies; measured 7.6 MB.
  assert.ok(buffers < 20 * ROWS, `${buffers} bytes of arrays`);
});
