/** Training: a peer's figures step by step, the same bits on any thread count and after any interruption, honest losses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantizeProduct } from '../../src/embeddings/product.ts';
import { DivergedError } from '../../src/errors/errors.ts';
import { Adagrad } from '../../src/optimizers/adagrad.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { FitAbortedError } from '../../src/retrieval/checkpoint.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { Retrieval } from '../../src/retrieval/task.ts';
import { Tower } from '../../src/towers/tower.ts';
import { golden } from '../golden/golden.ts';
import { parityModel as model, movies, tastes, users, weightsOf } from './parity-tastes.ts';

interface Tiny {
  U0: number[][];
  V0: number[][];
  pairs_u: number[];
  pairs_v: number[];
  batch: number;
  epochs: number;
  lr: number;
  batch_losses: number[];
  U: number[][];
  V: number[][];
}

test("two epochs on a tiny table give the peer's batch losses and tables", async () => {
  const tiny = golden<{ tinyTraining: Tiny }>('tfrs-training').tinyTraining;
  const tower = (rows: number[][]): Tower => {
    const vocabulary = rows.map((_, i) => String(i));
    const made = Tower.create({ vocabulary, dimensions: 2 });
    made.parameters()[0]!.data.set(rows.flat(), 2);
    return made;
  };
  const [queryTower, candidateTower] = [tower(tiny.U0), tower(tiny.V0)];
  const two = new TwoTowerModel({ queryTower, candidateTower, optimizer: new Adagrad({ learningRate: tiny.lr }) });
  const losses: number[] = [];
  const dataset = { queries: tiny.pairs_u.map(String), candidates: tiny.pairs_v.map(String) };
  await two.fit(dataset, {
    epochs: tiny.epochs,
    batchSize: tiny.batch,
    shuffle: false,
    samplingCorrection: false,
    onProgress: ({ lossPerExample, step }) => {
      losses.push(lossPerExample * (step === 1 ? 3 : 2));
    },
  });
  const near = (got: number, expected: number): void =>
    assert.ok(Math.abs(got - expected) <= 2e-6 * (1 + Math.abs(expected)), `${got} is not ${expected}`);
  tiny.batch_losses.forEach((loss, i) => near(losses[i]!, loss));
  tiny.U.flat().forEach((value, i) => near(queryTower.parameters()[0]!.data[i + 2]!, value));
  tiny.V.flat().forEach((value, i) => near(candidateTower.parameters()[0]!.data[i + 2]!, value));
});

test('a planted taste is learned, and the losses have three names', async () => {
  const two = model();
  const steps: number[] = [];
  const { epochs } = await two.fit(tastes(500), {
    epochs: 30,
    batchSize: 128,
    samplingCorrection: false,
    onProgress: ({ lossPerExample, step }) => {
      if (step <= 4) steps.push(lossPerExample * (step === 4 ? 500 - 3 * 128 : 128));
    },
  });
  // Untrained, every one of 128 columns is as likely: ln 128 = 4.85. Learned: one of the 64 of the same parity, 4.16.
  assert.ok(Math.abs(steps[0]! / 128 - Math.log(128)) < 0.01);
  const first = epochs[0]!;
  const [a, b, c, d] = steps as [number, number, number, number];
  assert.ok(Math.abs(first.perExample - (a + b + c + d) / 500) < 1e-9);
  assert.ok(Math.abs(first.lastBatch - d) < 1e-6);
  assert.ok(Math.abs(first.kerasBar - (a + b + c + 2 * d) / 5) < 1e-6);
  assert.ok(epochs.at(-1)!.perExample < first.perExample - 0.4, `${epochs.at(-1)!.perExample}`);
  const liked = two.queryTower.embed(['user 3']).row(0).slice();
  const score = (movie: string): number =>
    two.candidateTower
      .embed([movie])
      .row(0)
      .reduce((s, v, t) => s + v * liked[t]!, 0);
  const mean = (parity: number): number =>
    [0, 2, 4, 6, 8].reduce((sum, i) => sum + score(`movie ${i + parity}`) / 5, 0);
  assert.ok(mean(1) > mean(0) + 0.5);
});

test('the same bits on 1, 2 and 3 threads', async () => {
  for (const task of [{}, { removeAccidentalHits: true, numHardNegatives: 20 }]) {
    const runs: number[][][] = [];
    for (const threads of [1, 2, 3]) {
      const two = model(new Runtime({ threads }), { task: new Retrieval(task) });
      await two.fit(tastes(2000), { epochs: 3, batchSize: 256, shuffle: true });
      runs.push(weightsOf(two));
    }
    assert.deepEqual(runs[1], runs[0]);
    assert.deepEqual(runs[2], runs[0]);
  }
});

test('a run interrupted anywhere and resumed ends with the bits of one that was not', async () => {
  const options = { epochs: 4, batchSize: 100, shuffle: true } as const;
  const whole = model();
  const history = await whole.fit(tastes(450), options);
  for (const stopAfter of [1, 7, 15]) {
    const abort = new AbortController();
    const broken = model();
    let steps = 0;
    const onProgress = (): void => {
      steps++;
      if (steps === stopAfter) abort.abort(new Error('enough'));
    };
    const error = await broken
      .fit(tastes(450), { ...options, onProgress, signal: abort.signal })
      .catch((e: unknown) => e);
    assert.ok(error instanceof FitAbortedError);
    assert.equal(error.code, 'ERR_ABORTED');
    const resumed = model();
    const rest = await resumed.fit(tastes(450), { ...options, resume: structuredClone(error.checkpoint) });
    assert.deepEqual(weightsOf(resumed), weightsOf(whole));
    const losses = (all: typeof history): number[] => all.epochs.map(({ perExample }) => perExample);
    assert.deepEqual(losses(rest), losses(history));
  }
});

test('a run interrupted while it validates keeps its training and only validates again', async () => {
  const options = {
    epochs: 3,
    batchSize: 100,
    validation: { dataset: tastes(450, 2), clock: () => 0 },
    clock: () => 0,
  };
  const task = { removeAccidentalHits: true, batchMetrics: [1, 5] };
  const whole = model(undefined, { task: new Retrieval(task) });
  const history = await whole.fit(tastes(450), options);
  const abort = new AbortController();
  const broken = model(undefined, { task: new Retrieval(task) });
  let validations = 0;
  const metrics = {
    reset: () => {
      validations++;
      if (validations === 2) abort.abort();
    },
    updateAsync: async () => {},
    result: () => ({}),
  };
  const validation = { ...options.validation, metrics };
  const error = await broken
    .fit(tastes(450), { ...options, validation, signal: abort.signal })
    .catch((e: unknown) => e);
  assert.ok(error instanceof FitAbortedError);
  assert.deepEqual([error.checkpoint.epoch, error.checkpoint.step], [1, 5]);
  const resumed = model(undefined, { task: new Retrieval(task) });
  const trained: number[] = [];
  const rest = await resumed.fit(tastes(450), {
    ...options,
    resume: error.checkpoint,
    onProgress: ({ epoch }) => {
      trained.push(epoch);
    },
  });
  assert.deepEqual(trained, [3, 3, 3, 3, 3]);
  assert.deepEqual(rest, history);
  assert.deepEqual(weightsOf(resumed), weightsOf(whole));
  await assert.rejects(
    model(undefined, { task: new Retrieval(task) }).fit(tastes(450), { batchSize: 450, resume: error.checkpoint }),
    /resume: expected a checkpoint of a run with at most 1 steps per epoch, got one after 5/,
  );
});

test('a checkpoint of another model is refused', async () => {
  const abort = new AbortController();
  abort.abort();
  const error = await model()
    .fit(tastes(10), { signal: abort.signal })
    .catch((e: unknown) => e);
  assert.ok(error instanceof FitAbortedError);
  const wider = new TwoTowerModel({
    queryTower: Tower.create({ vocabulary: users, dimensions: 8 }),
    candidateTower: Tower.create({ vocabulary: movies, dimensions: 8 }),
  });
  await assert.rejects(
    wider.fit(tastes(10), { resume: error.checkpoint }),
    /resume: expected a checkpoint of a model with the same shape/,
  );
});

test('a loss that is not finite stops training and names the step; the parameters before it stay', async () => {
  const two = model();
  two.queryTower.parameters()[0]!.data.fill(3e38);
  two.candidateTower.parameters()[0]!.data.fill(3e38);
  const before = weightsOf(two);
  await assert.rejects(
    two.fit(tastes(10)),
    (error) => error instanceof DivergedError && /epoch 1, step 1/.test(error.message),
  );
  assert.deepEqual(weightsOf(two), before);
});

test('early stopping waits its patience, and validation stands in the record', async () => {
  const two = model();
  const validation = { dataset: tastes(200, 9) };
  const { epochs, stoppedEarly } = await two.fit(tastes(60), {
    epochs: 200,
    validation,
    earlyStopping: { patience: 2 },
  });
  assert.ok(stoppedEarly && epochs.length < 200);
  const best = epochs.map(({ validation: v }) => v!.perExample);
  assert.equal(best.indexOf(Math.min(...best)), epochs.length - 3);
  for (const monitor of ['nothing', 'toString', 'constructor', '__proto__']) {
    await assert.rejects(model().fit(tastes(60), { earlyStopping: { monitor } }), /earlyStopping.monitor/);
  }
});

test('small and odd data: one user, one candidate, unknown words, nothing', async () => {
  const one = new TwoTowerModel({
    queryTower: Tower.create({ vocabulary: ['u'], dimensions: 4 }),
    candidateTower: Tower.create({ vocabulary: ['m'], dimensions: 4 }),
  });
  const { epochs } = await one.fit({ queries: ['u'], candidates: ['m'] }, { epochs: 2 });
  assert.equal(epochs[1]!.perExample, 0);
  await one.fit({ queries: ['who', 'u'], candidates: ['m', 'what'] });
  await assert.rejects(one.fit({ queries: [], candidates: [] }), /at least one interaction/);
  await assert.rejects(
    one.fit({ queries: ['u'], candidates: [] }),
    /dataset.candidates: expected 1, one per query, got 0/,
  );
  const nan = { queries: ['u'], candidates: ['m'], sampleWeight: [Number.NaN] };
  await assert.rejects(one.fit(nan), /sampleWeight: expected finite numbers, got NaN in row 0/);
  assert.throws(
    () =>
      new TwoTowerModel({
        queryTower: one.queryTower,
        candidateTower: Tower.create({ vocabulary: ['m'], dimensions: 3 }),
      }),
    /one width, got 4 and 3/,
  );
});

test('weights count as repeats, and in-batch accuracy is reported only where asked for', async () => {
  const base = tastes(40);
  const weighted = model();
  await weighted.fit({ ...base, sampleWeight: base.queries.map(() => 2) }, { batchSize: 40 });
  const plain = model();
  await plain.fit(base, { batchSize: 40 });
  assert.notDeepEqual(weightsOf(weighted), weightsOf(plain));
  assert.deepEqual((await plain.evaluate(base)).metrics, {});
  const asked = model(undefined, { task: new Retrieval({ batchMetrics: [1, 40] }) });
  const { metrics } = await asked.evaluate(base, { batchSize: 40 });
  assert.equal(metrics.batch_top_40_categorical_accuracy, 1);
  const { epochs } = await asked.fit(base, { batchSize: 16 });
  assert.deepEqual(Object.keys(epochs[0]!.batchMetrics!), Object.keys(metrics));
  assert.equal((await plain.fit(base)).epochs[0]!.batchMetrics, undefined);
});

test('in-batch accuracy over batches weighs rows by their weights, and is absent where nothing has weight', async () => {
  const asked = model(undefined, { task: new Retrieval({ batchMetrics: [1] }) });
  const rows = { queries: ['user 1', 'user 1', 'user 2'], candidates: ['movie 1', 'movie 2', 'movie 3'] };
  const accuracy = async (sampleWeight: number[]): Promise<number | undefined> =>
    (await asked.evaluate({ ...rows, sampleWeight }, { batchSize: 2 })).metrics.batch_top_1_categorical_accuracy;
  // One of two columns is best for user 1, and the only column of the second batch for user 2.
  assert.equal((await accuracy([1, 0, 0]))! + (await accuracy([0, 1, 0]))!, 1);
  const first = (await accuracy([1, 0, 0]))!;
  assert.ok(Math.abs((await accuracy([1, 0, 3]))! - (first + 3) / 4) < 1e-12);
  assert.equal(await accuracy([0, 0, 0]), undefined);
});

test('one fit at a time: a second one, a clustering, a quantization and a save are refused by name', async () => {
  const trained = model();
  const { queryTower, candidateTower } = trained;
  let goOn: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const metrics = { reset: () => {}, updateAsync: () => held, result: () => ({}) };
  const first = trained.fit(tastes(450), { validation: { dataset: tastes(10), metrics } });
  const busy = /expected tables that are not in use, got one on which fit is under way/;
  await assert.rejects(trained.fit(tastes(450)), busy);
  // Another model that shares a tower.
  const other = Tower.create({ vocabulary: ['x'], dimensions: candidateTower.dimensions });
  await assert.rejects(new TwoTowerModel({ queryTower, candidateTower: other }).fit(tastes(10)), busy);
  await assert.rejects(quantizeProduct(queryTower.inputs[0]!.table, { parameters: 64, columns: 1 }), busy);
  assert.throws(() => candidateTower.save(), busy);
  goOn();
  await first;
  assert.ok(candidateTower.save());
  assert.equal((await trained.fit(tastes(450))).epochs.length, 1);
});

test('a model may be saved in the callbacks of its fit, which wait', async () => {
  const trained = model();
  let saved = 0;
  const save = (): void => {
    assert.ok(trained.queryTower.save());
    saved++;
  };
  const onEpochEnd = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 0));
    save();
  };
  await trained.fit(tastes(450), { epochs: 2, batchSize: 450, onProgress: save, onEpochEnd });
  assert.equal(saved, 4);
});

test('a fit that fails lets the next one in', async () => {
  const trained = model();
  await assert.rejects(trained.fit(tastes(450), { signal: AbortSignal.abort() }), FitAbortedError);
  await assert.rejects(trained.fit({ queries: [], candidates: [] }), /expected at least one interaction/);
  assert.equal((await trained.fit(tastes(450))).epochs.length, 1);
});
