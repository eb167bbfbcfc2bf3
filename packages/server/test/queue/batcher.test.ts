import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batcher } from '../../src/queue/batcher.ts';
import type { Query, QueryResult } from '../../src/servable/contract.ts';
import { invalidArgument } from '../../src/status/serving-error.ts';

const query = (value: number): Query => ({ embedding: Float32Array.of(value), k: 1 });
const echo = (queries: readonly Query[]): QueryResult[] =>
  queries.map(({ embedding }) => ({ identifiers: [embedding![0]!], scores: embedding!, rows: Int32Array.of(0) }));
const firstOf = (answers: readonly QueryResult[]): unknown => answers[0]!.identifiers[0];

test('requests of one turn share a scan; answers go to who asked', async () => {
  const batches: number[] = [];
  const batcher = new Batcher(echo, { onBatch: (queries) => batches.push(queries) });
  const answers = await Promise.all([1, 2, 3, 4].map((value) => batcher.submit([query(value)])));
  assert.deepEqual(answers.map(firstOf), [1, 2, 3, 4]);
  assert.deepEqual(batches, [4]);
});

test('a request larger than a slice is answered in parts', async () => {
  const batches: number[] = [];
  const batcher = new Batcher(echo, { batch: 4, queued: 4, onBatch: (queries) => batches.push(queries) });
  const answers = await batcher.submit(Array.from({ length: 10 }, (_, i) => query(i)));
  assert.deepEqual(
    answers.map(({ identifiers }) => identifiers[0]),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.deepEqual(batches, [4, 4, 2]);
});

test('a part on the worker threads and a later one that is not are put together in order', async () => {
  let scans = 0;
  const batcher = new Batcher((queries) => (scans++ === 0 ? Promise.resolve(echo(queries)) : echo(queries)), {
    batch: 4,
  });
  const answers = await batcher.submit(Array.from({ length: 6 }, (_, i) => query(i)));
  assert.deepEqual(
    answers.map(({ identifiers }) => identifiers[0]),
    [0, 1, 2, 3, 4, 5],
  );
});

test('slices shrink to the time they may take', async () => {
  let clock = 0;
  const batches: number[] = [];
  const slow = (queries: readonly Query[]): QueryResult[] => {
    clock += 2 * queries.length;
    return echo(queries);
  };
  const batcher = new Batcher(slow, { sliceMs: 6, now: () => clock, onBatch: (queries) => batches.push(queries) });
  await batcher.submit([query(0)]);
  await batcher.submit(Array.from({ length: 9 }, (_, i) => query(i)));
  assert.deepEqual(batches, [1, 3, 3, 3]);
});

test('with a wait, a scan starts when the batch is full or the wait is over', async () => {
  const batches: number[] = [];
  const onBatch = (queries: number): number => batches.push(queries);
  const patient = new Batcher(echo, { batch: 3, waitMs: 3_600_000, onBatch });
  await Promise.all([1, 2, 3].map((value) => patient.submit([query(value)])));
  const hasty = new Batcher(echo, { batch: 3, waitMs: 1, onBatch });
  await Promise.all([1, 2].map((value) => hasty.submit([query(value)])));
  assert.deepEqual(batches, [3, 2]);
});

test('a full queue refuses with a time to retry after', async () => {
  let shed = 0;
  const batcher = new Batcher(echo, { queued: 2, onShed: () => shed++ });
  const taken = [batcher.submit([query(1)]), batcher.submit([query(2)])];
  await assert.rejects(batcher.submit([query(3)]), { code: 'UNAVAILABLE', retryAfterS: 1 });
  assert.equal(shed, 1);
  assert.equal((await Promise.all(taken)).length, 2);
  assert.deepEqual(firstOf(await batcher.submit([query(4)])), 4);
});

test('late and abandoned queries are dropped before they are scanned', async () => {
  let clock = 0;
  const batches: number[] = [];
  const batcher = new Batcher(echo, { now: () => clock, onBatch: (queries) => batches.push(queries) });
  const late = batcher.submit([query(1)], { deadline: 5 });
  const gone = batcher.submit([query(2)], { signal: { aborted: true } });
  const kept = batcher.submit([query(3)], { deadline: 50 });
  clock = 10;
  await assert.rejects(late, { code: 'DEADLINE_EXCEEDED' });
  await assert.rejects(gone, { code: 'CANCELLED' });
  assert.deepEqual(firstOf(await kept), 3);
  assert.deepEqual(batches, [1]);
  assert.equal(batcher.waiting, 0);
});

test('one wrong query fails alone', async () => {
  const picky = (queries: readonly Query[]): QueryResult[] => {
    if (queries.some(({ embedding }) => embedding![0]! < 0)) throw invalidArgument('negative');
    return echo(queries);
  };
  const batcher = new Batcher(picky);
  const results = await Promise.allSettled([1, -2, 3].map((value) => batcher.submit([query(value)])));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  await batcher.idle();
  assert.equal(batcher.waiting, 0);
});
