/**
 * The recipe of two towers over the features of a spec: in-batch softmax over the next item with a low temperature and the
 * correction for popular items (Yi et al. 2019). The validation chooses the number of epochs and, where the spec gives none,
 * the learning rate.
 */
import { assert } from '../checks/assert.ts';
import type { Interactions } from '../data/interactions.ts';
import {
  type FeatureModelData,
  FeatureRows,
  featureExamples,
  featureIndex,
  featureRecommender,
  learnModelFeatures,
  newFeatureModel,
  type RawFeatures,
} from './feature-model.ts';
import { evaluateNextItems, fitEpochs, NEXT_ITEM_EPOCHS } from './fit-epochs.ts';
import { type Recipe, type RecipeContext, type SearchStart, untried } from './recipe.ts';
import type { Fitted, Settings, Trial, TrialEvaluation } from './trial.ts';
import type { Validation } from './validation.ts';
import { copyKnownFeatures, type EarlierModel } from './warm-start.ts';

const DIMENSIONS = 64;
const TEMPERATURE = 0.1;
const BATCH_SIZE = 512;
/** The best learning rates of history tower on two data sets (docs/decisions/history-tower.md). */
const LEARNING_RATES: readonly number[] = [0.005, 0.002];

/** Two towers over features. */
export const featureRecipe: Recipe = { candidates, cost: () => 1, evaluate, fit };

function candidates(tried: readonly Trial[], { features }: SearchStart): Settings[] {
  const { dimensions = DIMENSIONS, temperature = TEMPERATURE, learningRate } = checked(features).spec;
  const rates = learningRate === undefined ? LEARNING_RATES : [learningRate];
  return untried(
    rates.map((rate) => ({ dimensions, temperature, learningRate: rate })),
    tried,
  );
}

async function evaluate(validation: Validation, settings: Settings, context: RecipeContext): Promise<TrialEvaluation> {
  const { train } = validation.split;
  const parts = newParts(train, settings, context);
  const trial = { ...parts, recommender: () => recommenderOf(train, parts) };
  return evaluateNextItems(trial, settings, validation, context);
}

async function fit(
  train: Interactions,
  settings: Settings,
  context: RecipeContext,
  from?: EarlierModel,
): Promise<Fitted> {
  const parts = newParts(train, settings, context);
  const { queryTower, candidateTower } = parts.model;
  if (from) copyKnownFeatures(from, { queryTower, candidateTower });
  const { epochs, isCut } = await fitEpochs(
    parts.model,
    parts.examples,
    { epochs: settings.epochs ?? NEXT_ITEM_EPOCHS.epochs, batchSize: parts.batchSize },
    context,
  );
  const recommender = recommenderOf(train, parts);
  return {
    model: { kind: 'features', queryTower, candidateTower },
    recommender,
    index: indexOf(train, parts),
    queryOf: parts.queryOf,
    settings: { ...settings, epochs },
    isCut,
  };
}

interface Parts {
  readonly model: ReturnType<typeof newFeatureModel<RawFeatures, RawFeatures>>;
  readonly examples: ReturnType<typeof featureExamples>;
  readonly batchSize: number;
  readonly queryOf: (user: number, history: readonly string[]) => RawFeatures;
  readonly candidateOf: (item: number) => RawFeatures;
}

function newParts(train: Interactions, settings: Settings, { features, seed, runtime }: RecipeContext): Parts {
  const data = checked(features);
  const { spec } = data;
  const learned = learnModelFeatures(train, data, seed);
  const { temperature, learningRate } = settings as { temperature: number; learningRate: number };
  const model = newFeatureModel<RawFeatures, RawFeatures>(learned, spec, { temperature, learningRate, seed, runtime });
  const rows = new FeatureRows(train, data);
  return {
    model,
    examples: featureExamples(train, spec, rows),
    batchSize: spec.batchSize ?? BATCH_SIZE,
    queryOf: (user, history) => rows.query(user, history),
    candidateOf: (item) => rows.candidate(item),
  };
}

const indexOf = (
  train: Interactions,
  { model, candidateOf }: Parts,
): ReturnType<typeof featureIndex<RawFeatures, RawFeatures>> => featureIndex(model, train, candidateOf);

const recommenderOf = (train: Interactions, parts: Parts): ReturnType<typeof featureRecommender<RawFeatures>> =>
  featureRecommender('feature model', indexOf(train, parts), train, parts.queryOf);

function checked(features: FeatureModelData | undefined): FeatureModelData {
  assert(features !== undefined, 'the recipe of features has no spec');
  return features;
}
