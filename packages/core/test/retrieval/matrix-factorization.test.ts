/** Click prediction: gradients, planted tastes, the clustering schedule, and errors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cqr } from '../../src/embeddings/cqr.ts';
import { FullTable } from '../../src/embeddings/full.ts';
import { makeTable } from '../../src/embeddings/make-table.ts';
import { clickMetrics } from '../../src/metrics/click-metrics.ts';
import { Sgd } from '../../src/optimizers/sgd.ts';
import { defaultRuntime, Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import type { Clicks } from '../../src/retrieval/click-training.ts';
import { type ClusterRecord, clusterSteps } from '../../src/retrieval/cluster-schedule.ts';
import { MatrixFactorization } from '../../src/retrieval/matrix-factorization.ts';
import { Matrix } from '../../src/vectors/matrix.ts';

/** Which group of items a group of users clicks: half of all pairs. */
const TASTES = [
  [1, 0, 1, 0],
  [0, 1, 1, 0],
  [1, 0, 0, 1],
  [0, 1, 0, 1],
];

/** Users and items of four groups; clicks by their tastes. */
function groups(rows: number, seed: number): Clicks {
  const generator = new Generator(seed);
  const queries = Int32Array.from({ length: rows }, () => generator.below(200));
  const candidates = Int32Array.from({ length: rows }, () => generator.below(200));
  const labels = Uint8Array.from(queries, (q, i) => TASTES[q % 4]![candidates[i]! % 4]!);
  return { queries, candidates, labels };
}

function cqrModel(runtime: Runtime = defaultRuntime()): MatrixFactorization {
  const table = (seed: number): Cqr =>
    Cqr.create({ parameters: 800, columns: 2 }, { vocabularySize: 200, dimensions: 8, seed, runtime });
  return new MatrixFactorization({ queryTable: table(1), candidateTable: table(2) });
}

test('metrics of known predictions', () => {
  const { crossEntropy, auc } = clickMetrics([2, -1, 0, 2], [1, 0, 1, 0]);
  const expected =
    (Math.log1p(Math.exp(-2)) + Math.log1p(Math.exp(-1)) + Math.log(2) + 2 + Math.log1p(Math.exp(-2))) / 4;
  assert.ok(Math.abs(crossEntropy - expected) < 1e-12);
  // Pairs (click, none): 2 > −1, 2 = 2, 0 > −1, 0 < 2.
  assert.equal(auc, 2.5 / 4);
  assert.equal(clickMetrics([1000, -1000], [1, 1]).crossEntropy, 500);
  assert.equal(clickMetrics([1], [1]).auc, undefined);
  assert.throws(() => clickMetrics([], []), /logits: expected/);
});

test('a step moves every parameter against the derivative of the loss', () => {
  const make = (): MatrixFactorization => {
    const [queryTable, candidateTable] = [1, 2].map((seed) =>
      FullTable.create({ vocabularySize: 3, dimensions: 4, seed }),
    );
    return new MatrixFactorization({
      queryTable: queryTable!,
      candidateTable: candidateTable!,
      optimizer: new Sgd({ learningRate: 1 }),
    });
  };
  const clicks = {
    queries: Int32Array.of(0, 1, 0, 2),
    candidates: Int32Array.of(1, 1, 0, 1),
    labels: Uint8Array.of(1, 0, 0, 1),
  };
  const [stepped, probed] = [make(), make()];
  for (const model of [stepped, probed])
    for (const table of [model.queryTable, model.candidateTable]) {
      const { data } = table.trained()[0]!;
      for (let i = 0; i < data.length; i++) data[i] = data[i]! * 20;
    }
  const before = stepped.queryTable.trained()[0]!.data.slice();
  stepped.step(clicks);
  const { data } = probed.queryTable.trained()[0]!;
  for (let i = 0; i < data.length; i++) {
    const start = data[i]!;
    data[i] = start + 2 ** -6;
    const above = probed.evaluate(clicks).crossEntropy;
    data[i] = start - 2 ** -6;
    const below = probed.evaluate(clicks).crossEntropy;
    data[i] = start;
    const expected = (4 * (above - below)) / 2 ** -5;
    const got = before[i]! - stepped.queryTable.trained()[0]!.data[i]!;
    assert.ok(Math.abs(got - expected) < 1e-3, `${i}: ${got}, not ${expected}`);
  }
});

test('clustering on a schedule beats the same table left to its hashes, and hashing', async () => {
  const [train, validation] = [groups(4000, 1), groups(1000, 2)];
  const loss = async (model: MatrixFactorization, clustered: boolean): Promise<number> => {
    const seen: ClusterRecord[] = [];
    const clusterings = clustered ? { every: 1 } : { times: 0 };
    const onCluster = (record: ClusterRecord): number => seen.push(record);
    const epochs = await model.fit(train, { epochs: 16, batchSize: 100, validation, clusterings, onCluster });
    assert.deepEqual(
      seen.map(({ epoch, step, table }) => [epoch, step, table]),
      clustered && model.queryTable instanceof Cqr
        ? Array.from({ length: 24 }, (_, i) => [1 + (i >> 1), 40, i % 2 === 0 ? 'queryTable' : 'candidateTable'])
        : [],
    );
    return Math.min(...epochs.map((epoch) => epoch.validation!.crossEntropy));
  };
  const hashing = [1, 2].map((seed) =>
    makeTable(
      { method: 'hashing-trick', parameters: 800 },
      { vocabularySize: 200, dimensions: 8, seed, runtime: defaultRuntime() },
    ),
  );
  const clustered = await loss(cqrModel(), true);
  const hashed = await loss(cqrModel(), false);
  const trick = await loss(new MatrixFactorization({ queryTable: hashing[0]!, candidateTable: hashing[1]! }), true);
  assert.ok(
    clustered < hashed - 0.02 && hashed < trick,
    `${clustered} clustered, ${hashed} hashed, ${trick} hashing trick`,
  );
});

test('the same bits on any number of threads', async () => {
  const runs: Float32Array[] = [];
  for (const threads of [1, 2]) {
    const model = cqrModel(new Runtime({ threads }));
    await model.fit(groups(1000, 1), { epochs: 2, clusterings: { every: 0.5 } });
    runs.push(model.predict(Int32Array.of(1, 2, 3), Int32Array.of(4, 5, 6)));
  }
  assert.deepEqual(runs[1], runs[0]);
});

test('the schedule: every so many epochs, at most so many times, never in the last quarter', () => {
  assert.deepEqual(clusterSteps({}, 10, 8), [10, 20, 30, 40, 50, 60]);
  assert.deepEqual(clusterSteps({ times: 2 }, 10, 8), [10, 20]);
  assert.deepEqual(clusterSteps({ every: 0.25 }, 10, 1), [3, 5]);
  assert.deepEqual(clusterSteps({ every: 0.25 }, 12, 1), [3, 6, 9]);
  assert.deepEqual(clusterSteps({ every: 0.01 }, 4, 1), [1, 2, 3]);
  assert.deepEqual(clusterSteps({ times: 0 }, 4, 4), []);
  assert.deepEqual(clusterSteps({ every: 1e-300 }, 4, 1), [1, 2, 3]);
  assert.throws(() => clusterSteps({ every: 1e-9 }, 2 ** 40, 1), /clusterings: expected at most 1000000 in a run/);
  assert.throws(() => clusterSteps({ every: 0 }, 1, 1), /clusterings.every/);
  assert.throws(() => clusterSteps({ times: 1.5 }, 1, 1), /clusterings.times/);
});

test('a NaN at clustering stops the run and names the step; columns that do not fit are refused', async () => {
  const model = cqrModel();
  const table = model.candidateTable as Cqr;
  // Ids that share no row with the NaN train on; only the clustering looks at all of them.
  const out = new Matrix(200, 8, defaultRuntime());
  table.codebook.data[0] = Number.NaN;
  table.rows(
    Int32Array.from({ length: 200 }, (_, id) => id),
    out,
  );
  const clean = (id: number): boolean => out.row(id).every(Number.isFinite);
  const all = groups(1000, 1);
  const rows = [...all.labels.keys()].filter((row) => clean(all.candidates[row]!));
  const clicks = {
    queries: Int32Array.from(rows, (row) => all.queries[row]!),
    candidates: Int32Array.from(rows, (row) => all.candidates[row]!),
    labels: Uint8Array.from(rows, (row) => all.labels[row]!),
  };
  const fit = model.fit(clicks, { epochs: 8, batchSize: 2000, clusterings: { every: 2 } });
  await assert.rejects(
    fit,
    /cluster 1: expected finite vectors, got NaN or an infinity in the vector of id \d+.*in candidateTable after epoch 2, step 1/,
  );
  assert.equal(table.clusterings, 0);
  const uneven = { ...clicks, labels: clicks.labels.subarray(1) };
  await assert.rejects(model.fit(uneven), /clicks: expected columns of one length/);
  const wide = FullTable.create({ vocabularySize: 3, dimensions: 4 });
  assert.throws(() => new MatrixFactorization({ queryTable: wide, candidateTable: model.queryTable }), /one width/);
});

test('biases: pairs of ids without rows are predicted as the mean, and the best epoch is kept', async () => {
  const runtime = defaultRuntime();
  const IDS = 2000;
  const generator = new Generator(9);
  // Nine of ten labels are 1, whatever the ids; most ids have one row or none.
  const draw = (length: number): Clicks => ({
    queries: Int32Array.from({ length }, () => generator.below(IDS)),
    candidates: Int32Array.from({ length }, () => generator.below(IDS)),
    labels: Uint8Array.from({ length }, () => Number(generator.uniform() < 0.9)),
  });
  const [train, validation] = [draw(1500), draw(1500)];
  const run = async (biases: boolean): Promise<{ restored: number; epochs: number[] }> => {
    const [queryTable, candidateTable] = [1, 2].map((seed) =>
      FullTable.create({ vocabularySize: IDS, dimensions: 4, seed, runtime }),
    );
    const model = new MatrixFactorization({ queryTable: queryTable!, candidateTable: candidateTable!, biases });
    const history = await model.fit(train, { epochs: 6, batchSize: 50, validation, restoreBestWeights: true });
    const epochs = history.map(({ validation: figures }) => figures!.crossEntropy);
    return { restored: model.evaluate(validation).crossEntropy, epochs };
  };
  const share = train.labels.reduce((sum, label) => sum + label, 0) / train.labels.length;
  const constant =
    validation.labels.reduce((sum, label) => sum - Math.log(label === 1 ? share : 1 - share), 0) /
    validation.labels.length;
  const [without, with_] = [await run(false), await run(true)];
  assert.equal(with_.restored, Math.min(...with_.epochs));
  assert.ok(with_.epochs.at(-1)! > with_.restored, `the last epoch has overfitted: ${with_.epochs}`);
  // Measured: .351 against .349 of the constant; without biases .69.
  assert.ok(with_.restored < constant + 0.01, `${with_.restored} against ${constant}`);
  assert.ok(without.restored > constant + 0.2, `${without.restored}`);
});
