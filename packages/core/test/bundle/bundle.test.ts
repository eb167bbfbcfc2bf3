/** Bundles: a loaded bundle gives the results of the saved one, bit for bit, for every kind of call. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Bundle, type BundleContents, bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { loadBundle, saveBundle } from '../../src/bundle/save.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { Identifier, Queries } from '../../src/topk/contract.ts';
import type { TopKResult } from '../../src/topk/result.ts';
import { runtime } from '../format/containers.ts';
import { VARIANTS } from '../kernels/variants.ts';
import { answer, deepTower, IDENTIFIERS, TITLES, USERS, vectors, world } from './worlds.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'shortlist-bundle-'));
after(() => rmSync(ROOT, { recursive: true }));

type Index = BundleContents<string, Identifier>['index'];
const shown = (result: TopKResult<Identifier>): unknown => ({
  counts: result.counts,
  scores: Array.from({ length: result.queries }, (_, b) => [...result.scoresOf(b)]),
  identifiers: Array.from({ length: result.queries }, (_, b) => result.identifiers(b)),
});

/** Every way to ask an index, as plain data. */
function answers(index: Index, queries: Queries<string>, some: readonly Identifier[]): unknown {
  return [
    index.call(queries),
    index.call(queries, 1),
    index.call(queries, 1000),
    index.call(queries, { k: 3, include: some }),
    index.call(queries, { filter: (_, row) => row % 3 === 0 }),
    index.queryWithExclusions(queries, some),
    index.queryWithExclusions(queries, some, { k: 2 }),
  ].map(shown);
}

test('a bundle on disk comes back whole and is the same file when saved again', async () => {
  const path = join(ROOT, 'model.shortlist');
  const contents = world(runtime);
  await saveBundle(path, contents);
  const loaded = await loadBundle(path);
  const users = [...USERS, 'unknown'];
  assert.deepEqual(
    answers(loaded.index, users, TITLES.slice(3, 9)),
    answers(contents.index, users, TITLES.slice(3, 9)),
  );
  assert.deepEqual(shown(loaded.index.call('7')), shown(contents.index.call('7')));
  assert.deepEqual(answer(loaded.queryTower!, users), answer(contents.queryTower, users));
  assert.deepEqual(answer(loaded.candidateTower!, TITLES), answer(contents.candidateTower, TITLES));
  assert.deepEqual(loaded.metadata, contents.metadata);
  assert.equal(loaded.index.k, 5);
  assert.equal(loaded.index.size, TITLES.length);
  assert.equal(loaded.index.dimensions, 8);
  assert.equal(loaded.index.queryModel, loaded.queryTower);
  const before = readFileSync(path);
  await saveBundle(path, loaded);
  assert.deepEqual(readFileSync(path), before);
  await saveBundle(path, loaded, { nonBlocking: true });
  assert.deepEqual(readFileSync(path), before);
  assert.deepEqual(readdirSync(ROOT), ['model.shortlist']);
});

for (const [what, identifiers] of Object.entries(IDENTIFIERS)) {
  test(`identifiers come back as given: ${what}`, async () => {
    const contents = world(runtime, { identifiers });
    const bytes = bundleToBytes(contents);
    const loaded = await bundleFromBytes<string, Identifier>(bytes);
    const some = (identifiers ?? TITLES.map((_, row) => row)).slice(2, 8);
    assert.deepEqual(answers(loaded.index, USERS, some), answers(contents.index, USERS, some));
    assert.deepEqual(bundleToBytes(loaded), bytes);
  });
}

test('exclusions of row numbers and of unknown identifiers work after loading as before', async () => {
  const loaded = await bundleFromBytes(bundleToBytes(world(runtime)));
  assert.throws(() => loaded.index.queryWithExclusions('1', [3]), { code: 'ERR_IDENTIFIER' });
  assert.deepEqual(
    shown(loaded.index.queryWithExclusions('1', ['no such title'])),
    shown(world(runtime).index.call('1')),
  );
});

test('named features, dense layers, masks and unit length come back', async () => {
  const tower = deepTower(runtime);
  const features = [
    { user: '3', place: '東京' },
    { user: 'new', place: 'none' },
    { user: '', place: 'Paris' },
  ];
  const index = new BruteForce({ queryModel: tower, runtime }).index(vectors(9, 5, 2, runtime));
  const bytes = bundleToBytes({ index });
  const loaded = await bundleFromBytes<(typeof features)[0]>(bytes);
  assert.deepEqual(answer(loaded.queryTower!, features), answer(tower, features));
  assert.deepEqual(shown(loaded.index.call(features)), shown(index.call(features)));
  assert.deepEqual(bundleToBytes(loaded), bytes);
});

test('an index without a query model, or with a tower beside it, takes embeddings as before', async () => {
  const queries = vectors(3, 8, 5, runtime);
  for (const queryTower of [undefined, world(runtime).queryTower]) {
    const index = new BruteForce<string, Identifier>({ runtime }).index(vectors(20_000, 8, 3, runtime));
    const loaded: Bundle<string, Identifier> = await bundleFromBytes(bundleToBytes({ index, queryTower }));
    assert.deepEqual(shown(loaded.index.call(queries)), shown(index.call(queries)));
    assert.equal(loaded.queryTower !== undefined, queryTower !== undefined);
    assert.equal(loaded.index.queryModel, undefined);
    assert.deepEqual(loaded.metadata, {});
  }
});

test('indexes of any size, the empty one too', async () => {
  for (const [rows, dimensions] of [
    [0, 0],
    [1, 1],
    [7, 3],
    [8, 5],
    [8191, 3],
    [8192, 3],
    [8193, 3],
  ] as const) {
    const index = new BruteForce<string, Identifier>({ runtime }).index(vectors(rows, dimensions, 1, runtime));
    const bytes = bundleToBytes({ index });
    const loaded = await bundleFromBytes(bytes);
    assert.equal(loaded.index.size, rows);
    const queries = vectors(2, dimensions, 9, runtime);
    assert.deepEqual(shown(loaded.index.call(queries, 9)), shown(index.call(queries, 9)));
    assert.deepEqual(bundleToBytes(loaded), bytes);
  }
});

test('a loaded index can be indexed anew, and a loaded tower trained on', async () => {
  const { index } = await bundleFromBytes<string, Identifier>(bundleToBytes(world(runtime)));
  index.index(vectors(4, 8, 6, runtime), ['a', 'b', 'c', 'd']);
  assert.equal(index.call('1', 9).identifiers().length, 4);
});

for (const { variant, runtime: own, skip } of VARIANTS) {
  test(`the same file and the same answers on ${variant}`, { skip }, async () => {
    const bytes = bundleToBytes(world(own));
    assert.deepEqual(bytes, bundleToBytes(world(runtime)));
    const loaded = await bundleFromBytes<string, Identifier>(bytes, { runtime: own });
    assert.deepEqual(
      answers(loaded.index, USERS, TITLES.slice(2, 8)),
      answers(world(runtime).index, USERS, TITLES.slice(2, 8)),
    );
  });
}

test('loading takes one block of memory a section and no more', async () => {
  const own = new Runtime({ threads: 1 });
  const index = new BruteForce({ runtime: own }).index(vectors(50_000, 16, 1, own));
  const bytes = bundleToBytes({ index });
  const fresh = new Runtime({ threads: 1 });
  await bundleFromBytes(bytes, { runtime: fresh });
  assert.ok(fresh.heap.usedBytes < 50_000 * 16 * 4 + 4096, `${fresh.heap.usedBytes} bytes`);
  assert.ok(fresh.heap.memory.sizeBytes < 1.5 * 50_000 * 16 * 4, `${fresh.heap.memory.sizeBytes} bytes`);
});

test('what cannot be saved is refused and named', () => {
  const contents = world(runtime);
  const refused = (change: object, error: object): void => {
    assert.throws(() => bundleToBytes({ ...contents, ...change } as never), error);
  };
  refused({ index: new BruteForce({ runtime }) }, { code: 'ERR_STATE' });
  refused({ index: {} }, { code: 'ERR_OPTION', message: /index: expected an index that can be saved/ });
  refused({ index: undefined }, { code: 'ERR_OPTION' });
  refused(
    { queryTower: contents.candidateTower },
    { code: 'ERR_OPTION', message: /queryTower: expected the tower that is the index's query model/ },
  );
  refused({ metadata: { score: Number.NaN } }, { code: 'ERR_OPTION', message: /settings\.metadata\.score/ });
  const embed = (): never => assert.fail();
  const model = new BruteForce<string, Identifier>({ queryModel: { dimensions: 8, embed }, runtime });
  refused({ index: model.index(vectors(2, 8, 1, runtime)), queryTower: undefined }, { code: 'ERR_OPTION' });
});
