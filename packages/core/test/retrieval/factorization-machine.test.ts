/** Factorization machines: gradients, the case of two columns, rows of nine columns as of an access log, bad input. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTable } from '../../src/embeddings/make-table.ts';
import { crossEntropy } from '../../src/metrics/click-metrics.ts';
import { Adagrad } from '../../src/optimizers/adagrad.ts';
import { Sgd } from '../../src/optimizers/sgd.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { FactorizationMachine, type LabelledIds } from '../../src/retrieval/factorization-machine.ts';
import { MatrixFactorization } from '../../src/retrieval/matrix-factorization.ts';

const runtime = new Runtime({ threads: 1 });

function machine(sizes: readonly number[], embedding: object = { method: 'full' }, optimizer = {}, dimensions = 8) {
  const tables = sizes.map((vocabularySize, seed) =>
    makeTable(embedding as { method: 'full' }, { vocabularySize, dimensions, seed, runtime }),
  );
  return new FactorizationMachine({ tables, ...optimizer });
}

test('the steps of vectors and biases are the differences of the loss', () => {
  const model = machine([4, 3, 5], undefined, { optimizer: new Sgd({ learningRate: 1 }) }, 3);
  const rows: LabelledIds = {
    columns: [Int32Array.of(0, 1, 0, 3), Int32Array.of(2, 2, 0, 1), Int32Array.of(4, 0, 4, 4)],
    labels: Uint8Array.of(1, 0, 0, 1),
  };
  const matrices = [...model.tables.flatMap((table) => table.trained()), ...model.biases];
  const generator = new Generator(2);
  for (const { data } of matrices) data.forEach((_, i) => (data[i] = 0.6 * generator.normal()));
  const start = matrices.map(({ data }) => data.slice());
  model.step(rows);
  const steps = matrices.map(({ data }, m) => start[m]!.map((before, i) => before - data[i]!));
  const loss = (): number =>
    model.predict(rows.columns).reduce((sum, z, i) => sum + crossEntropy(z, rows.labels[i]!), 0);
  const put = (): void => matrices.forEach(({ data }, m) => data.set(start[m]!));
  matrices.forEach(({ data }, m) => {
    for (let i = 0; i < data.length; i++) {
      put();
      data[i] = start[m]![i]! + 2 ** -7;
      const above = loss();
      data[i] = start[m]![i]! - 2 ** -7;
      const expected = (above - loss()) * 2 ** 6;
      assert.ok(Math.abs(steps[m]![i]! - expected) < 2e-3, `${m}[${i}]: ${steps[m]![i]}, not ${expected}`);
    }
  });
});

test('of two columns it is matrix factorization with biases', async () => {
  const rows = accesses(400, 1);
  const two = { columns: rows.columns.slice(0, 2), labels: rows.labels };
  const model = machine(SIZES.slice(0, 2));
  const [queryTable, candidateTable] = machine(SIZES.slice(0, 2)).tables;
  const pairs = new MatrixFactorization({ queryTable: queryTable!, candidateTable: candidateTable!, biases: true });
  await model.fit(two, { epochs: 2, batchSize: 50 });
  const [queries, candidates] = two.columns as [Int32Array, Int32Array];
  await pairs.fit({ queries, candidates, labels: two.labels }, { epochs: 2, batchSize: 50 });
  const [ours, theirs] = [model.predict(two.columns), pairs.predict(queries, candidates)];
  ours.forEach((z, i) => assert.ok(Math.abs(z - theirs[i]!) < 1e-4, `row ${i}: ${z}, not ${theirs[i]}`));
});

/** The numbers of ids of nine columns, as in an access log: many resources, fewer managers, departments, titles and roles. */
const SIZES = [4000, 2500, 60, 120, 240, 180, 1200, 40, 180];

/**
 * Requests for access, of which some 6 % are refused (label 0). What a resource, a manager and a role are decides; most
 * resources and managers have few rows, some have none before a later part, and the last id of each column never has one.
 */
function accesses(count: number, seed: number): LabelledIds {
  const world = new Generator(77).fork('world');
  const effects = SIZES.map((size) => Float64Array.from({ length: size }, () => world.normal()));
  const generator = new Generator(seed).fork('rows');
  const columns = SIZES.map(() => new Int32Array(count));
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    SIZES.forEach((size, c) => {
      columns[c]![i] = Math.floor((size - 1) * generator.uniform() ** 2);
    });
    const effect = (c: number): number => effects[c]![columns[c]![i]!]!;
    const z = 3.4 + 0.9 * effect(0) + 0.7 * effect(1) + 0.8 * effect(7) + 0.6 * effect(2) * effect(7);
    labels[i] = generator.uniform() < 1 / (1 + Math.exp(-z)) ? 1 : 0;
  }
  return { columns, labels };
}

test('nine columns: full tables and CQR are better than the constant, and ids without rows predict the mean', async () => {
  const [train, validation, held] = [accesses(8000, 1), accesses(1500, 2), accesses(3000, 3)];
  const share = train.labels.reduce((sum, label) => sum + label, 0) / train.labels.length;
  const logit = Math.log(share / (1 - share));
  const constant = held.labels.reduce((sum, label) => sum + crossEntropy(logit, label), 0) / held.labels.length;
  assert.ok(share > 0.9 && share < 0.96, `${share}`);
  const losses: Record<string, number> = {};
  for (const [name, embedding, clusterings] of [
    ['full', { method: 'full' }, undefined],
    ['cqr', { method: 'cqr', columns: 2, parameters: 160 }, { every: 1, times: 2 }],
  ] as const) {
    const model = machine(SIZES, embedding, { optimizer: new Adagrad({ learningRate: 0.03 }) }, 4);
    const history = await model.fit(train, {
      epochs: 5,
      batchSize: 256,
      validation,
      ...(clusterings && { clusterings }),
    });
    const epochs = history.map(({ validation: of }) => of!.crossEntropy);
    assert.equal(model.evaluate(validation).crossEntropy, Math.min(...epochs), 'the best epoch is restored');
    losses[name] = model.evaluate(held).crossEntropy;
    if (name !== 'full') continue;
    const z = model.predict(SIZES.map((size) => Int32Array.of(size - 1)))[0]!;
    assert.ok(Math.abs(z - logit) < 0.1, `${z} for ids without a row, not about ${logit}`);
  }
  // Measured: full .2999, CQR .2969, the constant .3104.
  assert.ok(losses.full! < constant - 0.005, `full ${losses.full} against ${constant}`);
  assert.ok(losses.cqr! < constant - 0.005, `CQR ${losses.cqr} against ${constant}`);
});

test('tables and rows that do not fit are refused', () => {
  const model = machine([4, 3]);
  const [a, b] = model.tables;
  assert.throws(() => new FactorizationMachine({ tables: [a!] }), /tables: expected two or more different ones, got 1/);
  assert.throws(() => new FactorizationMachine({ tables: [a!, a!] }), /got 2, 1 different/);
  const narrow = machine([3, 3], undefined, {}, 4).tables[0]!;
  assert.throws(() => new FactorizationMachine({ tables: [a!, b!, narrow] }), /one width, got 8, 8, 4/);
  const ids = Int32Array.of(0, 1);
  const labels = Uint8Array.of(0, 1);
  assert.throws(() => model.step({ columns: [ids], labels }), /columns: expected 2, one per table, got 1/);
  assert.throws(() => model.step({ columns: [ids, ids.subarray(1)], labels }), /columns of one length, got 2, 1/);
  assert.throws(() => model.step({ columns: [ids, Int32Array.of(0, 9)], labels }), /got 9 at position 1/);
  assert.throws(() => model.evaluate({ columns: [ids, ids], labels: labels.subarray(1) }), /at least one row/);
});
