/** Callbacks after steps and epochs: checkpoints that resume with the same bits, and the log that a plot reads. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { trainingLogFile } from '../../src/bundle/training-log-file.ts';
import { trainRecommender } from '../../src/recipes/train-recommender.ts';
import type { Checkpoint } from '../../src/retrieval/checkpoint.ts';
import { type TrainingLogRecord, trainingLog } from '../../src/retrieval/training-log.ts';
import { parityModel, tastes, weightsOf } from './parity-tastes.ts';

const options = { batchSize: 64, epochs: 3, validation: { dataset: tastes(40, 2) } };

test('a checkpoint offered after any step or epoch resumes to the same bits and records', async () => {
  const whole = parityModel();
  const offered: Checkpoint[] = [];
  const history = await whole.fit(tastes(150), {
    ...options,
    onStepEnd: (_, offer) => {
      offered.push(offer.takeCheckpoint());
    },
    onEpochEnd: (_, offer) => {
      offered.push(offer.takeCheckpoint());
    },
  });
  assert.equal(offered.length, 3 * 3 + 3);
  for (const resume of offered) {
    const resumed = parityModel();
    const rest = await resumed.fit(tastes(150), { ...options, resume });
    assert.deepEqual(weightsOf(resumed), weightsOf(whole), `epoch ${resume.epoch}, step ${resume.step}`);
    const plain = (epochs: typeof rest.epochs): unknown[] =>
      epochs.map(({ seconds: _, validation, ...record }) => [record, validation?.perExample]);
    assert.deepEqual(plain(rest.epochs), plain(history.epochs));
  }
});

test('the log has a line for each step and epoch, with the learning rate of the schedule', async () => {
  const lines: string[] = [];
  const { onStepEnd, onEpochEnd } = trainingLog((line) => lines.push(line));
  const learningRate = { schedule: 'constant', initialLearningRate: 0.4, warmupSteps: 4 } as const;
  const model = parityModel(undefined, { optimizer: { method: 'adagrad', learningRate } });
  const { epochs } = await model.fit(tastes(150), { ...options, onStepEnd, onEpochEnd });
  const records = lines.map((line) => JSON.parse(line) as TrainingLogRecord);
  const steps = records.filter((record) => record.record === 'step');
  assert.deepEqual(
    steps.map(({ epoch, step, trainingStep, rows }) => [epoch, step, trainingStep, rows]),
    [1, 2, 3].flatMap((epoch) => [64, 64, 22].map((rows, i) => [epoch, i + 1, 3 * (epoch - 1) + i, rows])),
  );
  const rates = steps.map((step) => step.learningRate);
  [0, 0.1, 0.2, 0.3, 0.4, 0.4].forEach((rate, i) => assert.ok(Math.abs(rates[i]! - rate) < 1e-12));
  assert.deepEqual(
    records.filter((record) => record.record === 'epoch').map(({ record: _, ...record }) => record),
    JSON.parse(JSON.stringify(epochs)),
  );
});

test('a search logs each fit to a file; a file that cannot be written ends the fit', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-log-'));
  try {
    const { onStepEnd } = trainingLogFile(join(folder, 'no', 'log.jsonl'));
    await assert.rejects(parityModel().fit(tastes(10), { onStepEnd }), { code: 'ERR_IO' });
    const path = join(folder, 'log.jsonl');
    const codes = Array.from({ length: 60 }, (_, i) => i);
    const of = (count: number): { vocabulary: string[]; codes: Int32Array } => ({
      vocabulary: Array.from({ length: count }, (_, i) => `${i}`),
      codes: Int32Array.from(codes, (i) => (7 * i + Math.floor(i / count)) % count),
    });
    const { interactionsOf } = await import('../../src/data/interactions.ts');
    const interactions = interactionsOf({ users: of(12), items: of(9) });
    await trainRecommender(interactions, {
      only: { model: 'two-tower', settings: { dimensions: 4, epochs: 2 } },
      log: trainingLogFile(path),
    });
    const records = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as TrainingLogRecord);
    assert.deepEqual([...new Set(records.map(({ record }) => record))], ['fit', 'step', 'epoch']);
    assert.equal(records.filter(({ record }) => record === 'fit').length, 2, 'the trial and the last fit');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
