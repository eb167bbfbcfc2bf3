/**
 * Training: epochs over batches, with history, validation, callbacks, early stop, progress, and an abort signal that
 * leaves a checkpoint.
 *
 * Every epoch takes the rows in a new seeded order; the rows of a source (source.ts) are read and shuffled in blocks. The scores of popular candidates, which are in more batches than
 * others, are corrected (sampling-probability.ts). With validation data the model ends with the parameters of its best
 * epoch. TFRS's tutorials do none of the three: `{ shuffle: false, samplingCorrection: false, restoreBestWeights: false
 * }` trains as they do.
 *
 * One seed gives the same bits on any number of threads. A run that is resumed from a checkpoint gives the same bits as
 * one that was never interrupted; with dense layers it must be resumed on the same kind of machine and version of Node
 * (docs/decisions/same-bits-everywhere.md).
 */

import { checkInteger, shown } from '../checks/numbers.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { exclusively, savesEnded, type TableLock } from '../embeddings/table-lock.ts';
import { AbortedError, DivergedError, ShapeError } from '../errors/errors.ts';
import type { Features, TowerInput } from '../towers/tower-inputs.ts';
import { type Checkpoint, FitAbortedError, restoreCheckpoint, takeCheckpoint } from './checkpoint.ts';
import {
  type ClusterMoment,
  type ClusterRecord,
  clusterSteps,
  clusterTables,
  type NamedTable,
} from './cluster-schedule.ts';
import type { CrossBatchMemory } from './cross-batch-memory.ts';
import type { EncodedDataset, RetrievalDataset } from './dataset.ts';
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
import { LossMeter, type StepLosses } from './losses.ts';
import { checkNegatives } from './negatives.ts';
import { Pauses, systemClock } from './pauses.ts';
import { isSource, type RetrievalSource } from './source.ts';
import { type ModelParts, step as stepModel } from './step.ts';
import { StreamedData } from './streamed-data.ts';
import { DatasetInMemory, type TrainingData } from './training-data.ts';
import { TrainingRate } from './training-rate.ts';

/**
 * Train a model on a data set in memory, or on a source of rows.
 *
 * @throws {ShapeError} when the data set is empty or its columns differ in length, or `resume` is of other steps
 * @throws {DivergedError} naming the epoch and step whose loss was not finite; the step is not taken
 * @throws {FitAbortedError} when the signal is raised
 * @throws {StateError} when another `fit`, a clustering or a quantization of the same tables is under way
 */
export async function fit<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  dataset: RetrievalDataset<Q, C> | RetrievalSource<Q, C>,
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
  dataset: RetrievalDataset<Q, C> | RetrievalSource<Q, C>,
  options: RunOptions<Q, C>,
  lock: TableLock,
): Promise<History> {
  const { epochs, batchSize, signal, resume, clock } = options;
  const data: TrainingData<Q, C> = isSource(dataset)
    ? await StreamedData.open(model, dataset, options)
    : new DatasetInMemory(model, dataset, options);
  const { steps } = data;
  const tracker = new EpochTracker(model, options);
  if (resume) {
    checkFingerprint(data.fingerprint, resume.source);
    restoreCheckpoint(model, resume, steps);
    if (resume.memory) data.memory?.restore(resume.memory);
    tracker.resume(resume);
    await data.skipTo(resume.epoch, resume.step);
  }
  const { history } = tracker;
  const begun = clock();
  const before = ((resume?.epoch ?? 0) * steps + (resume?.step ?? 0)) * batchSize;
  const run = { due: options.clusterings ? clusterSteps(options.clusterings, steps, epochs) : [], lock, begun };
  const meters = { pauses: new Pauses(clock), rate: new TrainingRate(clock, epochs * data.rows, before) };
  for (let epoch = resume?.epoch ?? 0; epoch < epochs && !history.stoppedEarly; epoch++) {
    const start = clock();
    const meter = new LossMeter(model.task.batchMetricNames);
    const firstStep = resume?.epoch === epoch ? resume.step : 0;
    if (firstStep > 0) meter.restore(resume!.losses);
    const checkpointAt = (done: number, step: number): Checkpoint => {
      const losses = step === 0 ? [] : meter.save();
      const position = { epoch: done, step, losses, epochs: history.epochs, best: tracker.best };
      const { memory, fingerprint } = data;
      const more = { ...(memory && { memory: memory.save() }), ...(fingerprint && { source: fingerprint }) };
      return takeCheckpoint(model, { ...position, ...more });
    };
    const abortedAt = (step: number): FitAbortedError => new FitAbortedError(checkpointAt(epoch, step), signal!);
    await runSteps(model, data, options, { ...run, ...meters, meter, epoch, firstStep, checkpointAt, abortedAt });
    const record: EpochRecord = { epoch: epoch + 1, ...meter.losses(), seconds: (clock() - start) / 1000 };
    if (model.task.batchMetrics.length > 0) record.batchMetrics = meter.batchMetrics();
    // The epoch's training is done and kept: a resumed run only validates it.
    const validation = data.validation();
    if (validation) record.validation = await validate(model, options, validation, () => abortedAt(steps));
    tracker.take(record);
    const offer = { takeCheckpoint: () => checkpointAt(epoch + 1, 0) };
    if (options.onEpochEnd) await whileSavable(lock, () => options.onEpochEnd?.(record, offer));
  }
  tracker.restoreBest();
  return history;
}

/** Refuse to resume with other data than before. */
function checkFingerprint(source: string | undefined, before: string | undefined): void {
  if (source === before) return;
  const named = (fingerprint?: string): string =>
    fingerprint === undefined ? 'a data set' : `the source ${shown(fingerprint)}`;
  throw new ShapeError(`resume: expected a checkpoint of ${named(source)}, got one of ${named(before)}`);
}

/** The state of a run that its steps read. */
interface StepsContext {
  epoch: number;
  firstStep: number;
  /** The steps before which tables are clustered, counted from the beginning of the run. */
  due: readonly number[];
  lock: TableLock;
  /** The time at which the run began, in milliseconds. */
  begun: number;
  pauses: Pauses;
  rate: TrainingRate;
  meter: LossMeter;
  checkpointAt: (epoch: number, step: number) => Checkpoint;
  abortedAt: (step: number) => FitAbortedError;
}

/** Train on the batches of an epoch. */
async function runSteps<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  data: TrainingData<Q, C>,
  options: RunOptions<Q, C>,
  { epoch, firstStep, due, lock, begun, pauses, rate, meter, checkpointAt, abortedAt }: StepsContext,
): Promise<void> {
  const { epochs, signal, clock } = options;
  const { steps, memory } = data;
  let step = firstStep;
  if (signal?.aborted) throw abortedAt(step);
  for await (const batch of data.batches(epoch, firstStep)) {
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
    const trainingStep = epoch * steps + step;
    const losses = trainStep(model, batch, { epoch, step, trainingStep, memory });
    meter.add(losses, batch.rows);
    step++;
    const place = { epoch: epoch + 1, step, lossPerExample: losses.perExample };
    const progress: FitProgress = { ...place, epochs, steps, ...rate.after(batch.rows) };
    if (options.onProgress) await whileSavable(lock, () => options.onProgress?.(progress));
    if (options.onStepEnd) {
      const { learningRate } = model.optimizer;
      const seconds = (clock() - begun) / 1000;
      const record = { ...place, trainingStep, rows: batch.rows, loss: losses.loss, learningRate, seconds };
      const done = step;
      const offer = { takeCheckpoint: () => checkpointAt(epoch, done) };
      await whileSavable(lock, () => options.onStepEnd?.(record, offer));
    }
    await pauses.pause();
  }
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
  step: number;
  trainingStep: number;
  memory: CrossBatchMemory | undefined;
}

function trainStep<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  batch: EncodedDataset,
  { epoch, step, trainingStep, memory }: StepContext,
): StepLosses {
  const losses = stepModel(model, batch, true, trainingStep, memory);
  const { loss } = losses;
  if (Number.isFinite(loss)) return losses;
  const at = `at epoch ${epoch + 1}, step ${step + 1}`;
  throw new DivergedError(`loss: expected a finite number, got ${loss} ${at}${notFiniteOf(model)}`);
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
