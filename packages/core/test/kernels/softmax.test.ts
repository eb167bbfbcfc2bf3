/** The softmax kernels: every variant equals the reference to rounding, and what is left out has gradient 0. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOSS_NUMBERS } from '../../src/kernels/families/softmax.ts';
import { modelPool } from '../../src/parallel/model-pool.ts';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { referenceRuntime, VARIANTS } from './variants.ts';

const QUERIES = 7;
const GROUPS = 19;
const PANELS = 3;
const COLUMNS = 8 * PANELS;
const DIMENSIONS = 8;
/** Pairs [query, column] sorted by query; query 3 has none. */
const PAIRS = [
  [0, 0],
  [0, 4],
  [0, 4],
  [1, 18],
  [2, 7],
  [4, 9],
  [5, 1],
  [5, 2],
  [6, 11],
] as const;

interface Case {
  name: string;
  heads?: number;
  ids?: boolean;
  masked?: boolean;
  negatives?: number;
  loss?: keyof typeof LOSS_NUMBERS;
  /** Every score 0: all logits of equal offset are ties. */
  zero?: boolean;
}

interface Outcome {
  gradients: number[];
  results: number[];
}

/** The parts that both kernels read. */
class Parts {
  readonly runtime: Runtime;
  readonly #generator = new Generator(3);
  readonly queries: Matrix;
  readonly packed: Matrix;
  readonly starts: number;
  readonly columns: number;
  readonly weights: number;

  constructor(runtime: Runtime, heads: number, scale: number) {
    this.runtime = runtime;
    const random = (rows: number, d: number, factor: number): Matrix => {
      const matrix = new Matrix(rows, d, runtime);
      matrix.data.forEach((_, i, data) => {
        data[i] = factor * this.#generator.normal();
      });
      return matrix;
    };
    this.queries = random(QUERIES * heads, DIMENSIONS, scale);
    const candidates = random(GROUPS, DIMENSIONS, 1);
    this.packed = new Matrix(COLUMNS, DIMENSIONS, runtime);
    runtime.kernels.packPanels(0, PANELS, 0, candidates.offset, GROUPS, DIMENSIONS, this.packed.offset);
    const starts = Array.from({ length: QUERIES + 1 }, (_, u) => PAIRS.filter(([query]) => query < u).length);
    this.starts = this.integers(starts);
    this.columns = this.integers(PAIRS.map(([, column]) => column));
    this.weights = this.floats(PAIRS.map((_, p) => 0.5 * p));
  }

  integers(values: readonly number[]): number {
    const block = this.runtime.heap.allocate(4 * values.length);
    block.integers(values.length).set(values);
    this.kept.push(block);
    return block.offset;
  }

  floats(values: readonly number[]): number {
    const matrix = Matrix.from('values', [values], this.runtime);
    this.kept.push(matrix);
    return matrix.offset;
  }

  /** Blocks and matrices whose offsets are in use. */
  readonly kept: unknown[] = [];
}

const padded = (of: (column: number) => number): number[] =>
  Array.from({ length: COLUMNS }, (_, m) => (m < GROUPS ? of(m) : 0));

function runTile(runtime: Runtime): Outcome {
  const parts = new Parts(runtime, 1, 5);
  const rowWeights = parts.floats(
    Array.from({ length: QUERIES }, (_, u) => PAIRS.reduce((sum, [query], p) => sum + (query === u ? 0.5 * p : 0), 0)),
  );
  const columnWeights = parts.floats(padded((m) => 1 + (m % 3)));
  const tile = new Matrix(QUERIES, COLUMNS, runtime);
  const results = new Matrix(QUERIES, 6, runtime);
  modelPool(runtime).run('softmaxTile', QUERIES, 4, {
    first: 0,
    queries: parts.queries.offset,
    d: DIMENSIONS,
    packed: parts.packed.offset,
    panels: PANELS,
    scale: 0.5,
    rowWeights,
    columnWeights,
    pairStarts: parts.starts,
    pairColumns: parts.columns,
    pairWeights: parts.weights,
    tile: tile.offset,
    results: results.offset,
  });
  const { buffer } = runtime.heap.memory.memory;
  return { gradients: [...tile.data], results: [...new Float64Array(buffer, results.offset, 3 * QUERIES)] };
}

function runPairs(runtime: Runtime, { heads = 1, ids, masked, negatives = 0, zero, loss = 'softmax' }: Case): Outcome {
  const parts = new Parts(runtime, heads, zero ? 0 : 5);
  const generator = new Generator(8);
  const counts = parts.floats(padded((m) => (masked ? 1 : 1 + (m % 3) + PAIRS.length * Number(m === 4))));
  const offsets = parts.floats(padded((m) => (m % 4) / 4));
  const groupIds = parts.integers(padded((m) => m % 6));
  const words = PAIRS.map(([, g]) => (generator.below(1 << GROUPS) | (1 << g)) >>> 0);
  const masks = masked ? parts.integers(words) : 0;
  const tile = new Matrix(QUERIES * heads, COLUMNS, runtime);
  const results = new Matrix(PAIRS.length, 8, runtime);
  const scratch = new Matrix(3 * runtime.pool.threads, COLUMNS, runtime);
  modelPool(runtime).run('softmaxPairs', QUERIES, 4, {
    first: 0,
    heads,
    queries: parts.queries.offset,
    d: DIMENSIONS,
    packed: parts.packed.offset,
    panels: PANELS,
    scale: 0.5,
    counts,
    offsets,
    ids: ids ? groupIds : 0,
    masks,
    maskWords: 1,
    negatives,
    loss: LOSS_NUMBERS[loss],
    margin: 0.3,
    negativeWeight: 2.5,
    pairStarts: parts.starts,
    pairColumns: parts.columns,
    pairWeights: parts.weights,
    learn: 1,
    tile: tile.offset,
    results: results.offset,
    scratch: scratch.offset,
  });
  const { buffer } = runtime.heap.memory.memory;
  return { gradients: [...tile.data], results: [...new Float64Array(buffer, results.offset, 4 * PAIRS.length)] };
}

function compare(got: Outcome, expected: Outcome): void {
  got.gradients.forEach((value, i) =>
    assert.ok(Math.abs(value - expected.gradients[i]!) < 2e-5, `gradient ${i}: ${value}, not ${expected.gradients[i]}`),
  );
  got.results.forEach((value, i) => {
    assert.ok(
      Math.abs(value - expected.results[i]!) <= 4e-6 * (1 + Math.abs(expected.results[i]!)),
      `result ${i}: ${value}, not ${expected.results[i]}`,
    );
  });
}

const CASES: readonly Case[] = [
  { name: 'all columns' },
  { name: 'accidental hits', ids: true },
  { name: 'masks', masked: true },
  { name: 'one hard negative', negatives: 1 },
  { name: 'hard negatives that split a group', negatives: 4 },
  { name: 'more hard negatives than columns', negatives: 1000 },
  { name: 'hard negatives among ties', negatives: 9, zero: true },
  { name: 'three heads', heads: 3 },
  { name: 'BPR', loss: 'bpr' },
  { name: 'BPR with everything', loss: 'bpr', heads: 2, ids: true, masked: true, negatives: 3 },
  { name: 'cosine contrastive', loss: 'cosine-contrastive' },
  { name: 'cosine contrastive with everything', loss: 'cosine-contrastive', heads: 2, ids: true, negatives: 3 },
  { name: 'everything', heads: 2, ids: true, masked: true, negatives: 3 },
];

for (const { variant, runtime, skip } of VARIANTS) {
  test(`softmaxTile, ${variant}: equal to the reference, gradients of a row sum to 0`, { skip }, () => {
    const got = runTile(runtime);
    compare(got, runTile(referenceRuntime));
    for (let u = 0; u < QUERIES; u++) {
      const row = got.gradients.slice(u * COLUMNS, (u + 1) * COLUMNS);
      assert.ok(Math.abs(row.reduce((a, b) => a + b, 0)) < 1e-5);
      assert.deepEqual(row.slice(GROUPS), [0, 0, 0, 0, 0]);
    }
  });

  for (const how of CASES) {
    test(`softmaxPairs, ${variant}, ${how.name}: equal to the reference`, { skip }, () => {
      const got = runPairs(runtime, how);
      compare(got, runPairs(referenceRuntime, how));
      const heads = how.heads ?? 1;
      for (let u = 0; u < QUERIES; u++) {
        const rows = got.gradients.slice(u * heads * COLUMNS, (u + 1) * heads * COLUMNS);
        // The cosine contrastive loss alone changes where all logits move together.
        if (how.loss === 'cosine-contrastive') continue;
        assert.ok(Math.abs(rows.reduce((a, b) => a + b, 0)) < 1e-5, `query ${u}`);
      }
      if (how.negatives === 1) {
        const alone = got.gradients.slice(COLUMNS, 2 * COLUMNS).filter((value) => value !== 0);
        assert.equal(alone.length, 2, 'a pair with one negative moves two columns');
      }
    });
  }
}

test('a logit that is not a number makes the loss one', () => {
  for (const { runtime, skip } of VARIANTS.filter(({ skip }) => !skip)) {
    assert.equal(skip, false);
    const parts = new Parts(runtime, 1, 1);
    parts.queries.data[0] = Number.NaN;
    const tile = new Matrix(QUERIES, COLUMNS, runtime);
    const results = new Matrix(QUERIES, 6, runtime);
    const ones = parts.floats(padded(() => 1));
    modelPool(runtime).run('softmaxTile', 1, 1, {
      first: 0,
      queries: parts.queries.offset,
      d: DIMENSIONS,
      packed: parts.packed.offset,
      panels: PANELS,
      scale: 1,
      rowWeights: ones,
      columnWeights: ones,
      pairStarts: parts.starts,
      pairColumns: parts.columns,
      pairWeights: parts.weights,
      tile: tile.offset,
      results: results.offset,
    });
    assert.ok(Number.isNaN(new Float64Array(runtime.heap.memory.memory.buffer, results.offset, 2)[1]));
  }
});
