/**
 * The recipe of a history tower, a model that reads the items that a user chose before (history-tower.ts). The grid has the
 * settings that were best on validation parts (docs/decisions/history-tower.md); the validation chooses the number of epochs.
 */
import type { Interactions } from '../data/interactions.ts';
import type { RetrievalDataset } from '../retrieval/dataset.ts';
import type { TwoTowerModel } from '../retrieval/model.ts';
import { type HistoryQuery, nextItemExamples } from '../retrieval/next-item-examples.ts';
import { checkedExamples } from './feature-model.ts';
import { evaluateNextItems, fitEpochs, NEXT_ITEM_EPOCHS } from './fit-epochs.ts';
import { historyIndex, historyRecommender, type ItemHistory, newHistoryModel } from './history-model.ts';
import { type Recipe, type RecipeContext, untried } from './recipe.ts';
import type { Fitted, Settings, Trial, TrialEvaluation } from './trial.ts';
import type { Validation } from './validation.ts';
import { copyKnownFeatures, type EarlierModel } from './warm-start.ts';

const BATCH_SIZE = 512;
/** The most items of a history. */
const MAX_LENGTH = 50;
const TEMPERATURE = 0.1;
const GRID: readonly Settings[] = [
  { dimensions: 64, recencyDecay: 0.6, learningRate: 0.002, temperature: TEMPERATURE },
  { dimensions: 64, recencyDecay: 0.8, learningRate: 0.002, temperature: TEMPERATURE },
  { dimensions: 128, recencyDecay: 0.6, learningRate: 0.002, temperature: TEMPERATURE },
  { dimensions: 128, recencyDecay: 0.8, learningRate: 0.002, temperature: TEMPERATURE },
  { dimensions: 64, recencyDecay: 0.9, learningRate: 0.002, temperature: TEMPERATURE },
];

/** A history tower. */
export const historyRecipe: Recipe = { candidates, cost: ({ dimensions = 64 }) => dimensions, evaluate, fit };

function candidates(tried: readonly Trial[]): Settings[] {
  return untried(GRID, tried);
}

async function evaluate(validation: Validation, settings: Settings, context: RecipeContext): Promise<TrialEvaluation> {
  const { train } = validation.split;
  const model = newModel(train, settings, context);
  const recommender = () => historyRecommender(historyIndex(model, train), train);
  const trial = { model, examples: examplesOf(train), batchSize: BATCH_SIZE, recommender };
  return evaluateNextItems(trial, settings, validation, context);
}

async function fit(
  train: Interactions,
  settings: Settings,
  context: RecipeContext,
  from?: EarlierModel,
): Promise<Fitted> {
  const model = newModel(train, settings, context);
  if (from) copyKnownFeatures(from, model);
  const { epochs, isCut } = await fitEpochs(
    model,
    examplesOf(train),
    { epochs: settings.epochs ?? NEXT_ITEM_EPOCHS.epochs, batchSize: BATCH_SIZE },
    context,
  );
  const { queryTower, candidateTower } = model;
  const index = historyIndex(model, train);
  return {
    model: { kind: 'history', queryTower, candidateTower },
    recommender: historyRecommender(index, train),
    index,
    queryOf: (_, history) => ({ history }),
    settings: { ...settings, epochs },
    isCut,
  };
}

function newModel(
  train: Interactions,
  settings: Settings,
  { seed, runtime }: RecipeContext,
): TwoTowerModel<ItemHistory, string> {
  const { dimensions = 64, recencyDecay = 0.6, temperature = TEMPERATURE, learningRate = 0.002 } = settings;
  const training = { temperature, learningRate, seed, runtime };
  return newHistoryModel(train, { dimensions, recencyDecay, maxLength: MAX_LENGTH }, training);
}

function examplesOf(train: Interactions): RetrievalDataset<HistoryQuery, string> {
  return checkedExamples(nextItemExamples(train, { maxLength: MAX_LENGTH }));
}
