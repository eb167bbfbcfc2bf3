/** Streaming: the cases of every index, reading again at every call, async data sets, and calls that interleave. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Runtime } from '../../src/parallel/runtime.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { CandidateBatch, Identifier } from '../../src/topk/contract.ts';
import { Streaming } from '../../src/topk/streaming/streaming.ts';
import { flat, normalRows } from '../conformance/oracle.ts';
import { batches, runTopKCases } from '../conformance/top-k.case.ts';
import { collectedBytes } from '../memory/collected-bytes.ts';

runTopKCases({ name: 'Streaming', make: (options) => new Streaming(options) });

async function* slowly<I extends Identifier>(parts: readonly CandidateBatch<I>[]): AsyncGenerator<CandidateBatch<I>> {
  for (const part of parts) {
    await turn();
    yield part;
  }
}

test('index gives advice', () => {
  assert.throws(() => new Streaming().index(), { code: 'ERR_OPTION', message: /call `indexFromDataset` instead/ });
});

test('the data set is read at every call, so results follow it', async () => {
  const rows = [[1], [2], [3]];
  const index = await new Streaming<ArrayLike<number>, number>({ k: 1 }).indexFromDataset(() => [rows]);
  assert.deepEqual(index.call([1]).identifiers(), [2]);
  rows[0] = [9];
  assert.deepEqual(index.call([1]).identifiers(), [0]);
  assert.equal(index.size, 3);
});

test('a data set that can be read only once is refused', async () => {
  const once = (function* () {
    yield [[1]];
  })();
  await assert.rejects(new Streaming().indexFromDataset(once), { code: 'ERR_OPTION', message: /at every call/ });
  await assert.rejects(new Streaming().indexFromDataset(slowly([[[1]]])), { code: 'ERR_OPTION' });
  assert.throws(() => new Streaming({ dataset: 7 as never }), { code: 'ERR_OPTION' });
});

test('an async data set: callAsync reads it, call says so', async () => {
  const index = new Streaming<ArrayLike<number>, string>({
    dataset: () =>
      slowly([
        [
          ['a', 'b'],
          [[1], [2]],
        ],
      ]),
  });
  assert.deepEqual((await index.callAsync([1])).identifiers(), ['b', 'a']);
  assert.throws(() => index.call([1]), { code: 'ERR_STATE', message: /callAsync/ });
  const promised = new Streaming<ArrayLike<number>, number>({ dataset: async () => [[[1]]] });
  assert.deepEqual((await promised.callAsync([1])).identifiers(), [0]);
});

test('calls that interleave do not meet, and leave no memory behind', async () => {
  const runtime = new Runtime({ threads: 2 });
  const candidates = normalRows(300, 4, 1, 'candidates');
  const queries = normalRows(12, 4, 1, 'queries');
  const exact = new BruteForce<ArrayLike<number>, number>({ runtime }).index(candidates);
  const expected = queries.map((query) => exact.call(query).rowsOf());
  const used = await collectedBytes(runtime.heap);
  const index = new Streaming<ArrayLike<number>, number>({
    runtime,
    dataset: () => slowly(batches<number>(candidates, undefined, 17)),
  });
  const results = await Promise.all(queries.map((query) => index.callAsync(query)));
  assert.deepEqual(
    results.map((result) => result.rowsOf()),
    expected,
  );
  assert.equal(runtime.heap.usedBytes, used);
  runtime.pool.stop();
});

test('an abort signal ends a call between batches', async () => {
  const controller = new AbortController();
  const index = new Streaming<ArrayLike<number>, number>({
    dataset: async function* () {
      yield [[1]];
      controller.abort();
      yield [[2]];
      assert.fail('read on after the abort');
    } as never,
  });
  await assert.rejects(index.callAsync([1], { signal: controller.signal }), { code: 'ERR_ABORTED' });
});

test('chunks, batches larger than chunks, any threads: the bits of BruteForce', () => {
  const candidates = normalRows(20_000, 5, 3, 'candidates');
  const queries = normalRows(130, 5, 3, 'queries');
  for (const threads of [1, 2, 3]) {
    const runtime = new Runtime({ threads });
    const exact = new BruteForce<ArrayLike<number>, number>({ runtime, k: 20 }).index(flat(candidates));
    for (const size of [100, 8192, 20_000]) {
      const parts = batches<number>(candidates, undefined, size).map((part) => flat(part as Float32Array[]));
      const index = new Streaming<ArrayLike<number>, number>({ runtime, k: 20, dataset: parts });
      const [found, best] = [index, exact].map((topk) =>
        topk.call(queries, { exclude: [[0], ...queries.slice(1).map((_, b) => [b, 9000 + b])] }),
      );
      assert.deepEqual(found!.rows, best!.rows);
      assert.deepEqual(found!.scores, best!.scores);
    }
    runtime.pool.stop();
  }
});
