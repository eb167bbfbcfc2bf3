/**
 * `rotation: 'auto'`: the build rotates wide rows where codes of rotated rows are as exact and shorter. The data here are
 * such that this is known: rows of few directions, and rows of which all directions are alike.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { readSaved } from '../../src/format/part.ts';
import { containerSections } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { balancedPca } from '../../src/quantization/pca.ts';
import type { CandidateSequence } from '../../src/topk/contract.ts';
import { measuredRotation } from '../../src/topk/scann/calibration/rotation-choice.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { loadScann, saveScann } from '../../src/topk/scann/saved-scann.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import { indexStreamed } from '../../src/topk/scann/streamed/index-streamed.ts';
import { memoryRuns } from '../../src/topk/scann/streamed/run-store.ts';
import { flat, normalRows } from '../conformance/oracle.ts';
import { containerOf } from '../format/containers.ts';
import { isThorough } from '../thorough.ts';

const runtime = new Runtime({ threads: 2 });
/** Just enough candidates that 32 blocks in place of 256 save more than the rotation of a query of 512 dimensions. */
const [N, D, RANK] = [1_900, 512, 12];
type Index = ScaNN<ArrayLike<number>, number>;
type Options = ScannOptions<ArrayLike<number>>;

/** Rows of `RANK` directions and a little noise. */
function lowRank(rows: number, seed: number): Float32Array[] {
  const directions = normalRows(RANK, D, 7);
  const noise = normalRows(rows, D, seed + 1);
  return normalRows(rows, RANK, seed).map((weights, i) => {
    const row = noise[i]!.map((x) => 0.02 * x);
    weights.forEach((weight, j) => {
      for (let t = 0; t < D; t++) row[t]! += weight * directions[j]![t]!;
    });
    return row;
  });
}

const candidates = lowRank(N, 1);
const queries = flat(lowRank(5, 3));

function unbuilt(options: Options): Index {
  const tree = { tree: 'always', numLeaves: 3, numLeavesToSearch: 3, trainingIterations: 2, reorder: 'int8' } as const;
  const sizes = { trainingSampleSize: 1_000 };
  return new ScaNN<ArrayLike<number>, number>({ ...tree, ...sizes, runtime, ...options });
}

const make = (options: Options, rows = candidates): Index => unbuilt(options).index(flat(rows));

function loadedFrom(index: Index): Promise<Index> {
  const bytes = containerOf(containerSections(saveScann(index)), runtime);
  return readSaved(bytesSource(bytes), (part) => loadScann<ArrayLike<number>, number>(part), runtime);
}

const hits = (index: Index): unknown => [...index.call(queries, 10).rows, ...index.call(queries, 10).scores];
/** A checksum instead of the bytes: the difference of long arrays would take minutes to show. */
const partsOf = (index: Index): unknown =>
  Object.entries(index.parts()).map(([name, part]) => [name, createHash('sha256').update(part).digest('hex')]);

const rotated = make({ rotation: 'auto' });
after(() => rotated.free());

test('rows of few directions are rotated', () => {
  const { isRotated, blocks, dimensionsPerBlock, codeErrors, notes, settings } = rotated.stats();
  assert.deepEqual([isRotated, blocks, dimensionsPerBlock], [true, D / 16 + 1, 16]);
  assert.deepEqual([settings.rotation, settings.dimensionsPerBlock], ['auto', 2]);
  assert.ok(codeErrors!.balancedPca < codeErrors!.none, JSON.stringify(codeErrors));
  assert.match(
    notes.join(),
    /rotation: rows are rotated by balanced PCA and have 16 dimensions a block; the error .* 0\.\d{3} with/,
  );
  const found = rotated.call(queries, { k: 10, leavesToSearch: 3, reorder: 60 });
  assert.deepEqual(found.rows, rotated.callExactly(queries, 10).rows);
});

test('rows whose directions are alike are not rotated', () => {
  const alike = normalRows(N, D, 5);
  const index = make({ rotation: measuredRotation.name }, alike);
  const { isRotated, blocks, codeErrors, notes } = index.stats();
  assert.deepEqual([isRotated, blocks], [false, D / 2 + 1]);
  assert.ok(codeErrors!.balancedPca > 1.5 * codeErrors!.none, JSON.stringify(codeErrors));
  assert.match(notes.join(), /rotation: rows are not rotated and have 2 dimensions a block/);
  index.free();
});

test('where the scan is too short to pay for a rotation, and below 512 dimensions, nothing is measured', () => {
  const narrow = candidates.map((row) => row.subarray(0, 256));
  for (const index of [
    make({ rotation: 'auto' }, candidates.slice(0, 1_800)),
    make({ rotation: 'auto', numLeaves: 20, numLeavesToSearch: 1, minLeafSize: 2 }),
    make({ rotation: 'auto', dimensionsPerBlock: 8 }),
    make({ rotation: 'auto' }, narrow),
  ]) {
    const { isRotated, codeErrors, notes } = index.stats();
    assert.deepEqual([isRotated, codeErrors], [false, undefined]);
    assert.ok(!notes.join().includes('rotation'), notes.join());
    index.free();
  }
});

test('it is saved and loaded, and takes updates', async () => {
  const loaded = await loadedFrom(rotated);
  assert.deepEqual(loaded.stats().codeErrors, rotated.stats().codeErrors);
  assert.deepEqual(hits(loaded), hits(rotated));
  const added = lowRank(1, 9)[0]!.map((x) => 4 * x);
  loaded.upsert([N], [added]);
  assert.equal(loaded.call([added], { k: 1, leavesToSearch: 3 }).rows[0], N);
  loaded.free();
});

const slow = { skip: !isThorough && 'each build computes the 512 directions: npm run test:slow' };

test('the parts are those of a rotation that is asked for', slow, () => {
  const told = make({ rotation: balancedPca.name, dimensionsPerBlock: 16 });
  assert.equal(told.stats().codeErrors, undefined);
  assert.deepEqual(partsOf(rotated), partsOf(told));
  assert.deepEqual(hits(rotated), hits(told));
  told.free();
});

test('a rebuild keeps the choice, and a build in segments makes the same', slow, async () => {
  const loaded = await loadedFrom(rotated);
  await loaded.rebalance();
  const { isRotated, codeErrors, settings } = loaded.stats();
  assert.deepEqual([isRotated, settings.rotation, loaded.size], [true, 'auto', N]);
  assert.deepEqual(codeErrors, rotated.stats().codeErrors);
  const cut = make({ rotation: 'auto', segments: segmentsOf(600_000) });
  assert.ok(cut.stats().segments > 1 && cut.stats().isRotated);
  assert.deepEqual(hits(cut), hits(rotated));
  for (const each of [loaded, cut]) each.free();
});

test('a streamed build chooses with its sample, for the number of all candidates', slow, async () => {
  const dataset = function* (): CandidateSequence<number> & Generator<readonly [number[], Float32Array[]]> {
    yield [candidates.map((_, i) => i), candidates];
  };
  const settings = { rotation: 'auto', trainingSampleSize: 2_000, segments: segmentsOf(600_000) } as const;
  const index = await indexStreamed(unbuilt(settings), dataset, { runs: memoryRuns() });
  assert.deepEqual([index.stats().isRotated, index.size], [true, N]);
  index.free();
});
