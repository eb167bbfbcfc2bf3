/**
 * Two towers of identifiers as a recipe: unit vectors, in-batch softmax at a low temperature, corrected for how often an
 * item stands in a batch (Yi et al. 2019), every epoch in a new order, the epoch chosen by validation.
 */
import type { Interactions } from '../data/interactions.ts';
import type { InteractionSplit } from '../data/split.ts';
import { meanOf } from '../metrics/bootstrap.ts';
import { judgeUsers } from '../metrics/user-figures.ts';
import { Adam } from '../optimizers/adam.ts';
import { ThroughIndex } from '../recommenders/through-index.ts';
import { FitAbortedError } from '../retrieval/checkpoint.ts';
import { TwoTowerModel } from '../retrieval/model.ts';
import { Retrieval } from '../retrieval/task.ts';
import { BruteForce } from '../topk/brute-force/brute-force.ts';
import { Tower } from '../towers/tower.ts';
import type { RecipeContext } from './als-recipe.ts';
import { sameSettings } from './als-recipe.ts';
import type { Fitted, Settings, Trial } from './trial.ts';
import { copyKnownRows } from './warm-start.ts';

/** Rows of a batch: negatives of a row are the others. */
const BATCH_SIZE = 2048;
/** An epoch takes so many steps of this rate that few epochs are enough. */
const LEARNING_RATE = 0.01;
/** The most epochs; a trial ends after `PATIENCE` in a row without a better recall. */
const EPOCHS_MAX = 30;
const PATIENCE = 3;
const GRID: readonly Settings[] = [
  { dimensions: 64, temperature: 0.1, unitLength: 1 },
  { dimensions: 64, temperature: 0.2, unitLength: 1 },
  { dimensions: 64, temperature: 0.05, unitLength: 1 },
  { dimensions: 32, temperature: 0.1, unitLength: 1 },
  { dimensions: 32, temperature: 1, unitLength: 0 },
  { dimensions: 128, temperature: 0.1, unitLength: 1 },
];

/** The next settings to try; none: done. */
export function nextTwoTowerSettings(tried: readonly Trial[]): Settings | undefined {
  return GRID.find((settings) => !tried.some((trial) => sameSettings(withoutEpochs(trial.settings), settings)));
}

function withoutEpochs({ epochs: _, ...settings }: Settings): Settings {
  return settings;
}

/** What a trial costs beside one of other settings. */
export function twoTowerCost({ dimensions = 64 }: Settings): number {
  return dimensions;
}

/** What epochs are judged by. */
export interface TowerValidation {
  readonly split: InteractionSplit;
  readonly k: number;
  /** Asked after every step; a trial that is over counts as its best epoch, or as one where not even that was whole. */
  readonly isOver: () => boolean;
}

/**
 * Fit two towers.
 *
 * @param validation judged after every epoch: the best number of epochs is among the settings that come back, with the recalls
 * that it reached; the towers are those of the last. Without it `settings.epochs` says how many
 */
export async function fitTwoTowerRecipe(
  train: Interactions,
  settings: Settings,
  { seed, runtime, signal, from }: RecipeContext,
  validation?: TowerValidation,
): Promise<Fitted> {
  const tower = (vocabulary: readonly string[], offset: number): Tower =>
    Tower.create({
      vocabulary,
      dimensions: settings.dimensions!,
      normalize: settings.unitLength === 1,
      seed: seed + offset,
      runtime,
    });
  const { users, items } = train;
  const towers = { queryTower: tower(users.vocabulary, 0), candidateTower: tower(items.vocabulary, 1) };
  if (from) {
    copyKnownRows(from.queryTower!, towers.queryTower);
    copyKnownRows(from.candidateTower!, towers.candidateTower);
  }
  const model = new TwoTowerModel({
    ...towers,
    task: new Retrieval({ temperature: settings.temperature! }),
    optimizer: new Adam({ learningRate: LEARNING_RATE }),
  });
  const counts = new Float64Array(items.vocabulary.length);
  for (const item of items.codes) counts[item]!++;
  const dataset = {
    queries: Array.from(users.codes, (code) => users.vocabulary[code]!),
    candidates: Array.from(items.codes, (code) => items.vocabulary[code]!),
    sampleWeight: train.weights,
    candidateSamplingProbability: Float64Array.from(items.codes, (code) => counts[code]! / train.length),
  };
  const best = { recall: -1, epochs: 0, perUser: new Float64Array(0) };
  const judge = (epoch: number): void => {
    const { figures } = judgeUsers(throughTowers(model, train), validation!.split, [validation!.k]);
    const perUser = figures[0]!.recall;
    const recall = meanOf(perUser);
    if (recall > best.recall) Object.assign(best, { recall, epochs: epoch, perUser });
  };
  const enough = new AbortController();
  const stop = signal ? AbortSignal.any([signal, enough.signal]) : enough.signal;
  try {
    await model.fit(dataset, {
      epochs: settings.epochs ?? EPOCHS_MAX,
      batchSize: BATCH_SIZE,
      shuffle: true,
      seed,
      signal: stop,
      onProgress: () => {
        if (validation?.isOver()) enough.abort();
      },
      onEpochEnd: ({ epoch }) => {
        if (!validation) return;
        judge(epoch);
        if (epoch - best.epochs >= PATIENCE) enough.abort();
      },
    });
  } catch (error) {
    if (!(error instanceof FitAbortedError) || !enough.signal.aborted || signal?.aborted) throw error;
  }
  if (validation && best.epochs === 0) judge(1);
  const { queryTower, candidateTower } = model;
  return {
    model: { kind: 'two-tower', queryTower, candidateTower },
    recommender: throughTowers(model, train),
    settings: validation ? { ...settings, epochs: best.epochs } : settings,
    perUser: validation && best.perUser,
  };
}

function throughTowers(
  { queryTower, candidateTower }: { queryTower: Tower; candidateTower: Tower },
  { users, items }: Interactions,
): ThroughIndex<string> {
  return new ThroughIndex<string>({
    name: 'two towers',
    index: twoTowerIndex(queryTower, candidateTower, items.codes, items.vocabulary),
    itemVocabulary: items.vocabulary,
    queryOf: (user) => users.vocabulary[user]!,
  });
}

/** An exact index of the items that were chosen at all. */
export function twoTowerIndex(
  queryTower: Tower,
  candidateTower: Tower,
  codes: Int32Array,
  vocabulary: readonly string[],
): BruteForce<string, string> {
  const chosen = [...new Set(codes)].sort((a, b) => a - b).map((code) => vocabulary[code]!);
  const index = new BruteForce<string, string>({ queryModel: queryTower, runtime: queryTower.runtime });
  return index.index(candidateTower.embed(chosen), chosen);
}
