/** Causal attention and its blocks by the case file of all layers; causality, sequences apart, wrong shapes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attentionBlocks } from '../../src/layers/attention-blocks.ts';
import { CausalAttention, type Sequences } from '../../src/layers/causal-attention.ts';
import { type Layer, type LayerFactory, padded } from '../../src/layers/contract.ts';
import { DenseLayer } from '../../src/layers/dense-layer.ts';
import { gradCheck } from '../../src/layers/grad-check.ts';
import { type LayerSpec, makeLayers } from '../../src/layers/make-layers.ts';
import { Sequential } from '../../src/layers/sequential.ts';
import { Sgd } from '../../src/optimizers/sgd.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { golden } from '../golden/golden.ts';
import { rowsOf, runLayerCases } from './layer-cases.ts';
import { attentionRows, byRow, denseRow, layerNormRow } from './references.ts';

/** Lengths of sequences, over and over. */
const LENGTHS = [3, 0, 1, 6, 2];

/** The offsets of sequences with these lengths; the last one is cut where the rows end. */
function offsetsOf(rows: number): Int32Array {
  const offsets = [0];
  for (let s = 0; offsets.at(-1)! < rows; s++) offsets.push(Math.min(rows, offsets[s]! + LENGTHS[s % LENGTHS.length]!));
  return Int32Array.from(offsets);
}

/** Layers in one, whose rows are divided into sequences before every `forward`. */
function divided(
  make: (sequences: Sequences) => readonly (LayerSpec | LayerFactory)[],
  inputs: number,
  runtime: Runtime,
): Layer {
  const sequences: Sequences = { offsets: Int32Array.of(0) };
  const layer = new Sequential(inputs, makeLayers(make(sequences), inputs, new Generator(4), runtime), runtime);
  const forward = layer.forward.bind(layer);
  layer.forward = (x, trainingStep) => {
    sequences.offsets = offsetsOf(x.rows);
    return forward(x, trainingStep);
  };
  const generator = new Generator(11);
  for (const { data } of layer.parameters()) {
    // The padding stays 0.
    data.forEach((value, i) => {
      if (value !== 0) data[i] = 0.6 * generator.normal();
    });
  }
  return layer;
}

for (const [heads, width] of [
  [1, 8],
  [2, 3],
] as const) {
  const inputs = 3 * heads * width;
  runLayerCases({
    name: `causal attention, ${heads} heads of ${width}`,
    make: (runtime) =>
      divided(
        (sequences) => [(_, context) => new CausalAttention(inputs, heads, sequences, context.runtime)],
        inputs,
        runtime,
      ),
    reference: (x, rows) => attentionRows(x, offsetsOf(rows), inputs, heads),
    mixesRows: true,
  });
}

/** The layer normalization of the blocks has Keras's epsilon. */
const EPSILON = 1e-3;

/** One block of one head over rows of 6 columns, and the normalization after it, in float64. */
function blockReference(x: Float64Array, rows: number, parameters: readonly Float64Array[]): Float64Array {
  const [norm1, dense1, norm2, dense2, dense3, last] = parameters as Float64Array[];
  const each = (from: Float64Array, columns: number, row: (x: Float64Array) => ArrayLike<number>): Float64Array =>
    byRow(columns, row)(from, rows, []);
  const plus = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value + b[i]!);
  const qkv = each(x, 6, (row) => denseRow(layerNormRow(row, norm1!, EPSILON), dense1!, 18, 'linear'));
  const attended = plus(x, attentionRows(qkv, offsetsOf(rows), 18, 1));
  const hidden = each(attended, 6, (row) => denseRow(layerNormRow(row, norm2!, EPSILON), dense2!, 6, 'relu'));
  const fed = plus(
    attended,
    each(hidden, 6, (row) => denseRow(row, dense3!, 6, 'linear')),
  );
  return each(fed, 6, (row) => layerNormRow(row, last!, EPSILON));
}

runLayerCases({
  name: 'a block of SASRec',
  make: (runtime) =>
    divided((sequences) => attentionBlocks(6, { blocks: 1, heads: 1, dropout: 0 }, sequences), 6, runtime),
  reference: blockReference,
  mixesRows: true,
});

test('a block with dropout: the gradients are those of the masks of the step', () => {
  const runtime = new Runtime({ threads: 1 });
  const make = (sequences: Sequences): readonly (LayerSpec | LayerFactory)[] =>
    attentionBlocks(4, { blocks: 1, heads: 2, dropout: 0.3 }, sequences);
  // The curvature of two normalizations makes differences of up to .01; other masks would make differences of 1.
  const result = gradCheck(divided(make, 4, runtime), { rows: 4, trainingStep: 3, tolerance: 0.03 });
  assert.ok(result.isCorrect && result.checked > 100, JSON.stringify(result));
});

interface Golden {
  readonly heads: number;
  readonly x: number[][];
  readonly weights: number[][];
  readonly kernel: number[][];
  readonly bias: number[];
  readonly y: number[][];
  readonly dx: number[][];
  readonly kernelGradient: number[][];
  readonly biasGradient: number[];
}

test("the outputs and gradients of Keras's MultiHeadAttention with a causal mask", () => {
  const runtime = new Runtime({ threads: 1 });
  const { heads, x, weights, kernel, bias, y, dx, kernelGradient, biasGradient } = golden<Golden>('attention');
  const [items, d] = [x.length, x[0]!.length];
  const matrix = (rows: readonly number[][]): Matrix => {
    const made = new Matrix(rows.length, padded(rows[0]!.length), runtime);
    rows.forEach((row, i) => made.row(i).set(row));
    return made;
  };
  const dense = new DenseLayer(d, 3 * d, 'linear', matrix([...kernel, bias]));
  const attention = new CausalAttention(3 * d, heads, { offsets: Int32Array.of(0, items) }, runtime);
  const layer = new Sequential(d, [dense, attention], runtime);
  const near = (name: string, got: Matrix, expected: readonly number[][]): void =>
    expected.forEach((row, i) =>
      row.forEach((value, j) => {
        assert.ok(Math.abs(got.row(i)[j]! - value) < 1e-5 * (1 + Math.abs(value)), `${name}[${i}, ${j}]`);
      }),
    );
  near('y', layer.forward(matrix(x)), y);
  const before = dense.weights.data.slice();
  near('dx', layer.backward(matrix(weights), new Sgd({ learningRate: 1 })), dx);
  const step = new Matrix(d + 1, dense.weights.dimensions, runtime);
  step.data.set(before.map((value, i) => value - dense.weights.data[i]!));
  near('the gradient of the weights', step, [...kernelGradient, biasGradient]);
});

test('an output depends on its own sequence up to itself, with the same bits alone and in a batch', () => {
  const runtime = new Runtime({ threads: 1 });
  const sequences: Sequences = { offsets: Int32Array.of(0, 5, 5, 9) };
  const layers = makeLayers(
    attentionBlocks(8, { blocks: 2, heads: 2, dropout: 0 }, sequences),
    8,
    new Generator(4),
    runtime,
  );
  const chain = new Sequential(8, layers, runtime);
  const x = rowsOf(9, 8, 5, runtime);
  const before = chain.forward(x).data.slice();
  x.row(3).fill(2);
  const changed = chain.forward(x).data.slice();
  const differing = Array.from({ length: 9 }, (_, row) => row).filter((row) =>
    changed.subarray(8 * row, 8 * row + 8).some((value, t) => value !== before[8 * row + t]),
  );
  assert.deepEqual(differing, [3, 4]);
  const alone = new Matrix(4, 8, runtime);
  alone.data.set(x.data.subarray(5 * 8));
  sequences.offsets = Int32Array.of(0, 4);
  assert.deepEqual(chain.forward(alone).data.slice(), before.slice(5 * 8));
});

test('wrong shapes and heads are refused', () => {
  const runtime = new Runtime({ threads: 1 });
  const sequences: Sequences = { offsets: Int32Array.of(0, 2) };
  const layer = new CausalAttention(12, 2, sequences, runtime);
  assert.throws(() => layer.forward(rowsOf(3, 12, 1, runtime)), /x: expected 2 rows, those of the sequences, got 3/);
  assert.throws(() => layer.backward(rowsOf(2, 4, 1, runtime), new Sgd()), /causalAttention: expected `forward`/);
  assert.throws(() => new CausalAttention(12, 3, sequences, runtime), /inputs: expected a multiple of 9, .*got 12/);
  assert.throws(
    () => new CausalAttention(12, 0, sequences, runtime),
    /heads: expected an integer of at least 1, got 0/,
  );
});
