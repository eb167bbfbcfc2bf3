/** An index whose rows stay in the file of its bundle gives the results of the same index with rows in memory. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadBundle, saveBundle } from '../../src/bundle/save.ts';
import { rowFileOf } from '../../src/kernels/segments/row-file.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import type { ScannCallOptions } from '../../src/topk/scann/search/call.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import { flat, normalRows } from '../conformance/oracle.ts';
import { VARIANTS } from '../kernels/variants.ts';

const [N, D, QUERIES, K] = [1_500, 9, 20, 7];
const folder = mkdtempSync(join(tmpdir(), 'shortlist-file-rows-'));
after(() => rmSync(folder, { recursive: true }));
const runtime = VARIANTS.find(({ variant }) => variant === 'simd128')!.runtime;
const alone = new Runtime({ variant: 'simd128', threads: 1 });
const rows = normalRows(N, D, 3);
const queries = flat(normalRows(QUERIES, D, 4));

type Index = ScaNN<ArrayLike<number>, number>;

const CASES: Record<string, ScannOptions<ArrayLike<number>>> = {
  'in one memory': {},
  'in one memory, second leaves, bfloat16': { soar: 1, reorder: 'bfloat16' },
  'in segments': { segments: segmentsOf(18_000), groupBound: 1 },
  'in segments, second leaves, int8': { segments: segmentsOf(18_000), soar: 1, reorder: 'int8' },
  'in segments, approximate scores': { segments: segmentsOf(18_000), reorder: false },
};

const CALLS: Record<string, ScannCallOptions<number>> = {
  plain: {},
  'a filter': { filter: (_, row) => row % 3 > 0 },
  exclusions: { exclude: Array.from({ length: QUERIES }, (_, query) => [query, 3 * query, 700 + query]) },
  'every candidate scored exactly': { exact: true },
  'exactly, with exclusions': { exact: true, exclude: Array.from({ length: QUERIES }, (_, query) => [query, 2]) },
  'a filter that leaves few': { filter: (_, row) => row % 97 === 5 },
  'fewer in the leaves than results': { k: 60, leavesToSearch: 1 },
};

/** Threads search the first index in one memory and the first in segments; every new segment starts other threads. */
const runtimeOf = (name: string): Runtime => (name.includes(',') ? alone : runtime);

function build(options: ScannOptions<ArrayLike<number>>): Index {
  const tree = { tree: 'always', numLeaves: 60, numLeavesToSearch: 9, trainingIterations: 3, minLeafSize: 2 } as const;
  const index: Index = new ScaNN({ k: K, ...tree, runtime, ...options });
  return index.index(flat(rows));
}

async function loaded(path: string, options: { rowCacheBytes?: number; runtime?: Runtime } = {}): Promise<Index> {
  const { index } = await loadBundle<ArrayLike<number>, number>(path, { rows: 'file', runtime, ...options });
  assert.ok(index instanceof ScaNN);
  return index as Index;
}

async function assertSame(memory: Index, file: Index, label: string): Promise<void> {
  for (const [name, options] of Object.entries(CALLS)) {
    const work = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
    const own = { ...work };
    const expected = memory.call(queries, { ...options, work });
    const found = [file.call(queries, { ...options, work: own }), await file.callAsync(queries, options)];
    for (const result of found) {
      for (let query = 0; query < QUERIES; query++) {
        assert.deepEqual(result.hits(query), expected.hits(query), `${label}, ${name}, query ${query}`);
      }
    }
    // A scan of panels, for 16 queries and more, counts no centroids.
    assert.equal(own.reorders, work.reorders, `${label}, ${name}`);
  }
  const first = queries.data.subarray(0, D);
  for (let again = 0; again < 3; again++) assert.deepEqual(file.call(first).hits(), memory.call(first).hits());
}

describe('rows in the file', { skip: VARIANTS.find(({ variant }) => variant === 'simd128')!.skip }, () => {
  for (const [name, options] of Object.entries(CASES)) {
    test(`${name}: calls, deletions and vectors are those of rows in memory`, async () => {
      const own = runtimeOf(name);
      const memory = build({ ...options, runtime: own });
      const path = join(folder, `${name}.bundle`);
      await saveBundle(path, { index: memory });
      for (const rowCacheBytes of [0, 2 ** 20]) {
        const file = await loaded(path, { rowCacheBytes, runtime: own });
        assert.equal(file.parts().rows, undefined);
        await assertSame(memory, file, `cache ${rowCacheBytes}`);
        file.free();
      }
      const file = await loaded(path, { runtime: own });
      const { index: held } = await loadBundle<ArrayLike<number>, number>(path, { runtime: own });
      for (const index of [memory, file, held as Index]) assert.equal(index.delete([3, 10, 77_777]), 2);
      await assertSame(memory, file, 'after deletions');
      assert.deepEqual(file.candidateVectors([4, 900]), memory.candidateVectors([4, 900]));
      assert.throws(() => file.upsert([N], flat(rows.slice(0, 1))), /upsert: expected an index with rows in memory/);
      // A saved copy has the rows of the file; it may replace the file from which they are read.
      const copies = [`${path}.memory`, `${path}.file`, path] as const;
      await saveBundle(copies[0], { index: held });
      await saveBundle(copies[1], { index: file }, { nonBlocking: true });
      await saveBundle(copies[2], { index: file });
      for (const copy of copies.slice(1)) assert.deepEqual(readFileSync(copy), readFileSync(copies[0]), copy);
      await assertSame(memory, file, 'saved');
      // The rebuilt index has its rows in memory.
      await Promise.all([memory.rebalance(), file.rebalance()]);
      await assertSame(memory, file, 'rebalanced');
      for (const index of [file, memory, held as Index]) index.free();
    });
  }

  test('the rows of a batch are read together: fewer reads than for one query after another', async () => {
    const path = join(folder, 'batch.bundle');
    for (const options of [{}, { segments: segmentsOf(30_000) }]) {
      await saveBundle(path, { index: build(options) });
      const alone = new Runtime({ threads: 1 });
      const { index } = await loadBundle<ArrayLike<number>, number>(path, {
        ...{ rows: 'file', rowCacheBytes: 0, runtime: alone },
      });
      const { segments } = (index as Index).live.leaves;
      const readers = segments.map(({ fileRows }) => rowFileOf(fileRows!.location));
      const reads = (): number => readers.reduce((sum, reader) => sum + reader.reads, 0);
      const begin = reads();
      for (let query = 0; query < QUERIES; query++) index.call(queries.data.subarray(query * D, (query + 1) * D));
      const single = reads() - begin;
      index.call(queries);
      const batch = reads() - begin - single;
      // All rows are some 15 blocks; 20 queries read each of them several times.
      assert.ok(batch < single / 3, `${batch} reads for a batch, ${single} for its queries`);
      (index as Index).free();
    }
  });

  test('a file that is replaced stays open; one that becomes shorter is an error that names the offset', async () => {
    const [first, other] = [build({}), build({ seed: 9 })];
    const [path, next] = [join(folder, 'replaced.bundle'), join(folder, 'next.bundle')];
    await saveBundle(path, { index: first });
    await saveBundle(next, { index: other });
    const file = await loaded(path, { rowCacheBytes: 0 });
    renameSync(next, path);
    await assertSame(first, file, 'replaced');
    const short = await loaded(path, { rowCacheBytes: 0 });
    truncateSync(path, 40_000);
    const named = /replaced\.bundle: expected rows at byte \d+, but the file ends before it or cannot be read/;
    assert.throws(() => short.call(queries), named);
    await assert.rejects(short.callAsync(queries), named);
    assert.throws(() => short.call(queries.data.subarray(0, D)), named);
    assert.throws(() => short.candidateVectors([4, 900]), named);
    const saved = saveBundle(join(folder, 'saved-short.bundle'), { index: short });
    await assert.rejects(saved, { code: 'ERR_IO', message: named });
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('saved-short')),
      [],
    );
    await assertSame(first, file, 'after the failure');
    for (const index of [first, other, file, short]) index.free();
  });

  test('what cannot stay in the file is refused', async () => {
    const path = join(folder, 'refused.bundle');
    const refused = (options: object, message: RegExp): Promise<void> =>
      assert.rejects(loadBundle(path, { runtime, ...options }), message);
    await saveBundle(path, { index: new BruteForce({ runtime }).index(flat(rows)) });
    await refused({ rows: 'file' }, /rows: expected "memory" for a bundle without a ScaNN index/);
    await saveBundle(path, { index: new ScaNN({ tree: 'never', runtime }).index(flat(rows)) });
    await refused({ rows: 'file' }, /rows: expected "memory" for an index without leaves/);
    await refused({ rows: 'file', headroom: 1 }, /headroom: expected 0 with rows: "file"/);
    await refused({ rows: 'disk' }, /rows: expected/);
    await refused({ rows: 'file', rowCacheBytes: -1 }, /rowCacheBytes: expected/);
  });
});
