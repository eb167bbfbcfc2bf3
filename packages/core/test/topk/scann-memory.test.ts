/**
 * The memory of a build: the computed peak is the real one, it is checked before anything is copied, and the input is
 * held once.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Block } from '../../src/memory/heap.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { balancedPca } from '../../src/quantization/pca.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { buildMemory } from '../../src/topk/scann/build/build-memory.ts';
import { type ScannOptions, scannSettings } from '../../src/topk/scann/options.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { normalRows } from '../conformance/oracle.ts';

const GIB = 2 ** 30;

/** Counts what the heap of a runtime holds at the most, from the call on. */
function countPeak({ heap }: Runtime): () => number {
  const before = heap.usedBytes;
  let peak = 0;
  const count =
    <A extends unknown[]>(allocate: (...how: A) => Block) =>
    (...how: A): Block => {
      const block = allocate.apply(heap, how);
      peak = Math.max(peak, heap.usedBytes - before);
      return block;
    };
  heap.allocate = count(heap.allocate);
  heap.allocateUnfilled = count(heap.allocateUnfilled);
  const resized = heap.resized;
  heap.resized = (...how) => {
    const size = resized.apply(heap, how);
    peak = Math.max(peak, heap.usedBytes - before);
    return size;
  };
  return () => peak;
}

function flat(rows: readonly Float32Array[]): { data: Float32Array; dimensions: number } {
  const dimensions = rows[0]!.length;
  const data = new Float32Array(rows.length * dimensions);
  rows.forEach((row, i) => {
    data.set(row, i * dimensions);
  });
  return { data, dimensions };
}

const BUILDS: Record<string, ScannOptions<never>> = {
  'dot product': {},
  'no leaves': { tree: 'never' },
  'bfloat16 rows': { reorder: 'bfloat16' },
  'int8 rows without leaves': { reorder: 'int8', tree: 'never' },
  'squared distance': { distanceMeasure: 'squared_l2' },
  'squared distance, rotated': { distanceMeasure: 'squared_l2', rotation: balancedPca.name },
  'rotated, two leaves a row': { rotation: balancedPca.name, soar: 1 },
  'squared distance, two leaves a row, bfloat16': { distanceMeasure: 'squared_l2', soar: 1, reorder: 'bfloat16' },
  'many leaves in groups': { numLeaves: 1500, upperTree: true, minLeafSize: 1 },
  'a prefix': { dimensions: 5, distanceMeasure: 'cosine' },
  'a small sample': { trainingSampleSize: 500, dimensionsPerBlock: 3 },
};

/** So many that the parts of a build that do not grow with the rows are below a tenth of its memory. */
const INPUTS = [
  [12_000, 7],
  [5_000, 48],
].map(([n, d]) => flat(normalRows(n!, d!, 3)));

for (const [name, options] of Object.entries(BUILDS)) {
  test(`a build takes what is asked for, and not much less: ${name}`, () => {
    for (const rows of INPUTS) {
      const d = rows.dimensions;
      const threads = d < 10 ? 2 : 1;
      const runtime = new Runtime({ threads });
      const how = { numLeaves: 200, trainingIterations: 2, tree: 'always', ...options } as const;
      const index = new ScaNN({ ...how, runtime });
      const peak = countPeak(runtime);
      index.index(rows);
      const need = buildMemory(rows.data.length / d, d, scannSettings(how), threads);
      const asked = need.rows + need.others;
      assert.ok(peak() <= asked, `${d} dimensions: ${peak()} bytes held, ${asked} asked for`);
      // Rows that SOAR leaves in one leaf have no second copy.
      assert.ok(
        peak() >= (options.soar ? 0.7 : 0.85) * asked,
        `${d} dimensions: ${peak()} bytes held, ${asked} asked for`,
      );
      index.free();
    }
  });
}

test('the input is held once: a build of squared distances or of bfloat16 rows takes less than twice the input', () => {
  const rows = flat(normalRows(16_000, 128, 4));
  for (const options of [{ distanceMeasure: 'squared_l2' }, { reorder: 'bfloat16' }, {}] as const) {
    const runtime = new Runtime({ threads: 2 });
    const index = new ScaNN({ numLeaves: 60, trainingSampleSize: 1000, tree: 'always', runtime, ...options });
    const peak = countPeak(runtime);
    index.index(rows);
    assert.ok(peak() < 1.6 * rows.data.byteLength, `${JSON.stringify(options)}: ${peak()}`);
    index.free();
  }
});

test('candidates in batches are held once, while their memory can grow where it stands', async () => {
  const runtime = new Runtime({ threads: 1 });
  const rows = normalRows(20_000, 64, 5);
  const batches = async function* () {
    for (let at = 0; at < rows.length; at += 500) yield rows.slice(at, at + 500);
  };
  const how = { numLeaves: 100, trainingSampleSize: 2000, tree: 'always', runtime } as const;
  const index = new ScaNN(how);
  const peak = countPeak(runtime);
  await index.indexFromDataset(batches());
  assert.ok(peak() < 1.5 * 4 * 20_000 * 64, `${peak()}`);
  const whole = new ScaNN({ ...how, runtime: new Runtime({ threads: 1 }) }).index(rows);
  assert.deepEqual(index.call(rows.slice(0, 9)).scores, whole.call(rows.slice(0, 9)).scores);
});

test('the sizes that the issue names fit: 1 million × 768 in bfloat16, 650,000 × 768, 5 million × 64 squared', () => {
  const settings = (options: ScannOptions<never>) => scannSettings({ trainingSampleSize: 150_000, ...options });
  const cases = [
    [1_000_000, 768, { numLeaves: 1500, dimensionsPerBlock: 3, reorder: 'bfloat16' }],
    [650_000, 768, { numLeaves: 1209, dimensionsPerBlock: 3 }],
    [5_000_000, 64, { numLeaves: 3354, distanceMeasure: 'squared_l2' }],
  ] as const;
  for (const [n, d, options] of cases) {
    const { rows, others } = buildMemory(n, d, settings(options), 8);
    assert.ok(rows + others < 4 * GIB, `${n} × ${d}: ${(rows + others) / GIB} GiB`);
  }
});

test('a build that does not fit is refused before a row is read, and the error says what would fit', async () => {
  const runtime = new Runtime({ threads: 1 });
  const index = new ScaNN({ numLeaves: 1000, runtime }).index(normalRows(100, 8, 1));
  const used = runtime.heap.usedBytes;
  // Numbers that are not there: copying one of them would be a RangeError.
  const data = Object.defineProperty(new Float32Array(0), 'length', { value: 5e9 });
  const many = { data, dimensions: 5_000_000 };
  for (const tried of [() => index.index(many), () => index.indexAsync(many), () => index.indexFromDataset([many])]) {
    await assert.rejects(async () => tried(), {
      code: 'ERR_MEMORY',
      message:
        /candidates: expected an index that fits the linear memory of 4294967296 bytes, got a need of \d+ bytes for 1000 rows × 5000000 dimensions while \d+ bytes are in use; what would fit: \d+ rows, or \d+ dimensions per row/,
    });
  }
  assert.equal(runtime.heap.usedBytes, used);
  assert.equal(index.size, 100);
  const exact = new BruteForce({ runtime });
  for (const tried of [() => exact.index(many), () => exact.indexAsync(many), () => exact.indexFromDataset([many])]) {
    await assert.rejects(async () => tried(), {
      code: 'ERR_MEMORY',
      message: /1000 rows × 5000000 dimensions.*would fit/,
    });
  }
  assert.equal(runtime.heap.usedBytes, used);
});

test('what the error says would fit does fit, and a little more does not', () => {
  const runtime = new Runtime({ threads: 1 });
  const filling = runtime.heap.allocateUnfilled(4 * GIB - 3 * 2 ** 20);
  const index = new ScaNN({ numLeaves: 50, trainingSampleSize: 2000, tree: 'always', runtime });
  const rows = normalRows(15_000, 64, 2);
  let rowsThatFit = 0;
  assert.throws(
    () => index.index(rows),
    (error: Error) => {
      rowsThatFit = Number(/what would fit: (\d+) rows/.exec(error.message)![1]);
      return rowsThatFit > 0;
    },
  );
  index.index(rows.slice(0, rowsThatFit));
  assert.equal(index.size, rowsThatFit);
  index.free();
  assert.throws(() => index.index(rows.slice(0, rowsThatFit + 100)), { code: 'ERR_MEMORY' });
  filling.free();
});

test('a matrix whose memory was handed over has no numbers', () => {
  const matrix = Matrix.from('rows', [[1, 2]], new Runtime({ threads: 1 }));
  matrix.handOver().free();
  assert.throws(() => matrix.data, { code: 'ERR_STATE' });
  assert.throws(() => matrix.handOver(), { code: 'ERR_STATE' });
  matrix.free();
});

test('a matrix that is transferred is held once and has no numbers afterwards; where the call is refused it has them still', async () => {
  const runtime = new Runtime({ threads: 1 });
  const rows = flat(normalRows(20_000, 64, 6));
  const how = { numLeaves: 100, trainingSampleSize: 2000, tree: 'always', reorder: 'bfloat16', runtime } as const;
  const matrixOf = () => {
    const matrix = new Matrix(20_000, 64, runtime);
    matrix.data.set(rows.data);
    return matrix;
  };
  const copied = new ScaNN(how).index(rows);
  const queries = normalRows(9, 64, 7);
  const { scores } = copied.call(queries);
  const before = runtime.heap.usedBytes;
  const index = new ScaNN(how);
  const matrix = matrixOf();
  const peak = countPeak(runtime);
  index.index(matrix, undefined, { transfer: true });
  assert.ok(peak() < 0.5 * rows.data.byteLength, `${peak()} bytes beside the matrix`);
  assert.throws(() => matrix.data, { code: 'ERR_STATE' });
  assert.deepEqual(index.call(queries).scores, scores);
  await index.indexAsync(matrixOf(), undefined, { transfer: true });
  assert.deepEqual(index.call(queries).scores, scores);
  index.free();
  assert.ok(runtime.heap.usedBytes - before < 100_000);

  const bad = matrixOf();
  bad.data[70] = Number.NaN;
  assert.throws(() => index.index(bad, undefined, { transfer: true }), {
    code: 'ERR_NOT_FINITE',
    message: /row 1, column 6/,
  });
  assert.throws(() => index.index(bad, [1, 2], { transfer: true }), { code: 'ERR_SHAPE' });
  assert.equal(bad.data.length, 20_000 * 64);
  for (const others of [rows, Matrix.from('rows', rows, new Runtime({ threads: 1 }))]) {
    assert.throws(() => index.index(others, undefined, { transfer: true }), { code: 'ERR_OPTION' });
  }
  assert.throws(() => index.index(rows, undefined, { transfr: true } as object), {
    code: 'ERR_OPTION',
    message: /transfer/,
  });
});

test('candidates that are not read yet: what a build of so many takes is asked for by their numbers alone', () => {
  const runtime = new Runtime({ threads: 1 });
  const index = new ScaNN({ runtime });
  index.checkMemory(1_000_000, 100);
  assert.throws(() => index.checkMemory(20_000_000, 100), {
    code: 'ERR_MEMORY',
    message: /for 20000000 rows × 100 dimensions while \d+ bytes are in use; what would fit: \d+ rows/,
  });
  assert.throws(() => index.checkMemory(0, 100), { code: 'ERR_OPTION' });
  assert.throws(() => index.checkMemory(10, 1.5), { code: 'ERR_OPTION' });
  assert.ok(runtime.heap.memory.sizeBytes < GIB, 'nothing was taken');
});

test('room for more candidates is asked for before anything is allocated, and the message says how many would fit', async () => {
  for (const options of [
    {},
    { tree: 'always' },
    { tree: 'always', soar: 1, reorder: 'int8' },
  ] as ScannOptions<never>[]) {
    const runtime = new Runtime({ threads: 1 });
    const index = new ScaNN({ numLeaves: 4, ...options, runtime }).index(flat(normalRows(500, 8, 1)));
    const before = [runtime.heap.usedBytes, runtime.heap.memory.sizeBytes];
    for (const count of [10 ** 9, Number.MAX_SAFE_INTEGER]) {
      const refused = {
        code: 'ERR_MEMORY',
        message: new RegExp(`^candidates to add: .* for ${count} rows × 8 dimensions .*what would fit: \\d{8,9} rows$`),
      };
      assert.throws(() => index.reserve(count), refused);
      await assert.rejects(index.reserveAsync(count), refused);
    }
    assert.deepEqual([runtime.heap.usedBytes, runtime.heap.memory.sizeBytes], before);
    index.reserve(1_000);
    // The last group of a flat index has a few free slots, which do not count as room.
    assert.ok(index.room > 1_000 - 32);
  }
});
