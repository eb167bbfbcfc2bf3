/**
 * Training: epochs over batches, with history, validation, callbacks, early stop, progress, and an abort signal that
 * leaves a checkpoint.
 *
 * Every epoch takes the rows in a new seeded order. The scores of popular candidates, which are in more batches than
 * others, are corrected (sampling-probability.ts). With validation data the model ends with the parameters of its best
 * epoch. TFRS's tutorials do none of the three: `{ shuffle: false, samplingCorrection: false, restoreBestWeights: false
 * }` trains as they do.
 *
 * One seed gives the same bits on any number of threads. A run that is resumed from a checkpoint gives the same bits as
 * one that was never interrupted; with dense layers it must be resumed on the same kind of machine and version of Node
 * (docs/decisions/same-bits-everywhere.md).
 */

import { checkInteger } from '../checks/numbers.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { exclusively, savesEnded, type TableLock } from '../embeddings/table-lock.ts';
import { AbortedError, DivergedError } from '../errors/errors.ts';
import { Generator } from '../random/generator.ts';
import type { Features, TowerInput } from '../towers/tower-inputs.ts';
import { FitAbortedError, restoreCheckpoint, takeCheckpoint } from './checkpoint.ts';
import {
  type ClusterMoment,
  type ClusterRecord,
  clusterSteps,
  clusterTables,
  type NamedTable,
} from './cluster-schedule.ts';
import { type EncodedDataset, encodeDataset, type RetrievalDataset, takeBatch } from './dataset.ts';
import { EpochTracker } from './epoch-tracker.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import {
  checkFitOptions,
  checkValidation,
  type FitOptions,
  type FitProgress,
  type FitValidation,
  type RunOptions,
} from './fit-options.ts';
import type { EpochRecord, History } from './history.ts';
import { LossMeter } from './losses.ts';
import { checkNegatives, Negatives } from './negatives.ts';
import { Pauses, systemClock } from './pauses.ts';
import { samplingProbabilities } from './sampling-probability.ts';
import { type ModelParts, step as stepModel } from './step.ts';
import { StreamingCorrection } from './streaming-correction.ts';
import { TrainingRate } from './training-rate.ts';

/**
 * Train a model.
 *
 * @throws {ShapeError} when the data set is empty or its columns differ in length, or `resume` is of other steps
 * @throws {DivergedError} naming the epoch and step whose loss was not finite; the step is not taken
 * @throws {FitAbortedError} when the signal is raised
 * @throws {StateError} when another `fit`, a clustering or a quantization of the same tables is under way
 */
export async function fit<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  dataset: RetrievalDataset<Q, C>,
  options: FitOptions<Q, C>,
): Promise<History> {
  const { epochs = 1, batchSize = 8192, seed = 42, clock = systemClock, validation } = checkFitOptions(options);
  if (validation) checkValidation(validation);
  if (options.negatives) checkNegatives(options.negatives);
  checkInteger('epochs', epochs, 0);
  checkInteger('batchSize', batchSize, 1);
  checkInteger('seed', seed, Number.MIN_SAFE_INTEGER);
  const tables = tablesOf(model).map(({ table }) => table);
  const given = { ...options, epochs, batchSize, seed, clock };
  return exclusively('fit', tables, (lock) => runEpochs(model, dataset, given, lock));
}

async function runEpochs<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  dataset: RetrievalDataset<Q, C>,
  options: RunOptions<Q, C>,
  lock: TableLock,
): Promise<History> {
  const { epochs, batchSize, shuffle = true, seed, signal, resume, clock } = options;
  const { encoded, validation, streaming, negatives } = encodeRun(model, dataset, options);
  const steps = Math.ceil(encoded.rows / batchSize);
  const tracker = new EpochTracker(model, options);
  if (resume) {
    restoreCheckpoint(model, resume, steps);
    if (resume.memory) negatives?.memory?.restore(resume.memory);
    tracker.resume(resume);
  }
  const { history } = tracker;
  const due = options.clusterings ? clusterSteps(options.clusterings, steps, epochs) : [];
  const pauses = new Pauses(clock);
  const rate = new TrainingRate(
    clock,
    epochs * encoded.rows,
    ((resume?.epoch ?? 0) * steps + (resume?.step ?? 0)) * batchSize,
  );
  const orderOf = (epoch: number): Int32Array | undefined =>
    shuffle ? new Generator(seed).fork('shuffle', epoch).permutation(encoded.rows) : undefined;
  for (let epoch = 0; streaming && resume && epoch <= resume.epoch; epoch++) {
    const end = epoch < resume.epoch ? encoded.rows : Math.min(resume.step * batchSize, encoded.rows);
    streaming.skip(0, end, orderOf(epoch));
  }
  for (let epoch = resume?.epoch ?? 0; epoch < epochs && !history.stoppedEarly; epoch++) {
    const start = clock();
    const order = orderOf(epoch);
    const meter = new LossMeter(model.task.batchMetricNames);
    const firstStep = resume?.epoch === epoch ? resume.step : 0;
    if (firstStep > 0) meter.restore(resume!.losses);
    const abortedAt = (step: number): FitAbortedError => {
      const position = { epoch, step, losses: meter.save(), epochs: history.epochs, best: tracker.best };
      const memory = negatives?.memory && { memory: negatives.memory.save() };
      return new FitAbortedError(takeCheckpoint(model, { ...position, ...memory }), signal!);
    };
    for (let step = firstStep; step < steps; step++) {
      if (signal?.aborted) throw abortedAt(step);
      const at = due.indexOf(epoch * steps + step);
      if (at >= 0) {
        const moment = { ...position(due[at]!, steps), isLast: at === due.length - 1, optimizer: model.optimizer };
        // A run that is interrupted between two tables resumes before the first of them.
        const records = await clusterAt(model, options, moment, signal && abortedAt(step));
        await whileSavable(lock, () => {
          for (const record of records) options.onCluster?.(record);
        });
      }
      const place = { epoch, epochs, step, steps, batchSize, order };
      const progress = trainStep(model, encoded, { ...place, streaming, negatives, meter, rate });
      if (options.onProgress) await whileSavable(lock, () => options.onProgress?.(progress));
      await pauses.pause();
    }
    const record: EpochRecord = { epoch: epoch + 1, ...meter.losses(), seconds: (clock() - start) / 1000 };
    if (model.task.batchMetrics.length > 0) record.batchMetrics = meter.batchMetrics();
    // The epoch's training is done and kept: a resumed run only validates it.
    if (validation) {
      const dataset = streaming ? corrected(validation.dataset, streaming.ofValidation()) : validation.dataset;
      record.validation = await validate(model, options, { ...validation, dataset }, () => abortedAt(steps));
    }
    tracker.take(record);
    if (options.onEpochEnd) await whileSavable(lock, () => options.onEpochEnd?.(record));
  }
  tracker.restoreBest();
  return history;
}

/** The data of a run. */
interface EncodedRun<Q extends Features, C extends Features> {
  readonly encoded: EncodedDataset;
  readonly validation: FitValidation<Q, C> | undefined;
  /** The estimator of sampling probabilities, where they are estimated while training. */
  readonly streaming: StreamingCorrection | undefined;
  readonly negatives: Negatives | undefined;
}

/** Encode the data of a run, with the sampling probabilities of the training data where the loss is corrected by them. */
function encodeRun<Q extends Features, C extends Features>(
  { queryTower, candidateTower, task }: ModelParts<Q, C>,
  dataset: RetrievalDataset<Q, C>,
  { samplingCorrection = true, validation, negatives: asked, seed }: RunOptions<Q, C>,
): EncodedRun<Q, C> {
  const encoded = encodeDataset(dataset, queryTower, candidateTower);
  const validationData = validation && encodeDataset(validation.dataset, queryTower, candidateTower);
  const isCounted = samplingCorrection === true && !encoded.candidateSamplingProbability;
  if (isCounted) encoded.candidateSamplingProbability = samplingProbabilities(encoded.candidates);
  const { inBatchNegatives } = task;
  const catalogue = asked?.catalogue && candidateTower.encode(asked.catalogue);
  const negatives = asked && new Negatives(asked, { encoded, catalogue, inBatchNegatives, seed });
  const isStreaming = samplingCorrection === 'streaming' && !encoded.candidateSamplingProbability;
  const streaming = isStreaming
    ? new StreamingCorrection(negatives?.candidates ?? encoded.candidates, validationData?.candidates)
    : undefined;
  const run = { encoded, validation, streaming, negatives };
  if (!isCounted || !validationData || validationData.candidateSamplingProbability) return run;
  // Both losses are corrected; otherwise a model with a lower training loss could have a higher validation loss.
  const probabilities = samplingProbabilities(encoded.candidates, validationData.candidates);
  return { ...run, validation: { ...validation!, dataset: corrected(validation!.dataset, probabilities) } };
}

/** A data set with sampling probabilities, unless it has its own. */
function corrected<Q extends Features, C extends Features>(
  dataset: RetrievalDataset<Q, C>,
  probabilities: Float64Array,
): RetrievalDataset<Q, C> {
  return { ...dataset, candidateSamplingProbability: dataset.candidateSamplingProbability ?? probabilities };
}

/** Call back between two steps, so that a callback that saves the model saves a consistent state. */
async function whileSavable(lock: TableLock, callback: () => void | Promise<void>): Promise<void> {
  lock.isSavable = true;
  try {
    await callback();
  } finally {
    lock.isSavable = false;
  }
  // A save that the callback began and did not await still reads the tables.
  await savesEnded(lock.tables);
}

async function clusterAt<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  { clusterings, signal, clock }: RunOptions<Q, C>,
  moment: Pick<ClusterMoment, 'epoch' | 'step' | 'isLast' | 'optimizer'>,
  before: FitAbortedError | undefined,
): Promise<ClusterRecord[]> {
  try {
    return await clusterTables(tablesOf(model), clusterings!, { ...moment, signal, clock });
  } catch (error) {
    throw error instanceof AbortedError ? before : error;
  }
}

async function validate<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  { batchSize, signal, clock }: RunOptions<Q, C>,
  { dataset, ...how }: FitValidation<Q, C>,
  abortedNow: () => FitAbortedError,
): Promise<Evaluation> {
  try {
    return await evaluate(model, dataset, { batchSize, signal, clock, ...how });
  } catch (error) {
    throw error instanceof AbortedError && signal?.aborted ? abortedNow() : error;
  }
}

/** Epoch and step, both from 1, of step `count` of a run. */
function position(count: number, steps: number): { epoch: number; step: number } {
  return { epoch: Math.floor((count - 1) / steps) + 1, step: ((count - 1) % steps) + 1 };
}

/** Every table, under the name of the tower and feature that use it first. */
function tablesOf<Q extends Features, C extends Features>(model: ModelParts<Q, C>): NamedTable[] {
  const named = new Map<EmbeddingTable, string>();
  const add = (tower: string, inputs: readonly TowerInput[]): void => {
    for (const { name, table } of inputs) {
      if (table && !named.has(table)) named.set(table, name === '' ? tower : `${tower}.${name}`);
    }
  };
  add('queryTower', model.queryTower.inputs);
  add('candidateTower', model.candidateTower.inputs);
  return Array.from(named, ([table, name]) => ({ name, table }));
}

interface StepContext {
  epoch: number;
  epochs: number;
  step: number;
  steps: number;
  batchSize: number;
  order: Int32Array | undefined;
  streaming: StreamingCorrection | undefined;
  negatives: Negatives | undefined;
  meter: LossMeter;
  rate: TrainingRate;
}

function trainStep<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  encoded: EncodedDataset,
  { epoch, epochs, step, steps, batchSize, order, streaming, negatives, meter, rate }: StepContext,
): FitProgress {
  const begin = step * batchSize;
  const end = Math.min(begin + batchSize, encoded.rows);
  const batch = takeBatch(encoded, begin, end, order);
  if (streaming) batch.candidateSamplingProbability = streaming.ofBatch(begin, end, order);
  const trainingStep = epoch * steps + step;
  if (negatives) {
    const rows = order?.slice(begin, end) ?? Int32Array.from({ length: end - begin }, (_, i) => begin + i);
    negatives.addTo(batch, rows, trainingStep, streaming && ((of) => streaming.ofRows(of)));
  }
  const losses = stepModel(model, batch, true, trainingStep, negatives?.memory);
  const { loss, perExample } = losses;
  if (!Number.isFinite(loss)) {
    const at = `at epoch ${epoch + 1}, step ${step + 1}`;
    throw new DivergedError(`loss: expected a finite number, got ${loss} ${at}${notFiniteOf(model)}`);
  }
  meter.add(losses, batch.rows);
  return { epoch: epoch + 1, epochs, step: step + 1, steps, lossPerExample: perExample, ...rate.after(batch.rows) };
}

/** The feature or layer of each tower from which numbers that are not finite come, to end a message with. */
function notFiniteOf<Q extends Features, C extends Features>({ queryTower, candidateTower }: ModelParts<Q, C>): string {
  const places = [
    ['query', queryTower.notFinite()],
    ['candidate', candidateTower.notFinite()],
  ].filter(([, place]) => place !== undefined);
  if (places.length === 0) return '; all vectors are finite: a lower learning rate or a higher temperature may help';
  return `; not finite: ${places.map(([tower, place]) => `${place} of the ${tower} tower`).join(', ')}`;
}
