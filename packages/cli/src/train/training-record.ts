/** How a bundle was trained, as its metadata keeps it: what `inspect` shows, and what a next version is compared with. */
import type { TrainedRecommender } from 'shortlist';
import type { Json, JsonObject } from 'shortlist/format';
import { bootstrapMean, type Estimate } from 'shortlist/metrics';
import type { JudgedModel } from '../evaluate/judge.ts';
import type { TrainArguments } from './arguments.ts';
import type { IndexEvent, JudgedEvent } from './events.ts';

/** The entry `training` of the metadata. No clock is in it: the same run makes the same bytes. */
export function trainingRecord(
  { seed, k }: TrainArguments,
  data: JsonObject,
  { best, trials }: TrainedRecommender,
  { model, baselines }: JudgedEvent,
  { kind, recall }: IndexEvent,
): JsonObject {
  return {
    model: best.model,
    settings: { ...best.settings },
    seed,
    data,
    validation: {
      k,
      users: best.perUser.length,
      recall: plain(bootstrapMean(Float64Array.from(best.perUser), { seed })),
      trials: trials.map((trial) => ({ model: trial.model, settings: { ...trial.settings }, recall: trial.recall })),
    },
    test: { k, users: model.users, ...figuresOf(model), baselines: baselines.map(namedFigures) },
    index: { kind, recall },
  };
}

function namedFigures(model: JudgedModel): JsonObject {
  return { name: model.name, ...figuresOf(model) };
}

function figuresOf({ metrics }: JudgedModel): JsonObject {
  const [first] = metrics;
  if (first === undefined) return {};
  const { recall, ndcg, reciprocalRank, coverage, longTailShare } = first;
  const all = { recall, ndcg, reciprocalRank, coverage, longTailShare };
  return Object.fromEntries(Object.entries(all).map(([name, value]): [string, Json] => [name, plain(value)]));
}

function plain({ mean, low, high }: Estimate): JsonObject {
  return { mean, low, high };
}
