/**
 * Evaluation of a two-tower model: losses over batches in order, and metrics over queries with their true candidates.
 *
 * A batch's distinct queries are embedded once; a metric gets one row an example and groups equal ones itself.
 */

import { throwIfAborted } from '../checks/abort.ts';
import { checkInteger } from '../checks/numbers.ts';
import { FUNCTION, NUMBER, type OptionTypes, objectWith, optionsCheck, SIGNAL } from '../checks/options.ts';
import type { FactorizedTopKTruth } from '../metrics/factorized-top-k.ts';
import type { EncodedFeatures } from '../towers/encoded-features.ts';
import type { Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';
import { Matrix } from '../vectors/matrix.ts';
import { type EncodedDataset, encodeDataset, type RetrievalDataset, takeBatch } from './dataset.ts';
import { type Losses, LossMeter } from './losses.ts';
import { type Clock, Pauses, systemClock } from './pauses.ts';
import { type ModelParts, step } from './step.ts';

/** A metric over queries with their true candidates: `FactorizedTopK`, or another of the same shape. */
export interface EvaluationMetric {
  reset(): void;
  /** Identifiers are those of the data set; the metric must have been made with an index of the same identifiers. */
  updateAsync(queryEmbeddings: Matrix, truth: FactorizedTopKTruth<never>): Promise<void>;
  result(): Record<string, number>;
}

/** Options of an evaluation. */
export interface EvaluateOptions {
  /** Rows of a batch; the loss depends on it, the metrics do not. Default 8,192, the tutorial's. */
  batchSize?: number;
  /** Metrics, reset first. A single one may be given as it is. */
  metrics?: EvaluationMetric | readonly EvaluationMetric[];
  signal?: AbortSignal | undefined;
  clock?: Clock;
}

/** The types of `EvaluateOptions`, also used by the checks of other options that include them. */
export const EVALUATE: OptionTypes<EvaluateOptions> = {
  batchSize: NUMBER,
  metrics: objectWith('a metric or a list of metrics'),
  signal: SIGNAL,
  clock: FUNCTION,
};
const checkOptions = optionsCheck<EvaluateOptions>('evaluate', EVALUATE);

/** Losses and metrics; a metric that was not computed is absent. */
export interface Evaluation extends Losses {
  rows: number;
  /** `factorized_top_k/top_10_categorical_accuracy` → share, and in-batch accuracies weighted as the rows are. */
  metrics: Record<string, number>;
  seconds: number;
}

/**
 * Evaluate a model.
 *
 * @throws {ShapeError} when the data set is empty or its columns differ in length
 * @throws {AbortedError} when the signal is raised
 */
export async function evaluate<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  dataset: RetrievalDataset<Q, C>,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { batchSize = 8192, metrics = [], signal, clock = systemClock } = checkOptions(options);
  checkInteger('batchSize', batchSize, 1);
  const start = clock();
  const encoded = encodeDataset(dataset, model.queryTower, model.candidateTower);
  encoded.identifiers ??= plainIdentifiers(dataset.candidates);
  const all: readonly EvaluationMetric[] = 'reset' in metrics ? [metrics] : metrics;
  for (const metric of all) metric.reset();
  const meter = new LossMeter(model.task.batchMetricNames);
  const pauses = new Pauses(clock);
  for (let begin = 0; begin < encoded.rows; begin += batchSize) {
    throwIfAborted('evaluate', signal);
    const batch = takeBatch(encoded, begin, Math.min(begin + batchSize, encoded.rows));
    meter.add(step(model, batch, false), batch.rows);
    for (const metric of all) await updateMetric(metric, model, batch);
    await pauses.pause();
  }
  const results = Object.assign(meter.batchMetrics(), ...all.map((metric) => metric.result())) as Record<
    string,
    number
  >;
  return { ...meter.losses(), rows: encoded.rows, metrics: results, seconds: (clock() - start) / 1000 };
}

/** A plain candidate feature names its candidate. */
function plainIdentifiers(candidates: readonly Features[]): readonly string[] | undefined {
  return typeof candidates[0] === 'string' ? (candidates as readonly string[]) : undefined;
}

async function updateMetric<Q extends Features, C extends Features>(
  metric: EvaluationMetric,
  { queryTower, candidateTower }: ModelParts<Q, C>,
  batch: EncodedDataset,
): Promise<void> {
  const queries = expand(queryTower, batch.queries);
  const candidates = batch.identifiers ? undefined : expand(candidateTower, batch.candidates);
  try {
    await metric.updateAsync(queries, {
      trueIdentifiers: batch.identifiers as readonly never[] | undefined,
      trueEmbeddings: candidates,
      sampleWeight: batch.sampleWeight,
    });
  } finally {
    queries.free();
    candidates?.free();
  }
}

/** One vector per row, from the distinct rows' vectors. */
function expand<F extends Features>(tower: Tower<F>, encoded: EncodedFeatures): Matrix {
  const { features, groupOf } = encoded.distinct();
  const vectors = tower.forward(features);
  const [from, d, stride] = [vectors.data, tower.dimensions, vectors.dimensions];
  const rows = new Matrix(groupOf.length, d, tower.runtime);
  const to = rows.data;
  for (let i = 0; i < groupOf.length; i++) {
    const at = groupOf[i]! * stride;
    for (let t = 0; t < d; t++) to[i * d + t] = from[at + t]!;
  }
  return rows;
}
