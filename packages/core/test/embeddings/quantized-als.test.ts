/** Quantized ALS: its steps against dense least squares, planted groups, bounded memory, refusals and interruption. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cqr } from '../../src/embeddings/cqr.ts';
import { FullTable } from '../../src/embeddings/full.ts';
import { hashingTrick } from '../../src/embeddings/hashing-trick.ts';
import { FullFactors } from '../../src/embeddings/quantized-als/factors.ts';
import { fitQuantizedAls } from '../../src/embeddings/quantized-als/fit-quantized-als.ts';
import { ObservedPairs } from '../../src/embeddings/quantized-als/observed-pairs.ts';
import { moveErrors, type OpenColumn, solveColumn } from '../../src/embeddings/quantized-als/solve-column.ts';
import { DivergedError, OptionError, ShapeError, StateError } from '../../src/errors/errors.ts';
import { loadPart, readSaved } from '../../src/format/part.ts';
import { containerSections } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { containerOf } from '../format/containers.ts';
import { collectedBytes } from '../memory/collected-bytes.ts';

const [QUERIES, CANDIDATES, GROUPS, D] = [160, 120, 4, 8];

function make(
  vocabularySize: number,
  { minCount = 1, columns = 2, dimensions = D, runtime = new Runtime({ threads: 1 }) } = {},
): Cqr {
  const options = { parameters: 4 * GROUPS * dimensions, columns, minCount };
  return Cqr.create(options, { vocabularySize, dimensions, seed: 3, runtime });
}

/** Queries of group g (id mod 4) meet candidates of group g. */
function planted(): { queries: Int32Array; candidates: Int32Array } {
  const generator = new Generator(8);
  const queries = Int32Array.from({ length: 6000 }, () => generator.below(QUERIES));
  const candidates = queries.map((query) => GROUPS * generator.below(CANDIDATES / GROUPS) + (query % GROUPS));
  return { queries, candidates };
}

function vectorsOf(table: Cqr | FullTable): Matrix {
  const out = new Matrix(table.vocabularySize, table.dimensions, table.codebook.runtime);
  table.rows(
    Int32Array.from({ length: table.vocabularySize }, (_, id) => id),
    out,
  );
  return out;
}

/** The mean product of pairs of one group, and of pairs of two groups. */
function products(queries: Matrix, candidates: Matrix): { same: number; other: number } {
  const sums = { same: 0, other: 0 };
  for (let q = 0; q < QUERIES; q++) {
    for (let c = 0; c < CANDIDATES; c++) {
      const product = queries.row(q).reduce((sum, value, t) => sum + value * candidates.row(c)[t]!, 0);
      if (q % GROUPS === c % GROUPS) sums.same += product;
      else sums.other += product;
    }
  }
  const pairs = QUERIES * CANDIDATES;
  return { same: (sums.same * GROUPS) / pairs, other: (sums.other * GROUPS) / (pairs * (GROUPS - 1)) };
}

test('a solved column has a gradient of zero, and the errors follow', () => {
  const random = new Generator(5);
  const [n, m, columns, w] = [5, 4, 3, 2];
  const d = columns * w;
  const normal = (length: number): Float32Array => Float32Array.from({ length }, () => random.normal());
  const factors = [new FullFactors(n, columns, w), new FullFactors(m, columns, w)] as const;
  for (const each of factors) each.values.set(normal(each.values.length));
  const rows = { queries: Int32Array.of(0, 0, 1, 3, 3, 3, 4), candidates: Int32Array.of(0, 2, 1, 1, 2, 2, 3) };
  const labels = Uint8Array.of(1, 0, 1, 1, 1, 0, 1);
  const pairs = new ObservedPairs({ ...rows, labels }, [
    Int32Array.from([0, 1, 2, 3, 4]),
    Int32Array.from([0, 1, 2, 3]),
  ]);
  const dot = (q: Float32Array, query: number, candidate: number): number => {
    let sum = 0;
    for (let t = 0; t < d; t++) sum += q[query * d + t]! * factors[1].values[candidate * d + t]!;
    return sum;
  };
  const errorOf = (row: number): number =>
    dot(factors[0].values, rows.queries[row]!, rows.candidates[row]!) - labels[row]!;
  pairs.errors.forEach((_, row) => {
    pairs.errors[row] = errorOf(row);
  });
  const open: OpenColumn = { column: 1, values: [factors[0].column(1), factors[1].column(1)] };
  const objective = { unobservedWeight: 0.3, regularization: 0.05 };
  for (const work of solveColumn(0, open, factors, pairs, objective)) assert.ok(work > 0);
  void factors[0].setColumn(1, open.values[0]);
  pairs.errors.forEach((error, row) => {
    assert.ok(Math.abs(error - errorOf(row)) < 1e-5);
  });
  for (let query = 0; query < n; query++) {
    const own = [...rows.queries.keys()].filter((row) => rows.queries[row] === query);
    for (let s = 0; s < w; s++) {
      const at = w + s;
      let gradient =
        objective.regularization * (own.length + objective.unobservedWeight * m) * factors[0].values[query * d + at]!;
      for (const row of own) gradient += errorOf(row) * factors[1].values[rows.candidates[row]! * d + at]!;
      for (let c = 0; c < m; c++) {
        gradient += objective.unobservedWeight * dot(factors[0].values, query, c) * factors[1].values[c * d + at]!;
      }
      assert.ok(Math.abs(gradient) < 1e-5, `query ${query}, ${s}: ${gradient}`);
    }
  }
  const [before, after] = [open.values[1], normal(m * w)];
  moveErrors(1, pairs, { before, after, others: open.values[0], width: w });
  void factors[1].setColumn(1, after);
  pairs.errors.forEach((error, row) => {
    assert.ok(Math.abs(error - errorOf(row)) < 1e-5);
  });
});

test('planted groups are found, the same bits on any number of threads, and saved tables hold them', async () => {
  const runs: Uint16Array[] = [];
  for (const threads of [1, 2]) {
    const runtime = new Runtime({ threads });
    const [queries, candidates] = [make(QUERIES, { runtime }), make(CANDIDATES, { runtime })];
    const shares: number[] = [];
    await fitQuantizedAls(queries, candidates, planted(), { onProgress: (share) => shares.push(share) });
    assert.ok(shares.every((share, i) => share >= (shares[i - 1] ?? 0) && share <= 1) && shares.at(-1)! > 0.99);
    assert.deepEqual([queries.clusterings, queries.sums], [1, 1]);
    const { same, other } = products(vectorsOf(queries), vectorsOf(candidates));
    // Pairs of one group are near 1 where they occur, and all pairs are drawn to 0 with a tenth of the weight.
    assert.ok(same > 0.7 && Math.abs(other) < 0.1, `${same}, ${other}`);
    runs.push(queries.pointers!.slice());
    const bytes = containerOf(containerSections(queries.save()), runtime);
    const loaded = await readSaved(bytesSource(bytes), (root) => loadPart(root, { cqr: Cqr.load }), runtime);
    assert.deepEqual(vectorsOf(loaded), vectorsOf(queries));
  }
  assert.deepEqual(runs[1], runs[0]);
});

test('one side may be full, and a helper table stays for later clusterings', async () => {
  const queries = FullTable.create({ vocabularySize: QUERIES, dimensions: D, seed: 1 });
  const candidates = make(CANDIDATES, { runtime: queries.codebook.runtime });
  await fitQuantizedAls(queries, candidates, planted(), { helper: true, sweeps: 2 });
  const { same, other } = products(vectorsOf(queries), vectorsOf(candidates));
  assert.ok(same > 0.7 && Math.abs(other) < 0.1, `${same}, ${other}`);
  assert.equal(candidates.sums, 2);
});

test('ids of fewer than minCount rows stay hashed', async () => {
  const [queries, candidates] = [make(QUERIES, { minCount: 3 }), make(CANDIDATES)];
  const rows = planted();
  const common = rows.queries.map((id) => id % 40);
  common[0] = 150;
  await fitQuantizedAls(queries, candidates, { ...rows, queries: common }, { sweeps: 1 });
  assert.equal(queries.pointers!.length, 40 * 2);
});

test('wrong tables and rows are named; an interruption changes nothing and gives the memory back', async () => {
  const runtime = new Runtime({ threads: 1 });
  const [queries, candidates] = [make(QUERIES, { runtime }), make(CANDIDATES, { runtime })];
  const rows = planted();
  const full = FullTable.create({ vocabularySize: QUERIES, dimensions: D, seed: 1 });
  const context = { vocabularySize: CANDIDATES, dimensions: D, seed: 1, runtime };
  const hashed = hashingTrick({ parameters: 160 }, context);
  const rejects = (work: Promise<void>, kind: new (...args: never[]) => Error, message: RegExp): Promise<void> =>
    assert.rejects(work, (error) => error instanceof kind && message.test(error.message));
  await rejects(fitQuantizedAls(full, full, rows), OptionError, /at least one of method cqr, got none/);
  await rejects(fitQuantizedAls(queries, queries, rows), OptionError, /expected two, got one/);
  await rejects(fitQuantizedAls(queries, hashed, rows), OptionError, /methods cqr and full, got hashing-trick/);
  const wide = make(CANDIDATES, { dimensions: 16 });
  await rejects(fitQuantizedAls(queries, wide, rows), OptionError, /equal dimensions, got 8 and 16/);
  const four = make(CANDIDATES, { columns: 4 });
  await rejects(fitQuantizedAls(queries, four, rows), OptionError, /equal columns, got 2 and 4/);
  await rejects(fitQuantizedAls(candidates, queries, rows), OptionError, /ids: expected integers from 0 to 119/);
  const short = { ...rows, candidates: rows.candidates.subarray(1) };
  await rejects(fitQuantizedAls(queries, candidates, short), ShapeError, /columns of one length/);
  await rejects(fitQuantizedAls(queries, candidates, rows, { regularization: 0 }), OptionError, /regularization/);
  const singular = { regularization: 1e-300, unobservedWeight: 0 };
  await rejects(fitQuantizedAls(queries, candidates, rows, singular), DivergedError, /got NaN in column 0 of the/);
  assert.equal(queries.clusterings, 0);
  const rare = make(QUERIES, { minCount: 255 });
  await rejects(fitQuantizedAls(rare, candidates, rows), StateError, /at least 255 of them \(minCount\), got none/);
  const used = await collectedBytes(runtime.heap);
  const [before, abort] = [queries.codebook.data.slice(), new AbortController()];
  const onProgress = (share: number): void => {
    if (share > 0.3) abort.abort();
  };
  const interrupted = fitQuantizedAls(queries, candidates, rows, { onProgress, signal: abort.signal });
  await assert.rejects(interrupted, /fitQuantizedAls: interrupted/);
  assert.equal(queries.clusterings, 0);
  assert.deepEqual(queries.codebook.data, before);
  assert.equal(runtime.heap.usedBytes, used);
  await fitQuantizedAls(queries, candidates, rows, { sweeps: 1 });
  await rejects(fitQuantizedAls(queries, candidates, rows), StateError, /got one clustered 1 times/);
});
