/** Batches whose queries share the scan of their leaves: the results and the work of single queries, bit for bit. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { loadBundle, saveBundle } from '../../src/entries/node.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { flat, normalRows } from '../conformance/oracle.ts';
import { referenceRuntime } from '../kernels/variants.ts';

const D = 500;
/** 4,600 rows with 250 bytes of codes: more than a mebibyte, from which on queries share. */
const rows = flat(normalRows(4_600, D, 1));
const queries = normalRows(50, D, 2);
const options = { distanceMeasure: 'cosine', numLeaves: 12, tree: 'always', dimensionsPerBlock: 1, seed: 1 } as const;
const work = () => ({ queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 });

test('a batch has the results and the work of its queries alone, with and without a filter, after updates', async () => {
  const runtime = new Runtime({ threads: 2 });
  const index = new ScaNN<ArrayLike<number>, number>({ ...options, trainingIterations: 2, runtime }).index(rows);
  index.upsert([9, 4_600, 4_601], normalRows(3, D, 3));
  index.delete([5, 77]);
  // Only jobs that are split over threads are counted, and threads start late.
  while (runtime.pool.threadsReady < 2) await setImmediate();
  // So many rows are kept that they are not simply all scored.
  const filter = (_: number, row: number): boolean => row % 10 > 0;
  for (const call of [{ leavesToSearch: 12 }, { leavesToSearch: 12, filter }]) {
    const [together, alone] = [work(), work()];
    const { jobs } = runtime.pool;
    const found = index.call(flat(queries), { ...call, reorder: 30, work: together });
    assert.equal(runtime.pool.jobs - jobs, 2, 'one job plans the queries, and one searches');
    const awaited = await index.callAsync(flat(queries), { ...call, reorder: 30 });
    queries.forEach((query, i) => {
      const own = index.call(query, { ...call, reorder: 30, work: alone });
      assert.deepEqual(found.hits(i), own.hits());
      assert.deepEqual(awaited.hits(i), own.hits());
    });
    assert.deepEqual(together, alone);
  }
});

test('the readable kernels find the same in a batch', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-batch-'));
  try {
    const index = new ScaNN<ArrayLike<number>, number>({ ...options, trainingIterations: 2 }).index(rows);
    await saveBundle(join(folder, 'index'), { index });
    const { index: readable } = await loadBundle<ArrayLike<number>, number>(join(folder, 'index'), {
      runtime: referenceRuntime,
    });
    const call = { k: 5, leavesToSearch: 12, reorder: 20 };
    const batch = flat(queries.slice(0, 32));
    const [found, expected] = [index.call(batch, call), readable!.call(batch, call)];
    assert.deepEqual(found.rows, expected.rows);
    assert.deepEqual(found.scores, expected.scores);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
