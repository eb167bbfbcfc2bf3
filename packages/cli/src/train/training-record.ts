/**
 * The training record of a bundle, which is part of its metadata: what `inspect` shows, and what a next version is compared with. No clock
 * is in it: the same run makes the same bytes.
 */
import type { TrainedRecommender } from 'shortlist';
import type { Json, JsonObject } from 'shortlist/format';
import { bootstrapMean, type Estimate } from 'shortlist/metrics';
import type { ModelKind, Settings } from 'shortlist/recommenders';
import type { EvaluatedModel } from '../evaluate/baselines.ts';
import type { TrainArguments } from './arguments.ts';
import type { EvaluatedEvent, IndexEvent } from './events.ts';

/** The record of a training. */
export interface TrainingRecord {
  readonly model: ModelKind;
  readonly settings: Settings;
  readonly seed: number;
  readonly data: TrainingDataRecord;
  /** The users that the model was chosen by. */
  readonly validation: {
    readonly k: number;
    readonly users: number;
    readonly recall: Estimate;
    readonly trials: number;
  };
  /** The users that it was judged by. */
  readonly test: {
    readonly k: number;
    readonly users: number;
    readonly recall: Estimate;
    readonly baselines: readonly { readonly name: string; readonly recall: Estimate }[];
  };
}

/** The interactions. */
export interface TrainingDataRecord {
  readonly files: readonly string[];
  readonly rows: number;
  readonly users: number;
  readonly items: number;
  readonly like?: string;
}

/** The entry `training` of the metadata: a `TrainingRecord`, with more figures of the test part, all trials, and the index. */
export function trainingRecord(
  { seed, k }: TrainArguments,
  data: TrainingDataRecord,
  { best, trials }: TrainedRecommender,
  { model, baselines }: EvaluatedEvent,
  { kind, recall }: IndexEvent,
): JsonObject {
  return {
    model: best.model,
    settings: { ...best.settings },
    seed,
    data: { ...data, files: [...data.files] },
    validation: {
      k,
      users: best.perUser.length,
      recall: plain(bootstrapMean(Float64Array.from(best.perUser), { seed })),
      trials: trials.length,
    },
    test: { k, users: model.users, ...figuresOf(model), baselines: baselines.map(namedFigures) },
    trials: trials.map((trial) => ({ model: trial.model, settings: { ...trial.settings }, recall: trial.recall })),
    index: { kind, recall },
  };
}

function namedFigures(model: EvaluatedModel): JsonObject {
  return { name: model.name, ...figuresOf(model) };
}

function figuresOf({ metrics }: EvaluatedModel): JsonObject {
  const [first] = metrics;
  if (first === undefined) return {};
  const { recall, ndcg, reciprocalRank, coverage, longTailShare } = first;
  const all = { recall, ndcg, reciprocalRank, coverage, longTailShare };
  return Object.fromEntries(Object.entries(all).map(([name, value]): [string, Json] => [name, plain(value)]));
}

function plain({ mean, low, high }: Estimate): JsonObject {
  return { mean, low, high };
}

/** The record of a bundle; undefined where its metadata has none, or one of another form. */
export function readTrainingRecord({ training }: JsonObject): TrainingRecord | undefined {
  if (!isObject(training)) return undefined;
  const { model, settings, seed, data, validation, test } = training;
  const isRecord =
    (model === 'als' || model === 'two-tower') &&
    isObject(settings) &&
    Object.values(settings).every(Number.isFinite) &&
    Number.isFinite(seed) &&
    isObject(data) &&
    [data.rows, data.users, data.items].every(Number.isFinite) &&
    isListOf(data.files, (file) => typeof file === 'string') &&
    (data.like === undefined || typeof data.like === 'string') &&
    isObject(validation) &&
    [validation.k, validation.users, validation.trials].every(Number.isFinite) &&
    isEstimate(validation.recall) &&
    isObject(test) &&
    [test.k, test.users].every(Number.isFinite) &&
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
