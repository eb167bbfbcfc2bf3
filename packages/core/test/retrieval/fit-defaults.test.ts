/** The defaults of `fit` that TFRS's tutorials do not have: log-Q correction, shuffling, the parameters of the best epoch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointFromBytes, checkpointToBytes } from '../../src/bundle/checkpoint.ts';
import { Adagrad } from '../../src/optimizers/adagrad.ts';
import { FitAbortedError } from '../../src/retrieval/checkpoint.ts';
import { StreamingFrequency } from '../../src/retrieval/streaming-frequency.ts';
import { parityModel as model, movies, tastes, weightsOf } from './parity-tastes.ts';

test('fit corrects for how often candidates stand in the data, as the same column by hand does', async () => {
  const data = tastes(450);
  const share = (movie: string): number => data.candidates.filter((each) => each === movie).length / 450;
  const candidateSamplingProbability = data.candidates.map(share);
  const runs = [
    [data, {}],
    [{ ...data, candidateSamplingProbability }, {}],
    [{ ...data, candidateSamplingProbability }, { samplingCorrection: false }],
    [data, { samplingCorrection: false }],
  ] as const;
  const weights: number[][][] = [];
  for (const [dataset, options] of runs) {
    const trained = model();
    await trained.fit(dataset, { epochs: 2, batchSize: 100, ...options });
    weights.push(weightsOf(trained));
  }
  assert.deepEqual(weights[0], weights[1], 'counted and given');
  assert.deepEqual(weights[2], weights[1], 'a given column is used in any case');
  assert.notDeepEqual(weights[3], weights[0]);
});

test('the loss of validation has the same correction, and candidates without a row count as one', async () => {
  const data = tastes(450);
  const held = { queries: ['user 0', 'user 1', 'user 2'], candidates: [movies[0]!, movies[1]!, 'never seen'] };
  const trained = model();
  const { epochs } = await trained.fit(data, { validation: { dataset: held }, restoreBestWeights: false });
  const share = (movie: string): number => Math.max(1, data.candidates.filter((each) => each === movie).length) / 450;
  const candidateSamplingProbability = held.candidates.map(share);
  const { perExample } = await trained.evaluate({ ...held, candidateSamplingProbability });
  assert.equal(epochs[0]!.validation!.perExample, perExample);
});

test("'streaming' corrects by what was estimated up to each batch, and a resumed run estimates the same", async () => {
  const data = tastes(450);
  const frequency = new StreamingFrequency();
  const candidateSamplingProbability: number[] = [];
  const first: string[] = [...new Set(data.candidates)];
  for (let begin = 0; begin < 450; begin += 100) {
    const keys = data.candidates.slice(begin, begin + 100).map((movie) => first.indexOf(movie));
    frequency.add(keys);
    candidateSamplingProbability.push(...frequency.probabilities(keys));
  }
  const [streamed, given, counted] = [model(), model(), model()];
  const options = { batchSize: 100, shuffle: false };
  await streamed.fit(data, { ...options, samplingCorrection: 'streaming' });
  await given.fit({ ...data, candidateSamplingProbability }, options);
  await counted.fit(data, options);
  assert.deepEqual(weightsOf(streamed), weightsOf(given));
  assert.notDeepEqual(weightsOf(streamed), weightsOf(counted));

  const run = {
    epochs: 3,
    batchSize: 100,
    samplingCorrection: 'streaming',
    validation: { dataset: tastes(60, 2) },
  } as const;
  const whole = model();
  const history = await whole.fit(data, run);
  const abort = new AbortController();
  const onProgress = ({ epoch, step }: { epoch: number; step: number }): void => {
    if (epoch === 2 && step === 3) abort.abort();
  };
  const error = await model()
    .fit(data, { ...run, onProgress, signal: abort.signal })
    .catch((e: unknown) => e);
  assert.ok(error instanceof FitAbortedError);
  const resumed = model();
  const after = await resumed.fit(data, { ...run, resume: error.checkpoint });
  assert.deepEqual(weightsOf(resumed), weightsOf(whole));
  const losses = ({ epochs }: typeof history): unknown => epochs.map(({ validation }) => validation!.perExample);
  assert.deepEqual(losses(after), losses(history));
  await assert.rejects(model().fit(data, { samplingCorrection: 'stream' as 'streaming' }), /samplingCorrection/);
});

test('with validation the model ends with the parameters of its best epoch, also after an interruption', async () => {
  // Rows of the other parity: the better the taste is learned, the worse they are predicted.
  const wrong = tastes(200, 2);
  const dataset = {
    queries: wrong.queries,
    candidates: wrong.candidates.map((movie) => movies[19 - movies.indexOf(movie)]!),
  };
  const options = { epochs: 4, batchSize: 150, validation: { dataset } };
  const best = model();
  const history = await best.fit(tastes(450), options);
  const losses = history.epochs.map(({ validation }) => validation!.perExample);
  assert.equal(losses.indexOf(Math.min(...losses)), 0, `${losses}`);
  assert.equal(history.bestEpoch, 1);
  const short = model();
  await short.fit(tastes(450), { ...options, epochs: 1 });
  assert.deepEqual(weightsOf(best), weightsOf(short));

  const last = model();
  const whole = await last.fit(tastes(450), { ...options, restoreBestWeights: false });
  assert.equal(whole.bestEpoch, undefined);
  assert.notDeepEqual(weightsOf(last), weightsOf(best));

  const abort = new AbortController();
  const onProgress = ({ epoch }: { epoch: number }): void => {
    if (epoch === 3) abort.abort();
  };
  const error = await model()
    .fit(tastes(450), { ...options, onProgress, signal: abort.signal })
    .catch((e: unknown) => e);
  assert.ok(error instanceof FitAbortedError);
  const resumed = model();
  const resume = await checkpointFromBytes(checkpointToBytes(error.checkpoint));
  assert.deepEqual(resume, error.checkpoint);
  assert.equal((await resumed.fit(tastes(450), { ...options, resume })).bestEpoch, 1);
  assert.deepEqual(weightsOf(resumed), weightsOf(best));
});

test('every epoch takes the rows in another order unless the order is to be kept', async () => {
  const order = async (options: object): Promise<number[]> => {
    const losses: number[] = [];
    const onProgress = ({ lossPerExample }: { lossPerExample: number }): void => void losses.push(lossPerExample);
    const frozen = model(undefined, { optimizer: new Adagrad({ learningRate: 1e-30 }) });
    await frozen.fit(tastes(450), { epochs: 2, batchSize: 100, onProgress, ...options });
    return losses;
  };
  const shuffled = await order({});
  assert.notDeepEqual(shuffled.slice(0, 5), shuffled.slice(5));
  const kept = await order({ shuffle: false });
  assert.deepEqual(kept.slice(0, 5), kept.slice(5));
});
