/**
 * Faults of other implementations of CQR that this one must not have: more rows than ids, optimizer moments of rows
 * with another meaning, pointers that are not counted, limits that are ignored, full tables in memory, columns that
 * collapse without a warning, invalid options.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cluster } from '../../src/embeddings/cluster.ts';
import { Cqr } from '../../src/embeddings/cqr.ts';
import { makeTable } from '../../src/embeddings/make-table.ts';
import { quantizeProduct } from '../../src/embeddings/product.ts';
import { OptionError } from '../../src/errors/errors.ts';
import { Adam } from '../../src/optimizers/adam.ts';
import { Sgd } from '../../src/optimizers/sgd.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import type { Clicks } from '../../src/retrieval/click-training.ts';
import type { ClusterRecord } from '../../src/retrieval/cluster-schedule.ts';
import { MatrixFactorization } from '../../src/retrieval/matrix-factorization.ts';
import { Matrix } from '../../src/vectors/matrix.ts';

const D = 8;
const runtime = new Runtime({ threads: 1 });

function make(vocabularySize: number, rows: number, columns = 4, dimensions = D): Cqr {
  return Cqr.create({ parameters: 2 * rows * dimensions, columns }, { vocabularySize, dimensions, seed: 1, runtime });
}

function vectors(table: Cqr): Float32Array {
  const out = new Matrix(table.vocabularySize, table.dimensions, runtime);
  table.rows(
    Int32Array.from({ length: table.vocabularySize }, (_, i) => i),
    out,
  );
  const copy = out.data.slice();
  out.free();
  return copy;
}

test('more rows than ids to learn: no NaN, and each of them keeps its vector', async () => {
  for (const helper of [true, false]) {
    const options = { parameters: 2 * 24 * D, columns: 4, minCount: 2 };
    const table = Cqr.create(options, { vocabularySize: 100, dimensions: D, seed: 1, runtime });
    const frequent = Int32Array.from({ length: 10 }, (_, i) => i);
    const gradients = new Matrix(10, D, runtime);
    for (let batch = 0; batch < 2; batch++) table.applyGradient(frequent, gradients, new Sgd());
    const before = vectors(table).subarray(0, 10 * D);
    const { emptyClusters, meanSquaredChange } = await cluster(table, { helper });
    const after = vectors(table).subarray(0, 10 * D);
    assert.ok(after.every((value, i) => Math.abs(value - before[i]!) < 1e-6));
    assert.ok(meanSquaredChange < 1e-9);
    assert.equal(emptyClusters, 4 * (table.rowsPerTable - 10));
    assert.ok(table.codebook.data.every(Number.isFinite));
  }
  const full = makeTable({ method: 'full' }, { vocabularySize: 10, dimensions: D, seed: 1, runtime });
  assert.equal((await quantizeProduct(full, { parameters: 10 * D, columns: 4 })).rowsPerTable, 10);
});

test("Adam's moments and step counts begin anew", async () => {
  const table = make(100, 5);
  const optimizer = new Adam();
  const gradients = new Matrix(1, D, runtime);
  gradients.data.fill(10);
  table.applyGradient(Int32Array.of(3), gradients, optimizer);
  assert.ok(optimizer.state(table.codebook).data.some((value) => value !== 0 && value !== 1));
  await cluster(table, { optimizer });
  const { data, dimensions } = optimizer.state(table.codebook);
  assert.ok(data.every((value, i) => value === (i % dimensions >= dimensions - 2 ? 1 : 0)));
  assert.equal(optimizer.stateBytes(), 4 * data.length, 'state is counted');
});

test('pointers are counted: ⌈log2 k⌉ bits each', async () => {
  for (const [rows, bits] of [
    [2, 1],
    [5, 3],
    [16, 4],
    [17, 5],
  ] as const) {
    const table = make(1000, rows);
    const before = table.sizeBytes();
    await cluster(table, { iterations: 1 });
    assert.equal(table.sizeBytes() - before, Math.ceil((1000 * 4 * bits) / 8), `${rows} rows`);
  }
});

test('iterations are a limit, progress rises to 1', async () => {
  for (const iterations of [1, 3]) {
    const shares: number[] = [];
    await cluster(make(2000, 8), { iterations, onProgress: (share) => shares.push(share) });
    // One call an iteration and column, one a block of ids.
    assert.ok(shares.length <= 4 * iterations + 1, `${shares.length} calls`);
    assert.ok(shares.every((share, i) => share >= (shares[i - 1] ?? 0)) && shares.at(-1) === 1, shares.join());
  }
  await assert.rejects(cluster(make(20, 4), { iterations: 0 }), /iterations: expected an integer of at least 1, got 0/);
});

test('a clustering holds a block of ids and the pointers, never the table', async () => {
  const [ids, dimensions] = [400_000, 32];
  const table = make(ids, 8, 4, dimensions);
  const before = runtime.heap.usedBytes;
  let most = 0;
  await cluster(table, {
    iterations: 2,
    onProgress: () => {
      most = Math.max(most, runtime.heap.usedBytes - before);
    },
  });
  const whole = 4 * ids * dimensions;
  assert.ok(most < whole / 4, `${most} bytes above the table, ${whole} would be the full one`);
});

test('fit warns when a column collapses', async () => {
  const [queryTable, candidateTable] = [make(40, 8), make(40, 8)];
  // All vectors zero, and so all gradients: every id is nearest to one centroid.
  for (const { codebook } of [queryTable, candidateTable]) codebook.data.fill(0);
  const records: ClusterRecord[] = [];
  const clicks: Clicks = {
    queries: Int32Array.from({ length: 80 }, (_, i) => i % 40),
    candidates: Int32Array.from({ length: 80 }, (_, i) => (i * 7) % 40),
    labels: Uint8Array.from({ length: 80 }, (_, i) => i % 2),
  };
  const onCluster = (record: ClusterRecord): number => records.push(record);
  await new MatrixFactorization({ queryTable, candidateTable }).fit(clicks, {
    epochs: 2,
    clusterings: { every: 1 },
    onCluster,
  });
  assert.equal(records.length, 2);
  for (const { warning, table } of records) {
    assert.match(warning!, new RegExp(`^${table}: column 0, 1, 2, 3 has collapsed \\(H1 0\\.00 bits\\)`));
  }
});

test('columns that do not divide the dimensions are refused by every method that has some', () => {
  for (const method of ['cqr', 'compositional', 'unified', 'robe'] as const) {
    for (const columns of [3, 0, 9, 1.5]) {
      assert.throws(
        () => makeTable({ method, parameters: 800, columns }, { vocabularySize: 50, dimensions: D, seed: 1, runtime }),
        (error) => error instanceof OptionError && /^columns: expected/.test(error.message),
        `${method}, ${columns}`,
      );
    }
  }
});
