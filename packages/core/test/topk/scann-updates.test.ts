/** ScaNN changes while it serves: upserts, deletions, rebalancing, and saving and loading after them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { saveIndex } from '../../src/bundle/registry.ts';
import { readSaved } from '../../src/format/part.ts';
import { containerSections } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { balancedPca } from '../../src/quantization/pca.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { loadScann } from '../../src/topk/scann/saved-scann.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { normalRows } from '../conformance/oracle.ts';
import { containerOf } from '../format/containers.ts';

const runtime = new Runtime({ threads: 2 });
const D = 7;
const rows = normalRows(800, D, 5);
const more = normalRows(500, D, 6);
const queries = normalRows(12, D, 7);
const names = (begin: number, end: number): string[] =>
  Array.from({ length: end - begin }, (_, i) => `id ${begin + i}`);
type Options = ScannOptions<ArrayLike<number>>;
type Index = ScaNN<ArrayLike<number>, string>;
const make = (options: Options = {}): Index =>
  new ScaNN<ArrayLike<number>, string>({ tree: 'always', numLeaves: 20, minLeafSize: 4, runtime, ...options }).index(
    rows,
    names(0, 800),
  );
const ALL = { leavesToSearch: 20, reorder: 100_000, k: 9 };

/** The expected content of the index, by identifier. */
function check(index: Index, wanted: Map<string, ArrayLike<number>>): void {
  const ids = [...wanted.keys()];
  const oracle = new BruteForce<ArrayLike<number>, string>({ runtime }).index([...wanted.values()], ids);
  assert.equal(index.size, wanted.size);
  const found = index.call(queries, ALL);
  const best = oracle.call(queries, 9);
  queries.forEach((_, b) => {
    assert.deepEqual(found.hits(b), best.hits(b));
  });
}

for (const [name, options] of Object.entries({
  tree: {},
  'second leaves': { soar: 1 },
  rotated: { rotation: balancedPca.name, dimensionsPerBlock: 3 },
  flat: { tree: 'never' },
} as Record<string, Options>)) {
  test(`upsert, replace, delete, rebalance: ${name}`, async () => {
    const index = make(options);
    const wanted = new Map<string, ArrayLike<number>>(names(0, 800).map((id, i) => [id, rows[i]!]));
    index.upsert(names(800, 1300), more);
    names(800, 1300).forEach((id, i) => {
      wanted.set(id, more[i]!);
    });
    check(index, wanted);
    assert.equal(index.drift().inserted, 500);
    index.upsert(['id 3', 'id 900', 'id 3'], [more[1]!, more[2]!, more[3]!]);
    wanted.set('id 3', more[3]!).set('id 900', more[2]!);
    check(index, wanted);
    assert.equal(index.delete(['id 3', 'id 5', 'nobody', 'id 1000']), 3);
    for (const id of ['id 3', 'id 5', 'id 1000']) wanted.delete(id);
    check(index, wanted);
    assert.equal(index.drift().deleted, 3);
    index.upsert(['id 5'], [more[9]!]);
    wanted.set('id 5', more[9]!);
    check(index, wanted);
    const steps: string[] = [];
    const rebalanced = index.rebalance({ onProgress: ({ step }) => steps.push(step) });
    await new Promise((resolve) => setTimeout(resolve, 0));
    index.upsert(['late'], [more[10]!]);
    index.delete(['id 7']);
    wanted.set('late', more[10]!).delete('id 7');
    check(index, wanted);
    await rebalanced;
    check(index, wanted);
    assert.equal(index.drift().inserted, name === 'flat' ? index.drift().inserted : 1);
  });
}

test('upserts are found through leaves, and drift tells where they went', () => {
  for (const options of [
    {},
    { rotation: balancedPca.name },
    { rotation: balancedPca.name, distanceMeasure: 'squared_l2' },
  ] as Options[]) {
    const index = make(options);
    const far = Array.from({ length: 200 }, (_, i) => Float32Array.from(more[i]!, (x) => x + 6));
    index.reserve(200);
    index.upsert(names(2000, 2200), far);
    const found = index.call(far[0]!, { k: 20, leavesToSearch: 3, reorder: 60 });
    assert.ok(found.identifiers().every((id) => Number(id.slice(3)) >= 2000));
    const drift = index.drift();
    assert.ok(drift.distance > 3 * drift.builtDistance && drift.movedShare > 0, JSON.stringify(drift));
  }
});

test('row numbers as identifiers: the next one may be added, a gap may not', () => {
  const index = new ScaNN<ArrayLike<number>, number>({ runtime, tree: 'always', numLeaves: 20 }).index(rows);
  index.upsert([800, 801, 3], [more[0]!, more[1]!, more[2]!]);
  assert.equal(index.size, 802);
  assert.throws(() => index.upsert([900], [more[0]!]), { code: 'ERR_IDENTIFIER' });
  assert.throws(() => index.upsert([1], [[1, 2]]), { code: 'ERR_SHAPE' });
  assert.throws(() => index.upsert([1, 2], [more[0]!]), { code: 'ERR_SHAPE' });
  assert.throws(() => index.upsert([1], [Array(D).fill(Number.NaN)]), { code: 'ERR_NOT_FINITE' });
  assert.equal(index.size, 802);
  const empty = new ScaNN<ArrayLike<number>, string>({ runtime }).index([]);
  empty.upsert(['a'], [[1, 2]]);
  assert.deepEqual(empty.call([1, 1]).hits(), [{ identifier: 'a', score: 3 }]);
});

test('an aborted build or rebalance leaves the old index serving', async () => {
  const index = make();
  const before = index.call(queries, ALL);
  for (const start of [
    (signal: AbortSignal, onProgress: () => void) => index.rebalance({ signal, onProgress }),
    (signal: AbortSignal, onProgress: () => void) => index.indexAsync(more, names(0, 500), { signal, onProgress }),
  ]) {
    const controller = new AbortController();
    await assert.rejects(
      start(controller.signal, () => controller.abort()),
      { code: 'ERR_ABORTED' },
    );
    assert.deepEqual(index.call(queries, ALL).scores, before.scores);
  }
  await index.indexAsync(more, names(0, 500));
  assert.equal(index.size, 500);
});

test('save → load: the same answers, and updates go on', async () => {
  for (const options of [
    {},
    { soar: 1, upperTree: true },
    { rotation: balancedPca.name, dimensionsPerBlock: 3 },
    { distanceMeasure: 'squared_l2', reorder: 'int8' },
    { tree: 'never' },
    { reorder: false },
  ] as Options[]) {
    const index = make(options);
    index.upsert(names(800, 1300), more);
    index.delete(['id 4', 'id 801']);
    const bytes = containerOf(containerSections(saveIndex(index)));
    const loaded = await readSaved(bytesSource(bytes), (part) => loadScann<ArrayLike<number>, string>(part), runtime);
    assert.equal(loaded.size, index.size);
    const asked = options.reorder === false ? { leavesToSearch: 5 } : { leavesToSearch: 5, reorder: 40 };
    const [before, after] = [index, loaded].map((one) => one.call(queries, { k: 9, ...asked }));
    queries.forEach((_, b) => {
      assert.deepEqual(after!.hits(b), before!.hits(b));
    });
    for (const one of [index, loaded]) one.upsert(['new'], [queries[0]!]);
    assert.deepEqual(loaded.call(queries, ALL).hits(0), index.call(queries, ALL).hits(0));
  }
});

/** The largest of the calls that fill or copy shared memory while `work` runs, in bytes. */
function largestFill(work: () => void): number {
  let most = 0;
  const { fill } = Uint8Array.prototype;
  Uint8Array.prototype.fill = function (this: Uint8Array, value, begin = 0, end = this.length): Uint8Array {
    most = Math.max(most, end - begin);
    return fill.call(this, value, begin, end) as Uint8Array;
  };
  try {
    work();
  } finally {
    Uint8Array.prototype.fill = fill;
  }
  return most;
}

test('loaded with headroom: upserts use it little by little and copy nothing; the answers are the same', async () => {
  for (const options of [{}, { soar: 1 }, { tree: 'never' }] as Options[]) {
    const queryTower = undefined;
    const bytes = bundleToBytes({ index: make(options), queryTower } as never);
    const own = new Runtime({ threads: 1 });
    const [plain, roomy] = await Promise.all(
      [0, 4].map(async (headroom) => {
        const { index } = await bundleFromBytes(bytes, { runtime: own, headroom });
        return index as unknown as Index;
      }),
    );
    assert.deepEqual(bundleToBytes({ index: roomy } as never), bundleToBytes({ index: plain } as never));
    assert.equal(roomy!.sizeBytes, plain!.sizeBytes);
    assert.ok(roomy!.room > plain!.room + 500, `${roomy!.room} and ${plain!.room}`);
    const rowsAt = roomy!.parts().rows!.byteOffset;
    for (const index of [plain!, roomy!]) await index.prepareLookups();
    const most = largestFill(() => {
      for (let i = 0; i < 300; i++) roomy!.upsert([`id ${800 + i}`], [more[i]!]);
    });
    assert.ok(most <= 1 << 17, `${most} bytes cleared at once`);
    assert.equal(roomy!.parts().rows!.byteOffset, rowsAt, 'the rows stand where they were read to');
    plain!.upsert(names(800, 1100), more.slice(0, 300));
    const [before, after] = [plain!, roomy!].map((index) => index.call(queries, ALL));
    queries.forEach((_, b) => {
      assert.deepEqual(after!.hits(b), before!.hits(b));
    });
  }
  await assert.rejects(bundleFromBytes(bundleToBytes({ index: make() } as never), { headroom: -1 }), {
    code: 'ERR_OPTION',
  });
});

test('room made in steps: queries go on, and answers stay', async () => {
  for (const options of [{}, { soar: 1 }, { tree: 'never' }] as Options[]) {
    const index = make(options);
    const before = index.call(queries, ALL);
    const { room } = index;
    const growing = Promise.all([index.reserveAsync(100_000), index.reserveAsync(1)]);
    const [during, async] = [index.call(queries, ALL), await index.callAsync(queries, ALL)];
    await growing;
    assert.ok(index.room >= 100_000 && index.room > room);
    const at = index.parts().rows!.byteOffset;
    for (const found of [during, async, index.call(queries, ALL)]) assert.deepEqual(found.hits(3), before.hits(3));
    index.upsert(names(800, 1300), more);
    assert.equal(index.parts().rows!.byteOffset, at);
    const wanted = new Map<string, ArrayLike<number>>(names(0, 800).map((id, i) => [id, rows[i]!]));
    names(800, 1300).forEach((id, i) => {
      wanted.set(id, more[i]!);
    });
    check(index, wanted);
    index.free();
  }
});

test('room that is asked for while an index is built anew is made on the result', async () => {
  const index = make();
  await Promise.all([index.rebalance(), index.reserveAsync(50_000)]);
  assert.ok(index.room >= 50_000);
  const rebalancing = index.rebalance();
  index.reserve(60_000);
  await rebalancing;
  assert.ok(index.room >= 60_000);
});

test('candidates that are replaced while room is made: it ends, and gives back what it took', async () => {
  const own = new Runtime({ threads: 1 });
  const index = new ScaNN<ArrayLike<number>, string>({ tree: 'always', numLeaves: 20, runtime: own });
  index.index(rows, names(0, 800));
  await index.rebalance();
  const { usedBytes } = own.heap;
  const growing = index.reserveAsync(100_000);
  index.index(rows, names(0, 800));
  await growing;
  assert.ok(own.heap.usedBytes < usedBytes + 100_000, `${own.heap.usedBytes - usedBytes} bytes more`);
});

test('lookups prepared in steps: updates between them count, and queries with exclusions find everything', async () => {
  const index = make({ soar: 1 });
  const preparing = index.prepareLookups();
  index.delete(['id 3']);
  index.upsert(['late'], [more[0]!]);
  await preparing;
  await index.prepareLookups();
  const best = index.call(queries[0]!, ALL).identifiers();
  const found = index.call(queries[0]!, { ...ALL, exclude: [best[0]!, 'late'] }).identifiers();
  assert.ok(!found.includes(best[0]!) && !found.includes('id 3') && !found.includes('late'));
  await new ScaNN({ runtime }).index([]).prepareLookups();
});
