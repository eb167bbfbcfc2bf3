/**
 * A two-tower model that reads histories: the query is the list of items that a user chose before. So the model needs
 * no new training to serve users who are not in the training data, or who have chosen more items since.
 *
 *   query(h) = u / |u|,  u = W·Σ_j decayʲ · E[h_{n−j}] + b;   candidate(i) = v / |v|,  v = W'·E[i] + b'
 *
 * The items of histories and the candidates share one table E; W and W' begin as 1, b and b' as 0. The loss is in-batch softmax over the next item of every
 * position (nextItemExamples) with a low temperature and the correction for popular items (Yi et al. 2019).
 *
 * Figures and settings that were tried: docs/decisions/history-tower.md.
 * Limits: users with the same history get the same results; so do all users without a history.
 */
import { checkInteger, checkNumber, checkPositive } from '../checks/numbers.ts';
import { NUMBER, optionsCheck, SIGNAL } from '../checks/options.ts';
import { checkInteractions, type Interactions } from '../data/interactions.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import type { ThroughIndex } from '../recommenders/through-index.ts';
import type { RetrievalDataset } from '../retrieval/dataset.ts';
import { type HistoryQuery, nextItemExamples } from '../retrieval/next-item-examples.ts';
import { systemClock } from '../retrieval/pauses.ts';
import type { BruteForce } from '../topk/brute-force/brute-force.ts';
import type { Tower } from '../towers/tower.ts';
import { checkedExamples } from './feature-model.ts';
import { findEpochs, fitEpochs } from './fit-epochs.ts';
import { historyIndex, historyRecommender, type ItemHistory, newHistoryModel } from './history-model.ts';
import { Validation, validationSplit } from './validation.ts';

/** Options of `fitHistoryTower`. */
export interface HistoryTowerOptions {
  /** Width of the vectors; default 64. */
  dimensions?: number;
  /** The weight of an item of a history divided by the weight of the next item, above 0 and at most 1; default 0.6. */
  recencyDecay?: number;
  /** The most items of a history; the latest are kept. Default 50. */
  maxLength?: number;
  /** The temperature of the softmax; default 0.1. */
  temperature?: number;
  /** The learning rate of Adam; default 0.002. */
  learningRate?: number;
  /** Examples of a batch; the negatives of an example are the others. Default 512. */
  batchSize?: number;
  /** Default: the number, at most 20, that has the best recall@k for held-out last items of users. */
  epochs?: number;
  /** The k of that recall; default 10. */
  k?: number;
  /** Default 42. */
  seed?: number;
  runtime?: Runtime;
  /** Stops the fit with an `AbortedError`. */
  signal?: AbortSignal | undefined;
}

/** A fitted model. */
export interface FittedHistoryTower {
  readonly queryTower: Tower<ItemHistory>;
  readonly candidateTower: Tower<string>;
  /** An exact index of the items that have an interaction; its queries are histories. */
  readonly index: BruteForce<ItemHistory, string>;
  /** The same index as a recommender for the evaluation. */
  readonly recommender: ThroughIndex<ItemHistory>;
  /** The epochs of the fit. */
  readonly epochs: number;
  /** The mean recall@k on the part that was held out to choose the epochs; undefined where `epochs` was given. */
  readonly validationRecall: number | undefined;
}

/** The most epochs that are tried; on all data sets that were tried, the best number was below 14. */
const EPOCHS_MAX = 20;
/** Epochs in a row without a better recall after which no more are tried. */
const PATIENCE = 3;

const checkOptions = optionsCheck<HistoryTowerOptions>('fitHistoryTower', {
  dimensions: NUMBER,
  recencyDecay: NUMBER,
  maxLength: NUMBER,
  temperature: NUMBER,
  learningRate: NUMBER,
  batchSize: NUMBER,
  epochs: NUMBER,
  k: NUMBER,
  seed: NUMBER,
  runtime: RUNTIME,
  signal: SIGNAL,
});

type Filled = Required<Omit<HistoryTowerOptions, 'epochs' | 'signal' | 'k'>>;

/**
 * Fit a history tower.
 *
 * @throws {OptionError} when an option is unknown or out of range
 * @throws {ShapeError} when no user has two different items, or three where the epochs are chosen
 * @throws {AbortedError} when the signal is raised
 */
export async function fitHistoryTower(
  interactions: Interactions,
  options: HistoryTowerOptions = {},
): Promise<FittedHistoryTower> {
  checkInteractions(interactions);
  const { epochs, signal, k = 10, ...given } = checkOptions(options);
  const filled = fill(given);
  checkInteger('k', k, 1);
  if (epochs !== undefined) checkInteger('epochs', epochs, 1);
  const { seed, runtime, batchSize, maxLength } = filled;
  const context = { seed, runtime, signal, isOver: () => false };
  let chosen = epochs;
  let validationRecall: number | undefined;
  if (chosen === undefined) {
    const validation = new Validation(validationSplit(interactions, seed), k, systemClock);
    const { train } = validation.split;
    const model = newHistoryModel(train, filled, filled);
    const evaluate = (): Float64Array => validation.evaluate(historyRecommender(historyIndex(model, train), train));
    const search = { epochs: EPOCHS_MAX, batchSize, patience: PATIENCE, evaluate };
    const found = await findEpochs(model, examplesOf(train, maxLength), search, context);
    chosen = found.epochs;
    validationRecall = found.perUser.reduce((sum, recall) => sum + recall, 0) / found.perUser.length;
  }
  const model = newHistoryModel(interactions, filled, filled);
  await fitEpochs(model, examplesOf(interactions, maxLength), { epochs: chosen, batchSize }, context);
  const { queryTower, candidateTower } = model;
  const index = historyIndex(model, interactions);
  const recommender = historyRecommender(index, interactions);
  return { queryTower, candidateTower, index, recommender, epochs: chosen, validationRecall };
}

function examplesOf(interactions: Interactions, maxLength: number): RetrievalDataset<HistoryQuery, string> {
  return checkedExamples(nextItemExamples(interactions, { maxLength }));
}

function fill(options: Omit<HistoryTowerOptions, 'epochs' | 'signal' | 'k'>): Filled {
  const { dimensions = 64, recencyDecay = 0.6, maxLength = 50, temperature = 0.1, learningRate = 0.002 } = options;
  const { batchSize = 512, seed = 42, runtime = defaultRuntime() } = options;
  checkInteger('dimensions', dimensions, 1);
  checkPositive('recencyDecay', recencyDecay);
  checkNumber('recencyDecay', recencyDecay, 0, 1);
  checkInteger('maxLength', maxLength, 1);
  checkPositive('temperature', temperature);
  checkPositive('learningRate', learningRate);
  checkInteger('batchSize', batchSize, 1);
  return { dimensions, recencyDecay, maxLength, temperature, learningRate, batchSize, seed, runtime };
}
