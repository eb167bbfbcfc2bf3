/** The memory of a vocabulary of five million words, beside that of the table that it feeds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { learnFeatures } from '../../src/features/learn-features.ts';

const WORDS = 5_000_000;
const DIMENSIONS = 32;
/** Rows of a batch. */
const BATCH = 50_000;
const MIB = 2 ** 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function memoryMib(): number {
  // A collection leaves arrays to another thread, and the next one waits until that thread has given them back.
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / MIB;
}

/** Identifiers like those of users, each once. */
function* batches(onBatch: () => void): Generator<{ user: string[] }> {
  for (let begin = 0; begin < WORDS; begin += BATCH) {
    yield { user: Array.from({ length: BATCH }, (_, i) => `user-${begin + i}`) };
    onBatch();
  }
}

test('a vocabulary of five million words takes less memory than its full table, also while it is learned', async (t) => {
  const before = memoryMib();
  let peak = 0;
  let batch = 0;
  const features = await learnFeatures(
    { user: { type: 'string' } },
    batches(() => {
      if (++batch % 50 === 0) peak = Math.max(peak, memoryMib() - before);
    }),
  );
  const held = memoryMib() - before;
  const tableMib = (4 * DIMENSIONS * WORDS) / MIB;
  t.diagnostic(`${held.toFixed(0)} MiB held, ${peak.toFixed(0)} while learned, table ${tableMib.toFixed(0)}`);
  const { vocabulary } = features.get('user');
  assert.equal(vocabulary!.size, WORDS + 1);
  assert.ok(vocabulary!.has('user-4999999') && !vocabulary!.has('user-5000000'));
  // Measured: 196 MiB while learned; 301 right after, with the counts of the words; the table has 610.
  assert.ok(held < 0.6 * tableMib, `${held} MiB`);
  assert.ok(peak < 0.6 * tableMib, `${peak} MiB`);
});
