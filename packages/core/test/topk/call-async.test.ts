/** `callAsync`: the results of `call`, computed on the worker threads while the caller's thread continues. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';

const D = 12;
const ROWS = 3000;

function rows(count: number, seed: number): Float32Array[] {
  const generator = new Generator(seed).fork('rows');
  return Array.from({ length: count }, () => Float32Array.from({ length: D }, () => generator.uniform() - 0.5));
}

for (const threads of [1, 3]) {
  const runtime = new Runtime({ threads });
  const candidates = rows(ROWS, 1);
  const queries = rows(70, 2);
  const names = candidates.map((_, i) => `c${i}`);
  for (const [name, make] of [
    ['BruteForce', () => new BruteForce<Float32Array, string>({ runtime })],
    ['ScaNN', () => new ScaNN<Float32Array, string>({ runtime, tree: 'always', numLeaves: 30, numLeavesToSearch: 5 })],
  ] as const) {
    test(`${name} on ${threads} threads answers as call does, whatever else is asked meanwhile`, async () => {
      const index = make().index(candidates, names);
      index.call(queries, 5);
      while (runtime.pool.threadsReady < threads) await sleep(10);
      const shown = (result: ReturnType<typeof index.call>): unknown[] =>
        Array.from({ length: result.queries }, (_, i) => [result.identifiers(i), result.scoresOf(i)]);
      const options = [{ k: 5 }, { k: 9, exclude: ['c1', 'c2'] }, { k: 3, include: names.slice(0, 40) }];
      const expected = options.map((option) => shown(index.call(queries, option)));
      for (let round = 0; round < 20; round++) {
        const asked = options.map((option) => index.callAsync(queries, option));
        // The caller's own calls do not wait for the workers, and disturb nothing.
        assert.deepEqual(shown(index.call(queries, options[1]!)), expected[1]);
        assert.deepEqual((await Promise.all(asked)).map(shown), expected);
      }
      const one = queries.slice(0, 1);
      assert.deepEqual(shown(await index.callAsync(one, 5)), shown(index.call(one, 5)));
      assert.equal(runtime.pool.isBusy, false);
    });

    test(`${name} on ${threads} threads: candidates stay under a search; a wrong call leaves nothing behind`, async () => {
      const index = make().index(candidates, names);
      const asked = index.callAsync(queries, 5);
      assert.throws(() => index.index(candidates, names), /index: expected no callAsync under way/);
      if (index instanceof ScaNN) {
        assert.throws(() => index.upsert(['c1'], candidates.slice(0, 1)), /upsert: expected no callAsync/);
        assert.throws(() => index.delete(['c1']), /delete: expected no callAsync/);
        assert.throws(() => index.free(), /free: expected no callAsync/);
      }
      await asked;
      await assert.rejects(index.callAsync([new Float32Array(D + 1)], 5), { name: 'ShapeError' });
      index.index(candidates.slice(0, 100), names.slice(0, 100));
      assert.equal((await index.callAsync(queries, 5)).queries, queries.length);
    });
  }
}

test('long jobs of the workers leave the event loop free: it turns while the workers compute', async () => {
  const runtime = new Runtime({ threads: 2 });
  const index = new BruteForce<Float32Array, number>({ runtime, coarseCodes: false }).index(rows(100_000, 3));
  index.call(rows(2, 4), 5);
  while (runtime.pool.threadsReady < 2) await sleep(10);
  const queries = rows(400, 5);
  let turns = 0;
  // The worker of a busy machine may be done with all before this thread looks again: then once more.
  for (let round = 0; round < 100 && turns <= 5; round++) {
    turns = 0;
    let isOver = false;
    const asked = index.callAsync(queries, 5).then(() => {
      isOver = true;
    });
    while (!isOver) {
      turns++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await asked;
  }
  assert.ok(turns > 5, `the event loop turned ${turns} times`);
  runtime.pool.stop();
});

test('a job of the workers keeps the process alive until it is answered, and no longer', async () => {
  const program = `
    const { BruteForce } = await import('${new URL('../../src/topk/brute-force/brute-force.js', import.meta.url)}');
    const { Runtime } = await import('${new URL('../../src/parallel/runtime.js', import.meta.url)}');
    const runtime = new Runtime({ threads: 2 });
    const index = new BruteForce({ runtime, coarseCodes: false });
    index.index({ data: new Float32Array(1_600_000).fill(1), dimensions: 16 });
    const query = [new Float32Array(16).fill(1)];
    index.call([...query, ...query], 1);
    while (runtime.pool.threadsReady < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    console.log((await index.callAsync(query, 1)).scoresOf(0)[0]);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  assert.equal(stdout, '16\n');
});
