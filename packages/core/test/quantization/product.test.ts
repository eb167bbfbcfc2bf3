/** Product quantization: nearest codes, the anisotropic loss, round trips, the reference's bits, threads, bad input. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NotFiniteError, OptionError, ShapeError } from '../../src/errors/errors.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import type { ProductCodebook } from '../../src/quantization/product/codebook.ts';
import { decodeProduct } from '../../src/quantization/product/decode.ts';
import { encodeProduct, encodeProductInto } from '../../src/quantization/product/encode.ts';
import { trainProductCodebook } from '../../src/quantization/product/train.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { referenceRuntime, VARIANTS } from '../kernels/variants.ts';

const { runtime } = VARIANTS[1]!;
const ETA = 4;

function normal(n: number, d: number, seed: number, of: Runtime = runtime): Matrix {
  const random = new Generator(seed);
  return Matrix.from('rows', { data: Float32Array.from({ length: n * d }, () => random.normal()), dimensions: d }, of);
}

/** A codebook of normal words, on any runtime. */
function codebookOf(d: number, dimensionsPerBlock: number, codewords: 16 | 256, of: Runtime): ProductCodebook {
  const blocks = Math.ceil(d / dimensionsPerBlock);
  const starts = Int32Array.from({ length: blocks + 1 }, (_, b) => Math.min(d, b * dimensionsPerBlock));
  return { dimensions: d, dimensionsPerBlock, blocks, codewords, starts, words: normal(d, codewords, 9, of) };
}

/** |e∥|² and |e⊥|² of one point, in float64. */
function errorsOf(residual: Float32Array, decoded: Float32Array, x: Float32Array): { along: number; across: number } {
  let [square, dot, norm] = [0, 0, 0];
  for (let t = 0; t < x.length; t++) {
    const e = residual[t]! - decoded[t]!;
    square += e * e;
    dot += e * x[t]!;
    norm += x[t]! * x[t]!;
  }
  const along = norm > 0 ? (dot * dot) / norm : 0;
  return { along, across: square - along };
}

/** Dimensions, dimensions a block, codewords: whole blocks, a smaller last one, one dimension, one block. */
const SHAPES = [
  [8, 2, 16],
  [11, 3, 16],
  [41, 2, 16],
  [1, 2, 16],
  [7, 7, 256],
  [13, 4, 256],
] as const;

for (const [d, width, codewords] of SHAPES) {
  test(`${codewords} words, ${d} dimensions by ${width}: the nearest words, decoded and found again`, () => {
    const codebook = codebookOf(d, width, codewords, runtime);
    const rows = normal(120, d, 2);
    const codes = encodeProduct(codebook, rows);
    const { blocks, starts, words } = codebook;
    for (let i = 0; i < 120; i++) {
      for (let b = 0; b < blocks; b++) {
        const distances = Array.from({ length: codewords }, (_, word) => {
          let sum = 0;
          for (let t = starts[b]!; t < starts[b + 1]!; t++) sum += (rows.row(i)[t]! - words.row(t)[word]!) ** 2;
          return sum;
        });
        assert.ok(distances[codes[i * blocks + b]!]! <= Math.min(...distances) * (1 + 1e-5) + 1e-9);
      }
    }
    assert.deepEqual(encodeProduct(codebook, decodeProduct(codebook, codes)), codes);
  });

  test(`${codewords} words, ${d} dimensions by ${width}: coordinate descent lowers the anisotropic loss of every point`, () => {
    const codebook = codebookOf(d, width, codewords, runtime);
    const originals = normal(300, d, 4);
    const residuals = normal(300, d, 5);
    const plain = decodeProduct(codebook, encodeProduct(codebook, residuals));
    const shaped = decodeProduct(codebook, encodeProduct(codebook, residuals, { originals, eta: ETA }));
    let lower = 0;
    for (let i = 0; i < 300; i++) {
      const before = errorsOf(residuals.row(i), plain.row(i), originals.row(i));
      const after = errorsOf(residuals.row(i), shaped.row(i), originals.row(i));
      const [cost, least] = [before, after].map(({ along, across }) => ETA * along + across) as [number, number];
      assert.ok(least <= cost + 1e-4 * (1 + cost), `${i}: ${least} > ${cost}`);
      assert.ok(after.along <= before.along + 1e-4 * (1 + before.along));
      if (least < cost - 1e-3) lower++;
    }
    assert.ok(d === 1 || lower > 30, `${lower}`);
    assert.deepEqual(
      encodeProduct(codebook, residuals, { originals, eta: 1 }),
      encodeProduct(codebook, residuals, { eta: ETA }),
      'η = 1 and no originals are both plain',
    );
  });

  for (const { variant, runtime: own, skip } of VARIANTS.filter(({ variant }) => variant !== 'reference')) {
    test(`${codewords} words, ${d} dimensions by ${width}, ${variant}: the reference's bits`, { skip }, () => {
      const encode = (of: Runtime, eta: number): Uint8Array => {
        const originals = normal(700, d, 6, of);
        // Zero originals have no direction; equal words tie.
        originals.data.fill(0, 0, 3 * d);
        const codebook = codebookOf(d, width, codewords, of);
        for (let t = 0; t < d; t++) codebook.words.row(t)[5] = codebook.words.row(t)[3]!;
        return encodeProduct(codebook, normal(700, d, 7, of), { originals, eta });
      };
      for (const eta of [1, 1.5, 30]) assert.deepEqual(encode(own, eta), encode(referenceRuntime, eta));
    });
  }
}

test('training brings words to the points: its error is a known share of the spread', () => {
  const rows = normal(6000, 6, 8);
  const codebook = trainProductCodebook(rows, { dimensionsPerBlock: 2 });
  const decoded = decodeProduct(codebook, encodeProduct(codebook, rows));
  const error = rows.data.reduce((sum, value, i) => sum + (value - decoded.data[i]!) ** 2, 0) / rows.data.length;
  // Normal numbers at 2 bits each: Lloyd and Max's best scalar code leaves 0.1175, and no code less than 2⁻⁴ (Shannon).
  assert.ok(error < 0.1175 && error > 2 ** -4, `${error}`);
  const finer = trainProductCodebook(rows, { dimensionsPerBlock: 2, codewords: 256 });
  const close = decodeProduct(finer, encodeProduct(finer, rows));
  const small = rows.data.reduce((sum, value, i) => sum + (value - close.data[i]!) ** 2, 0) / rows.data.length;
  assert.ok(small < 0.15 * error, `${small}`);
});

test('few, equal and zero residuals', () => {
  const few = normal(3, 5, 1);
  for (const codewords of [16, 256] as const) {
    const codebook = trainProductCodebook(few, { codewords });
    const codes = encodeProduct(codebook, few);
    assert.deepEqual(decodeProduct(codebook, codes).data, few.data);
    assert.ok(codes.every((code) => code < 3));
  }
  const zeros = new Matrix(50, 4, runtime);
  const codebook = trainProductCodebook(zeros);
  assert.deepEqual([...encodeProduct(codebook, zeros, { originals: zeros, eta: ETA })], new Array(100).fill(0));
  assert.equal(encodeProduct(codebook, new Matrix(0, 4, runtime)).length, 0);
});

test('any number of threads gives the same words and codes', () => {
  const [one, ...others] = [1, 2, 3].map((threads) => {
    const own = new Runtime({ threads });
    const rows = normal(3000, 10, 3, own);
    const codebook = trainProductCodebook(rows, { dimensionsPerBlock: 4, iterations: 4, sampleSize: 2000 });
    const codes = encodeProduct(codebook, rows, { originals: normal(3000, 10, 4, own), eta: ETA });
    const words = codebook.words.data.slice();
    own.pool.stop();
    return { words, codes };
  });
  for (const other of others) assert.deepEqual(other, one);
});

test('bad input is refused', () => {
  const rows = normal(20, 4, 1);
  const codebook = codebookOf(4, 2, 16, runtime);
  assert.throws(() => trainProductCodebook(rows, { codewords: 17 as 16 }), OptionError);
  assert.throws(() => trainProductCodebook(rows, { dimensionsPerBlock: 0 }), OptionError);
  assert.throws(() => trainProductCodebook(rows, { iterations: 0 }), OptionError);
  assert.throws(() => trainProductCodebook(rows, { sampleSize: 0 }), OptionError);
  assert.throws(() => trainProductCodebook(new Matrix(0, 4, runtime)), ShapeError);
  assert.throws(() => encodeProduct(codebook, normal(3, 5, 1)), ShapeError);
  assert.throws(() => encodeProduct(codebook, rows, { originals: normal(19, 4, 1), eta: 2 }), ShapeError);
  assert.throws(() => encodeProduct(codebook, rows, { eta: 0.5 }), OptionError);
  assert.throws(() => encodeProductInto(codebook, normal(100, 4, 1), runtime.heap.allocate(64)), ShapeError);
  assert.throws(() => decodeProduct(codebook, new Uint8Array(3)), ShapeError);
  assert.throws(() => decodeProduct(codebook, Uint8Array.of(1, 16)), OptionError);
  const holed = normal(3, 4, 1);
  holed.row(2)[1] = Number.POSITIVE_INFINITY;
  const named = { name: NotFiniteError.name, message: /row 2, column 1/ };
  assert.throws(() => encodeProduct(codebook, holed), named);
  assert.throws(() => encodeProduct(codebook, normal(3, 4, 1), { originals: holed, eta: 2 }), named);
  assert.throws(() => trainProductCodebook(holed), named);
});
