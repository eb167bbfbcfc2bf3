/**
 * `reorder: 'auto'`: the build keeps the smallest format of rows that loses less than .002 of the recall. The data here
 * are such that it is known what a format loses: whole numbers that a format holds exactly, or differences that it rounds
 * away.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { readSaved } from '../../src/format/part.ts';
import { containerSections } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator as Random } from '../../src/random/generator.ts';
import type { CandidateSequence } from '../../src/topk/contract.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { loadScann, saveScann } from '../../src/topk/scann/saved-scann.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import type { ReorderRows } from '../../src/topk/scann/settings.ts';
import { indexStreamed } from '../../src/topk/scann/streamed/index-streamed.ts';
import { memoryRuns } from '../../src/topk/scann/streamed/run-store.ts';
import { flat, normalRows } from '../conformance/oracle.ts';
import { containerOf } from '../format/containers.ts';

const runtime = new Runtime({ threads: 2 });
const [N, D] = [400, 512];
type Index = ScaNN<ArrayLike<number>, number>;
type Options = ScannOptions<ArrayLike<number>>;

const random = new Random(1);
const made = (value: (row: number, t: number) => number): Float32Array[] =>
  Array.from({ length: N }, (_, row) => Float32Array.from({ length: D }, (_, t) => value(row, t)));
const SETS: Record<ReorderRows, Float32Array[]> = {
  // The first row has the largest magnitude of each dimension, so that the scales of int8 rows are 1/128.
  int8: made((row) => (row === 0 ? 127 : random.below(255) - 127) / 128),
  // Each dimension and each row have a 1,000, so the step of int8 rows is 1,000 / 127; bfloat16 holds these numbers.
  bfloat16: made((row, t) => (t % N === row ? 1_000 : random.below(17) - 8)),
  // Both formats round to a step of more than .007.
  float32: made(() => 1 + 1e-4 * random.normal()),
};
const FORMATS = Object.keys(SETS) as ReorderRows[];

function make(options: Options = {}): Index {
  const tree = { tree: 'always', numLeaves: 8, numLeavesToSearch: 8, minLeafSize: 2 } as const;
  // Each query is compared with so many candidates in all formats, which is most of the time of a build that chooses.
  return new ScaNN({
    ...tree,
    ...{ dimensionsPerBlock: 8, trainingIterations: 2, numReorderingCandidates: 30, runtime },
    ...options,
  });
}

const bytesOf = (index: Index): Uint8Array => containerOf(containerSections(saveScann(index)), runtime);
/** A checksum instead of the bytes: the difference of long arrays would take minutes to show. */
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const partsOf = (index: Index): unknown => Object.entries(index.parts()).map(([name, part]) => [name, digestOf(part)]);
const savedAs = (index: Index): string => digestOf(bytesOf(index));
const loaded = (bytes: Uint8Array): Promise<Index> =>
  readSaved(bytesSource(bytes), (part) => loadScann<ArrayLike<number>, number>(part), runtime);
const queries = flat(normalRows(5, D, 9));
const hits = (index: Index): unknown => [...index.call(queries, 10).rows, ...index.call(queries, 10).scores];

for (const format of FORMATS) {
  for (const distanceMeasure of ['dot_product', 'squared_l2'] as const) {
    test(`${format} is kept where smaller formats lose results, with the parts of reorder: '${format}': ${distanceMeasure}`, () => {
      const index = make({ distanceMeasure }).index(flat(SETS[format]));
      const { reorder, rowLoss, notes } = index.stats();
      assert.equal(reorder, format, JSON.stringify(rowLoss));
      assert.deepEqual([rowLoss?.k, rowLoss?.queries], [10, N / 2]);
      assert.ok(rowLoss!.int8 < 0.002 === (format === 'int8'), `${rowLoss!.int8}`);
      assert.match(notes.join(), new RegExp(`rows are kept as ${format}; int8 loses [01]\\.\\d{4} .* of recall@10`));
      const told = make({ distanceMeasure, reorder: format }).index(flat(SETS[format]));
      assert.equal(told.stats().rowLoss, undefined);
      assert.deepEqual(partsOf(index), partsOf(told));
      assert.deepEqual(hits(index), hits(told));
      for (const each of [index, told]) each.free();
    });
  }
}

for (const [name, options] of Object.entries({
  'one memory': {},
  'second leaves': { soar: 1 },
  segments: { segments: segmentsOf(60_000) },
  'a target recall': { targetRecall: 0.9 },
} as Record<string, Options>)) {
  test(`${name}: saving, updates and a rebuild keep the format and its measurement`, async () => {
    const index = make(options).index(flat(SETS.int8));
    const { rowLoss } = index.stats();
    assert.ok(rowLoss);
    const again = await loaded(bytesOf(index));
    assert.deepEqual(again.stats(), index.stats());
    assert.deepEqual(partsOf(again), partsOf(index));
    // The new candidates alone would need float32 rows.
    again.upsert([N, N + 1, 5], SETS.float32.slice(0, 3));
    await again.rebalance();
    assert.deepEqual([again.stats().reorder, again.stats().rowLoss, again.size], ['int8', rowLoss, N + 2]);
    assert.equal(again.settings.reorder, 'auto');
    assert.equal((await loaded(bytesOf(again))).stats().reorder, 'int8');
    for (const each of [index, again]) each.free();
  });
}

test('a streamed build chooses with its sample, and keeps all candidates in that format', async () => {
  const rows = [...SETS.int8, ...SETS.int8.map((row) => row.map((x) => -x))];
  const dataset = function* (): CandidateSequence<number> & Generator<readonly [number[], Float32Array[]]> {
    yield [rows.map((_, i) => i), rows];
  };
  const build = (options: Options): Promise<Index> =>
    indexStreamed(make({ ...options, segments: segmentsOf(200_000) }), dataset, { runs: memoryRuns() });
  const all = await build({ trainingSampleSize: 2 * N });
  const whole = make({ trainingSampleSize: 2 * N, segments: segmentsOf(200_000) });
  await whole.indexFromDataset(dataset);
  assert.equal(savedAs(all), savedAs(whole));
  const part = await build({ trainingSampleSize: N });
  assert.deepEqual([part.stats().reorder, part.size], ['int8', 2 * N]);
  assert.ok(part.stats().segments > 1);
  const told = await build({ trainingSampleSize: N, reorder: 'int8' });
  assert.deepEqual(partsOf(part), partsOf(told));
  for (const each of [all, whole, part, told]) each.free();
});

test('below 512 dimensions and without leaves rows are float32, in the bytes of reorder: "float32"', () => {
  const short = flat(SETS.int8.map((row) => row.subarray(0, D - 1)));
  const index = make().index(short);
  assert.deepEqual([index.stats().reorder, index.stats().rowLoss], ['float32', undefined]);
  assert.equal(savedAs(index), savedAs(make({ reorder: 'float32' }).index(short)));
  const few = make({ tree: 'never' }).index(flat(SETS.int8));
  assert.deepEqual([few.stats().reorder, few.stats().rowLoss], ['float32', undefined]);
  for (const each of [index, few]) each.free();
});
