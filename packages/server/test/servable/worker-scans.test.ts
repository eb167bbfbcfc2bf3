/** Heavy queries are answered on the worker threads: light ones and the event loop do not wait for them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BruteForce, Runtime, ScaNN } from 'shortlist';
import { Generator } from 'shortlist/random';
import type { Query, Update } from '../../src/servable/contract.ts';
import { IndexServable } from '../../src/servable/index-servable.ts';

const D = 16;
const ROWS = 300_000;
const SMALL_ROWS = 4000;
/** With a worker on every machine, also where there is one core. */
const runtime = new Runtime({ threads: 2 });

function vectors(rows: number): { data: Float32Array; dimensions: number } {
  const generator = new Generator(5).fork('vectors');
  return { data: Float32Array.from({ length: rows * D }, () => generator.uniform() - 0.5), dimensions: D };
}

function leavesOf(rows: number): ScaNN<Float32Array, string> {
  const identifiers = Array.from({ length: rows }, (_, i) => `c${i}`);
  const options = { tree: 'always', numLeaves: 20, trainingIterations: 2, runtime } as const;
  return new ScaNN<Float32Array, string>(options).index(vectors(rows), identifiers);
}

const servableOf = (index: unknown): IndexServable =>
  new IndexServable({ index: index as never, queryTower: undefined, save: async () => undefined });

/** Before they are there, the caller does their work. */
async function workersReady(servable: IndexServable, query: Query): Promise<void> {
  while (runtime.pool.threadsReady < runtime.pool.threads) {
    await servable.search([query]);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const embedding = Float32Array.from({ length: D }, (_, t) => t - 7.5);

test('an exact scan of many candidates leaves the event loop free, and equals that of the index', async () => {
  const index = new BruteForce<Float32Array, number>({ runtime }).index(vectors(ROWS));
  const servable = servableOf(index);
  const queries: Query[] = Array.from({ length: 64 }, () => ({ embedding, k: 10 }));
  assert.ok(servable.isHeavy(queries[0]!));
  await workersReady(servable, queries[0]!);
  const expected = index.call([embedding], 10);
  let turns = 0;
  // The workers of a fast or busy machine may be done before this thread looks again: then once more.
  for (let round = 0; round < 100 && turns <= 1; round++) {
    const answers = servable.search(queries);
    assert.ok(answers instanceof Promise);
    let isOver = false;
    void answers.then(() => {
      isOver = true;
    });
    for (turns = 0; !isOver; turns++) await new Promise((resolve) => setImmediate(resolve));
    for (const { identifiers } of await answers) assert.deepEqual([...identifiers], [...expected.identifiers(0)]);
    assert.equal(await servable.change(() => 'at once'), 'at once');
  }
  assert.ok(turns > 1, `the event loop turned ${turns} times`);
});

test('light queries are answered at once while a heavy one is under way; updates wait for it', async () => {
  const index = leavesOf(SMALL_ROWS);
  const servable = servableOf(index);
  const light: Query = { embedding, k: 5 };
  const heavy: Query = { ...light, leavesToSearch: 10_000, reorder: 10_000 };
  assert.equal(servable.isHeavy(light), false);
  assert.equal(servable.isHeavy(heavy), true);
  await servable.search([light]);
  const exactly = servable.searchExactly([light]);
  const update: Update = { kind: 'upsert', identifier: 'new', embedding: embedding.map((value) => value * 10) };
  assert.throws(() => servable.apply(update), { code: 'ERR_STATE' });
  const applied = servable.change(() => servable.apply(update));
  assert.ok(Array.isArray(servable.search([light])));
  await applied;
  assert.equal((await exactly)[0]!.identifiers.length, 5);
  const [found] = await servable.search([heavy]);
  assert.equal(found!.identifiers[0], 'new');
});

test('whether a query is heavy depends on its k, with which effort grows, and on what it asks itself', () => {
  const identifiers = Array.from({ length: SMALL_ROWS }, (_, i) => `c${i}`);
  const settings = { k: 10, numLeaves: 100, numLeavesToSearch: 10, numReorderingCandidates: 100 } as const;
  const options = { tree: 'always', trainingIterations: 1, runtime, ...settings } as const;
  const index = new ScaNN<Float32Array, string>(options).index(vectors(SMALL_ROWS), identifiers);
  const servable = servableOf(index);
  const ask = (more: Partial<Query>): boolean => servable.isHeavy({ embedding, k: 10, ...more });
  assert.equal(ask({}), false);
  // 100 · (k / 10)^0.9 reaches 5,000 candidates between these two.
  assert.deepEqual([index.effort(700).reorder <= 5000, index.effort(800).reorder > 5000], [true, true]);
  assert.deepEqual([ask({ k: 700 }), ask({ k: 800 })], [false, true]);
  // What the request says itself does not grow.
  assert.equal(ask({ k: 800, reorder: 1000 }), false);
  assert.equal(ask({ k: 800, leavesToSearch: 10 }), true);
  assert.equal(ask({ leavesToSearch: 501 }), true);
});

test('an update is let in between scans that follow one another without a gap', { timeout: 300_000 }, async () => {
  const index = leavesOf(SMALL_ROWS);
  const servable = servableOf(index);
  const heavy: Query = { embedding, k: 5, leavesToSearch: 10_000, reorder: 10_000 };
  await workersReady(servable, heavy);
  let isOver = false;
  let scans = 0;
  // Each queries for the next scan before anybody hears of its end.
  const askOn = async (): Promise<void> => {
    while (!isOver) {
      await servable.search([heavy]);
      scans++;
    }
  };
  const asking = [askOn(), askOn()];
  for (let update = 0; update < 20; update++) {
    await servable.change(() => servable.apply({ kind: 'upsert', identifier: `new ${update}`, embedding }));
    await new Promise((resolve) => setImmediate(resolve));
  }
  isOver = true;
  await Promise.all(asking);
  assert.equal(servable.size, SMALL_ROWS + 20);
  assert.ok(scans > 0);
});
