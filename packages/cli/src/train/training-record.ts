/**
 * The training record in the metadata of a bundle. `inspect` prints it, and the next version is compared with it. It holds no
 * times, so that the same run writes the same bytes.
 */
import type { TrainedRecommender } from 'shortlist';
import type { Json, JsonObject } from 'shortlist/format';
import { bootstrapMean, type Estimate } from 'shortlist/metrics';
import { type FeatureModelSpec, MODEL_KINDS, type ModelKind, type Settings } from 'shortlist/recommenders';
import type { EvaluatedModel } from '../evaluate/baselines.ts';
import type { TrainArguments } from './arguments.ts';
import type { EvaluatedEvent, IndexEvent } from './events.ts';
import type { SplitWay } from './split.ts';

/** The record of a training. */
export interface TrainingRecord {
  readonly model: ModelKind;
  readonly settings: Settings;
  readonly seed: number;
  /** The spec of a model over features. */
  readonly features?: FeatureModelSpec;
  readonly data: TrainingDataRecord;
  /** The evaluation on the validation part. */
  readonly validation: {
    readonly k: number;
    readonly users: number;
    readonly recall: Estimate;
    readonly trials: number;
  };
  /** The evaluation on the test part. */
  readonly test: {
    readonly k: number;
    readonly users: number;
    /** The rule of the test part; absent where it is leave-last-out, as in bundles of earlier releases. */
    readonly split?: SplitWay;
    readonly recall: Estimate;
    readonly baselines: readonly { readonly name: string; readonly recall: Estimate }[];
  };
}

/** The data of a training. */
export interface TrainingDataRecord {
  readonly files: readonly string[];
  readonly rows: number;
  readonly users: number;
  readonly items: number;
  readonly like?: string;
}

/** The entry `training` of the metadata: a `TrainingRecord` with further metrics of the test part, all trials, and the index. */
export function trainingRecord(
  { seed, k, split }: TrainArguments,
  data: TrainingDataRecord,
  { best, trials }: TrainedRecommender,
  features: FeatureModelSpec | undefined,
  { model, baselines }: EvaluatedEvent,
  { kind, recall }: IndexEvent,
): JsonObject {
  return {
    model: best.model,
    settings: { ...best.settings },
    seed,
    ...(features && { features: JSON.parse(JSON.stringify(features)) as JsonObject }),
    data: { ...data, files: [...data.files] },
    validation: {
      k,
      users: best.perUser.length,
      recall: plain(bootstrapMean(Float64Array.from(best.perUser), { seed })),
      trials: trials.length,
    },
    test: {
      k,
      users: model.users,
      ...(split === 'time' && { split }),
      ...metricsOf(model),
      baselines: baselines.map(namedMetrics),
    },
    trials: trials.map((trial) => ({ model: trial.model, settings: { ...trial.settings }, recall: trial.recall })),
    index: { kind, recall },
  };
}

function namedMetrics(model: EvaluatedModel): JsonObject {
  return { name: model.name, ...metricsOf(model) };
}

function metricsOf({ metrics }: EvaluatedModel): JsonObject {
  const [first] = metrics;
  if (first === undefined) return {};
  const { recall, ndcg, reciprocalRank, coverage, longTailShare } = first;
  const all = { recall, ndcg, reciprocalRank, coverage, longTailShare };
  return Object.fromEntries(Object.entries(all).map(([name, value]): [string, Json] => [name, plain(value)]));
}

function plain({ mean, low, high }: Estimate): JsonObject {
  return { mean, low, high };
}

/** The training record in the metadata of a bundle; undefined if there is none, or it has another form. */
export function readTrainingRecord({ training }: JsonObject): TrainingRecord | undefined {
  if (!isObject(training)) return undefined;
  const { model, settings, seed, features, data, validation, test } = training;
  const isRecord =
    MODEL_KINDS.includes(model as ModelKind) &&
    isObject(settings) &&
    Object.values(settings).every(Number.isFinite) &&
    Number.isFinite(seed) &&
    isObject(features) === (model === 'features') &&
    isObject(data) &&
    [data.rows, data.users, data.items].every(Number.isFinite) &&
    isListOf(data.files, (file) => typeof file === 'string') &&
    (data.like === undefined || typeof data.like === 'string') &&
    isObject(validation) &&
    [validation.k, validation.users, validation.trials].every(Number.isFinite) &&
    isEstimate(validation.recall) &&
    isObject(test) &&
    [test.k, test.users].every(Number.isFinite) &&
    (test.split === undefined || test.split === 'time') &&
    isEstimate(test.recall) &&
    isListOf(test.baselines, (one) => isObject(one) && typeof one.name === 'string' && isEstimate(one.recall));
  return isRecord ? (training as unknown as TrainingRecord) : undefined;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOf(value: Json | undefined, is: (entry: Json) => boolean): boolean {
  return Array.isArray(value) && value.every(is);
}

function isEstimate(value: Json | undefined): boolean {
  return isObject(value) && [value.mean, value.low, value.high].every(Number.isFinite);
}
