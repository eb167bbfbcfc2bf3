/** Causal attention, last rows and blocks by the case file of all layers; causality, sequences apart, wrong shapes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attentionBlocks } from '../../src/layers/attention-blocks.ts';
import { CausalAttention, type Sequences } from '../../src/layers/causal-attention.ts';
import { type Layer, type LayerFactory, padded } from '../../src/layers/contract.ts';
import { DenseLayer } from '../../src/layers/dense-layer.ts';
import { gradCheck } from '../../src/layers/grad-check.ts';
import { LastRows } from '../../src/layers/last-rows.ts';
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

/** `layer`, whose outputs are the states of last items, with its outputs at the rows of these items and 0 at all others. */
function atLastRows(layer: Layer): Layer {
  const { kind, inputs, outputs, runtime } = layer;
  const lastOf = (rows: number): [s: number, last: number][] =>
    [...offsetsOf(rows).entries()].flatMap(([s, from], _, all) => {
      const to = all[s + 1]?.[1] ?? from;
      return to > from ? [[s, to - 1] as [number, number]] : [];
    });
  return {
    ...{ kind, inputs, outputs, runtime },
    parameters: () => layer.parameters(),
    save: () => layer.save(),
    forward(x, trainingStep) {
      const states = layer.forward(x, trainingStep);
      const y = new Matrix(x.rows, padded(outputs), runtime);
      for (const [s, last] of lastOf(x.rows)) y.row(last).set(states.row(s));
      return y;
    },
    backward(dy, optimizer) {
      const states = new Matrix(offsetsOf(dy.rows).length - 1, padded(outputs), runtime);
      for (const [s, last] of lastOf(dy.rows)) states.row(s).set(dy.row(last));
      return layer.backward(states, optimizer);
    },
  };
}

/** The rows of last items, and 0 at all others. */
function lastRowsOnly(y: Float64Array, rows: number, columns: number): Float64Array {
  const offsets = offsetsOf(rows);
  return y.map((value, at) => (offsets.includes(Math.floor(at / columns) + 1) ? value : 0));
}

runLayerCases({
  name: 'the last rows of sequences',
  make: (runtime) =>
    atLastRows(
      divided((sequences) => [(inputs, context) => new LastRows(inputs, sequences, context.runtime)], 6, runtime),
    ),
  reference: (x, rows) => lastRowsOnly(x, rows, 6),
  mixesRows: true,
});

for (const [heads, width, lastOnly] of [
  [1, 8, false],
  [2, 3, false],
  [2, 3, true],
] as const) {
  const inputs = 3 * heads * width;
  runLayerCases({
    name: `causal attention, ${heads} heads of ${width}${lastOnly ? ', of last items' : ''}`,
    make: (runtime) => {
      const layer = divided(
        (sequences) => [(_, context) => new CausalAttention(inputs, heads, sequences, context.runtime, lastOnly)],
        inputs,
        runtime,
      );
      return lastOnly ? atLastRows(layer) : layer;
    },
    reference: (x, rows) => {
      const y = attentionRows(x, offsetsOf(rows), inputs, heads);
      return lastOnly ? lastRowsOnly(y, rows, heads * width) : y;
    },
    mixesRows: true,
  });
}

/** The layer normalization of the blocks has Keras's epsilon. */
const EPSILON = 1e-3;

/** The states of last items after blocks of one head over rows of 6 columns and the normalization after them, in float64. */
function blocksReference(x: Float64Array, rows: number, parameters: readonly Float64Array[]): Float64Array {
  const states = Array.from({ length: (parameters.length - 1) / 5 }).reduce<Float64Array>(
    (of, _, i) => blockReference(of, rows, parameters.slice(5 * i, 5 * i + 5)),
    x,
  );
  const y = byRow(6, (row) => layerNormRow(row, parameters.at(-1)!, EPSILON))(states, rows, []);
  return lastRowsOnly(y, rows, 6);
}

/** One block, of all items. */
function blockReference(x: Float64Array, rows: number, parameters: readonly Float64Array[]): Float64Array {
  const [norm1, dense1, norm2, dense2, dense3] = parameters as Float64Array[];
  const each = (from: Float64Array, columns: number, row: (x: Float64Array) => ArrayLike<number>): Float64Array =>
    byRow(columns, row)(from, rows, []);
  const plus = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value + b[i]!);
  const qkv = each(x, 6, (row) => denseRow(layerNormRow(row, norm1!, EPSILON), dense1!, 18, 'linear'));
  const attended = plus(x, attentionRows(qkv, offsetsOf(rows), 18, 1));
  const hidden = each(attended, 6, (row) => denseRow(layerNormRow(row, norm2!, EPSILON), dense2!, 6, 'relu'));
  return plus(
    attended,
    each(hidden, 6, (row) => denseRow(row, dense3!, 6, 'linear')),
  );
}

for (const blocks of [1, 2]) {
  runLayerCases({
    name: `${blocks} blocks of SASRec`,
    make: (runtime) =>
      atLastRows(divided((sequences) => attentionBlocks(6, { blocks, heads: 1, dropout: 0 }, sequences), 6, runtime)),
    reference: blocksReference,
    mixesRows: true,
  });
}

test('a block with dropout: the gradients are those of the masks of the step', () => {
  const runtime = new Runtime({ threads: 1 });
  const make = (sequences: Sequences): readonly (LayerSpec | LayerFactory)[] =>
    attentionBlocks(4, { blocks: 1, heads: 2, dropout: 0.3 }, sequences);
  // The curvature of two normalizations makes differences of up to .01; other masks would make differences of 1.
  const result = gradCheck(atLastRows(divided(make, 4, runtime)), { rows: 4, trainingStep: 3, tolerance: 0.03 });
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

/** The rows of 8 columns in which two matrices differ. */
const differingRows = (a: Float32Array, b: Float32Array): number[] =>
  Array.from({ length: a.length / 8 }, (_, row) => row).filter((row) =>
    a.subarray(8 * row, 8 * row + 8).some((value, t) => value !== b[8 * row + t]),
  );

test('an output of attention depends on its own sequence up to itself', () => {
  const runtime = new Runtime({ threads: 1 });
  const layer = new CausalAttention(24, 2, { offsets: Int32Array.of(0, 5, 5, 9) }, runtime);
  const x = rowsOf(9, 24, 5, runtime);
  const before = layer.forward(x).data.slice();
  x.row(3).fill(2);
  assert.deepEqual(differingRows(layer.forward(x).data, before), [3, 4]);
});

test('the state of a last item depends on its own sequence, with the same bits alone and in a batch', () => {
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
  assert.equal(before.length, 3 * 8);
  x.row(3).fill(2);
  assert.deepEqual(differingRows(chain.forward(x).data, before), [0]);
  const alone = new Matrix(4, 8, runtime);
  alone.data.set(x.data.subarray(5 * 8));
  sequences.offsets = Int32Array.of(0, 4);
  assert.deepEqual(chain.forward(alone).data.slice(), before.slice(2 * 8));
});

test('only the last item of the last block is computed: rows of each layer, by counting', () => {
  const runtime = new Runtime({ threads: 1 });
  const sequences: Sequences = { offsets: Int32Array.of(0, 5, 5, 9) };
  const shape = { blocks: 2, heads: 2, dropout: 0 };
  const layers = makeLayers(attentionBlocks(8, shape, sequences), 8, new Generator(4), runtime);
  let x = rowsOf(9, 8, 5, runtime);
  const rows = layers.map((layer) => {
    x = layer.forward(x);
    return x.rows;
  });
  assert.deepEqual(rows, [9, 9, 3, 3, 3]);
});

test('wrong shapes and heads are refused', () => {
  const runtime = new Runtime({ threads: 1 });
  const sequences: Sequences = { offsets: Int32Array.of(0, 2) };
  const layer = new CausalAttention(12, 2, sequences, runtime);
  assert.throws(() => layer.forward(rowsOf(3, 12, 1, runtime)), /x: expected 2 rows, those of the sequences, got 3/);
  const last = new LastRows(12, sequences, runtime);
  assert.throws(() => last.forward(rowsOf(3, 12, 1, runtime)), /x: expected 2 rows, those of the sequences, got 3/);
  assert.throws(() => last.backward(rowsOf(1, 12, 1, runtime), new Sgd()), /lastRows: expected `forward`/);
  assert.throws(() => layer.backward(rowsOf(2, 4, 1, runtime), new Sgd()), /causalAttention: expected `forward`/);
  const beside: LayerSpec = { kind: 'add', branches: [[], [() => last]] };
  assert.throws(
    () => makeLayers([beside], 12, new Generator(1), runtime)[0]!.forward(rowsOf(2, 12, 1, runtime)),
    /branches: expected 2 rows of each branch, as branch 0 has, got 1 of branch 1/,
  );
  assert.throws(() => new CausalAttention(12, 3, sequences, runtime), /inputs: expected a multiple of 9, .*got 12/);
  assert.throws(
    () => new CausalAttention(12, 0, sequences, runtime),
    /heads: expected an integer of at least 1, got 0/,
  );
});
