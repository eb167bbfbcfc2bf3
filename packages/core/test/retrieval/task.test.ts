/** The retrieval task: TFRS's figures, gradients by finite difference, and the grouped path against the plain sum. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Generator } from '../../src/random/generator.ts';
import type { RetrievalBatch } from '../../src/retrieval/batch.ts';
import { Retrieval, type RetrievalInputs, type RetrievalOptions } from '../../src/retrieval/task.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { golden } from '../golden/golden.ts';
import { type ReferenceLoss, referenceLoss } from './reference-loss.ts';

interface Golden {
  q: number[][] | number[][][];
  c: number[][];
  opts: Record<string, unknown>;
  loss: number;
}
const goldens = golden<{ retrievalTask: Golden[] }>('tfrs-training').retrievalTask;

for (const [i, { q, c, opts, loss }] of goldens.entries()) {
  test(`golden ${i}: ${JSON.stringify(opts)}`, () => {
    const options: RetrievalOptions = {
      temperature: (opts.temperature as number) ?? 1,
      removeAccidentalHits: opts.remove_accidental_hits === true,
      numHardNegatives: opts.num_hard_negatives as number | undefined,
    };
    const heads = Array.isArray(q[0]![0]) ? (q[0] as number[][]).length : 1;
    const inputs: RetrievalInputs = {
      heads,
      sampleWeight: opts.sample_weight as number[] | undefined,
      candidateSamplingProbability: opts.candidate_sampling_probability as number[] | undefined,
      candidateIds: opts.candidate_ids as string[] | undefined,
      scoreMask: opts.score_mask as boolean[][] | undefined,
    };
    const queries = (heads > 1 ? (q as number[][][]).flat() : q) as number[][];
    const result = new Retrieval(options).call(queries, c, inputs);
    // TFRS computes in float32 too; six digits are what two orders of summation share.
    assert.ok(Math.abs(result.loss - loss) <= 2e-6 * Math.abs(loss), `expected ${loss}, got ${result.loss}`);
  });
}

test('in-batch accuracy counts ties as hits and weighs rows, as TFRS', () => {
  const task = new Retrieval({ batchMetrics: [1] });
  const [q, c] = [
    [
      [1, 2, 3],
      [2, 3, 4],
    ],
    [
      [1, 1, 1],
      [1, 1, 0],
    ],
  ];
  assert.equal(task.call(q, c).batchMetrics!.batch_top_1_categorical_accuracy, 0.5);
  const weighted = task.call(q, c, { sampleWeight: [0.7, 0.3] }).batchMetrics!.batch_top_1_categorical_accuracy!;
  assert.ok(Math.abs(weighted - 0.7) < 1e-12);
  const heads = [
    [3, 2, 1],
    [1, 2, 3],
    [2, 3, 4],
    [4, 3, 2],
  ];
  const extra = [
    [0, 1, 0],
    [0, 1, 1],
    [1, 1, 0],
  ];
  assert.equal(task.call(heads, extra, { heads: 2 }).batchMetrics!.batch_top_1_categorical_accuracy, 0.5);
  assert.equal(new Retrieval().call(q, c).batchMetrics, undefined);
});

/** A random batch with repeated rows and every input that the options use. */
function randomBatch(seed: number): { queries: number[][]; candidates: number[][]; inputs: RetrievalInputs } {
  const generator = new Generator(seed);
  const rows = 2 + generator.below(7);
  const columns = rows + generator.below(4);
  const vector = (): number[] => Array.from({ length: 4 }, () => Math.fround(generator.normal()));
  const pool = Array.from({ length: 4 }, vector);
  return {
    queries: Array.from({ length: rows }, () => pool[generator.below(4)]!),
    candidates: Array.from({ length: columns }, vector),
    inputs: {
      sampleWeight: Array.from({ length: rows }, () => 0.2 + generator.uniform()),
      candidateSamplingProbability: Array.from({ length: columns }, () => 0.05 + 0.9 * generator.uniform()),
      candidateIds: Array.from({ length: columns }, () => generator.below(5)),
      scoreMask: Array.from({ length: rows }, (_, i) =>
        Array.from({ length: columns }, (_, j) => i === j || generator.below(4) > 0),
      ),
    },
  };
}

/** Vectors of length 1, rounded to float32. */
function unit(rows: number[][]): number[][] {
  return rows.map((row) => row.map((value) => Math.fround(value / Math.hypot(...row))));
}

/** Options of each loss. */
const LOSSES: readonly RetrievalOptions[] = [
  {},
  { loss: 'bpr' },
  { loss: 'cosine-contrastive', margin: 0.2, negativeWeight: 3 },
];

test('loss and gradients equal the double-precision sum, for every option', () => {
  const options = fc.record({
    loss: fc.constantFrom(...LOSSES),
    inBatchNegatives: fc.boolean(),
    seed: fc.integer({ min: 0, max: 10_000 }),
    temperature: fc.constantFrom(1, 0.3, 2),
    removeAccidentalHits: fc.boolean(),
    numHardNegatives: fc.constantFrom(undefined, 1, 3),
    masked: fc.boolean(),
    weighted: fc.boolean(),
    corrected: fc.boolean(),
    reduction: fc.constantFrom('sum' as const, 'mean' as const),
  });
  fc.assert(
    fc.property(options, ({ seed, masked, weighted, corrected, loss, temperature, ...others }) => {
      const isCosine = loss.loss === 'cosine-contrastive';
      const task = { ...others, ...loss, ...(!isCosine && { temperature }) };
      const { inputs, ...plain } = randomBatch(seed);
      const [queries, candidates] = [plain.queries, plain.candidates].map((rows) => (isCosine ? unit(rows) : rows));
      if (!task.inBatchNegatives && queries!.length === candidates!.length) return;
      const used: RetrievalInputs = { candidateIds: inputs.candidateIds };
      if (masked) used.scoreMask = inputs.scoreMask;
      if (weighted) used.sampleWeight = inputs.sampleWeight;
      if (corrected) used.candidateSamplingProbability = inputs.candidateSamplingProbability;
      const got = new Retrieval(task).call(queries!, candidates!, used);
      const expected = referenceLoss(queries!, candidates!, task, used);
      const near = (a: number, b: number): void =>
        assert.ok(Math.abs(a - b) <= 3e-5 * (1 + Math.abs(b)), `${a} is not ${b}`);
      near(got.loss, expected.loss);
      compare(got.queryGradients, expected.queryGradients, near);
      compare(got.candidateGradients, expected.candidateGradients, near);
    }),
    { numRuns: 300, seed: 5 },
  );
});

test('the double-precision gradients are the differences of the double-precision loss', () => {
  for (const [seed, loss] of [1, 2, 3].flatMap((each) => LOSSES.map((of) => [each, of] as const))) {
    const { queries, candidates, inputs } = randomBatch(seed);
    const options = { ...loss, temperature: 0.7, removeAccidentalHits: true };
    const { queryGradients, candidateGradients } = referenceLoss(queries, candidates, options, inputs);
    const check = (rows: number[][], gradients: number[][]): void =>
      rows.forEach((row, i) => {
        row.forEach((value, t) => {
          const moved = (by: number): number => {
            const others = rows.map((other, r) => (r === i ? other.with(t, value + by) : other));
            const [q, c] = rows === queries ? [others, candidates] : [queries, others];
            return referenceLoss(q, c, options, inputs).loss;
          };
          const expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
          assert.ok(Math.abs(gradients[i]![t]! - expected) < 1e-8, `${gradients[i]![t]} is not ${expected}`);
        });
      });
    check(queries, queryGradients);
    check(candidates, candidateGradients);
  }
});

/** A batch of `rows` and two shared negatives that draws from few distinct vectors, as groups and as plain rows. */
function repeats(rows: number, queries: number, candidates: number, seed: number): RetrievalBatch {
  const generator = new Generator(seed);
  const draw = (count: number, of: number): Int32Array => Int32Array.from({ length: count }, () => generator.below(of));
  const vectors = (count: number): Matrix => {
    const matrix = new Matrix(count, 4);
    matrix.data.forEach((_, i, data) => {
      data[i] = generator.normal();
    });
    return matrix;
  };
  const candidateOf = draw(rows + 2, candidates);
  return {
    queries: vectors(queries),
    candidates: vectors(candidates),
    queryOf: draw(rows, queries),
    candidateOf,
    candidateIds: candidateOf.map((candidate) => candidate % 5),
    sampleWeight: Array.from({ length: rows }, () => generator.uniform()),
    candidateSamplingProbability: Array.from(candidateOf, () => (1 + generator.below(2)) / 7),
  };
}

/** The plain loss of a grouped batch, gradients summed back to the groups. */
function plainLoss(batch: RetrievalBatch, options: RetrievalOptions): ReferenceLoss {
  const of = (matrix: Matrix, groups: Int32Array): number[][] => Array.from(groups, (group) => [...matrix.row(group)]);
  const { queries, candidates, queryOf, candidateOf } = batch;
  const plain = referenceLoss(of(queries, queryOf), of(candidates, candidateOf), options, batch);
  const summed = (matrix: Matrix, groups: Int32Array, gradients: number[][]): number[][] => {
    const sums = Array.from({ length: matrix.rows }, () => new Array<number>(matrix.dimensions).fill(0));
    gradients.forEach((row, i) => {
      row.forEach((value, t) => {
        sums[groups[i]!]![t]! += value;
      });
    });
    return sums;
  };
  return {
    loss: plain.loss,
    queryGradients: summed(queries, queryOf, plain.queryGradients),
    candidateGradients: summed(candidates, candidateOf, plain.candidateGradients),
  };
}

function assertPlain(batch: RetrievalBatch, options: RetrievalOptions): void {
  const got = new Retrieval(options).compute(batch);
  const expected = plainLoss(batch, options);
  const near = (a: number, b: number): void =>
    assert.ok(Math.abs(a - b) <= 3e-5 * (1 + Math.abs(b)), `${a} is not ${b}`);
  near(got.loss, expected.loss);
  compare(got.queryGradients, expected.queryGradients, near);
  compare(got.candidateGradients, expected.candidateGradients, near);
  const { loss, perExample } = new Retrieval(options).compute(batch, { learn: false });
  assert.deepEqual([loss, perExample], [got.loss, got.perExample]);
}

test('a batch whose rows repeat has the loss and gradients of its plain rows, for every option', () => {
  const options = fc.record({
    temperature: fc.constantFrom(1, 0.3),
    removeAccidentalHits: fc.boolean(),
    numHardNegatives: fc.constantFrom(undefined, 1, 4, 7),
  });
  const size = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(options, size, size, fc.nat(9999), fc.boolean(), (task, users, movies, seed, corrected) => {
      const batch = repeats(24, users, movies, seed);
      // Ties among different candidates may be cut differently; equal probabilities leave ties of equal columns only.
      if (!corrected || task.numHardNegatives) batch.candidateSamplingProbability = undefined;
      assertPlain(batch, task);
    }),
    { numRuns: 150, seed: 6 },
  );
});

test('a batch of several tiles of logits has the loss and gradients of the plain sum', () => {
  // A tile has 1,997 queries. The rows of the batch draw from all of them, and the plain sum is quadratic in the rows.
  const batch = repeats(800, 2100, 2100, 1);
  assertPlain(batch, {});
  assertPlain(batch, { removeAccidentalHits: true });
});

function compare(matrix: Matrix, rows: number[][], near: (a: number, b: number) => void): void {
  rows.forEach((row, i) => {
    row.forEach((value, t) => {
      near(matrix.row(i)[t]!, value);
    });
  });
}

test('known values: BPR of equal scores is ln 2; the cosine contrastive loss by hand', () => {
  const queries = [[1, 0]];
  const candidates = [
    [0.6, 0.8],
    [0.6, -0.8],
    [1, 0],
  ];
  const bpr = new Retrieval({ loss: 'bpr' }).call(queries, candidates.slice(0, 2));
  assert.ok(Math.abs(bpr.loss - Math.LN2) < 1e-7);
  const cosine = new Retrieval({ loss: 'cosine-contrastive', margin: 0.5, negativeWeight: 4 }).call(
    queries,
    candidates,
  );
  // 1 − 0.6, and 4 times the mean of 0.1 and 0.5.
  assert.ok(Math.abs(cosine.loss - 1.6) < 1e-6, `${cosine.loss}`);
  // Sampled softmax of one positive and one sampled negative: the in-batch column of the other row is not there.
  const sampled = new Retrieval({ inBatchNegatives: false }).call(
    [
      [1, 0],
      [0, 0],
    ],
    [
      [1, 0],
      [5, 0],
      [2, 0],
    ],
  );
  const expected = Math.log(1 + Math.exp(1)) + Math.LN2;
  assert.ok(Math.abs(sampled.loss - expected) < 1e-6, `${sampled.loss}`);
});

test('bad batches are named', () => {
  const task = new Retrieval();
  const two = [
    [1, 0],
    [0, 1],
  ];
  assert.throws(() => task.call(two, [[1, 0]]), /candidates: expected at least 2 columns/);
  assert.throws(
    () =>
      task.call(two, [
        [1, 0, 0, 1, 1],
        [0, 1, 0, 0, 1],
      ]),
    /one width/,
  );
  assert.throws(() => task.call(two, two, { sampleWeight: [1] }), /sampleWeight: expected 2 numbers, got 1/);
  assert.throws(() => task.call(two, two, { sampleWeight: [1, Number.NaN] }), /finite numbers, got NaN at 1/);
  assert.throws(() => task.call(two, two, { sampleWeight: [1, -1] }), /at least 0/);
  assert.throws(
    () =>
      task.call(two, two, {
        scoreMask: [
          [false, true],
          [true, true],
        ],
      }),
    /own positive/,
  );
  assert.throws(() => task.call([], []), /at least one row/);
  assert.throws(() => new Retrieval({ removeAccidentalHits: true }).call(two, two), /candidateIds/);
  assert.throws(() => new Retrieval({ numHardNegatives: 0 }), /numHardNegatives/);
  assert.throws(() => new Retrieval({ temperature: 0 }), /temperature/);
  assert.throws(() => new Retrieval({ margin: 0.5 }), /margin: expected the loss 'cosine-contrastive' beside it/);
  const contrastive = new Retrieval({ loss: 'cosine-contrastive' });
  assert.throws(
    () =>
      contrastive.call(two, [
        [1, 0],
        [3, 4],
      ]),
    /candidates: expected vectors of length 1 .* got length 5/,
  );
  assert.throws(() => new Retrieval({ loss: 'cosine-contrastive', temperature: 0.1 }), /temperature: expected 1/);
  assert.throws(() => new Retrieval({ inBatchNegatives: false }).call(two, two), /columns past the rows/);
});
