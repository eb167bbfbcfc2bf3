/**
 * The recipe of two towers of identifiers: unit vectors, and in-batch softmax with a low temperature and a correction
 * for the sampling probability of the items (Yi et al. 2019). Every epoch has a new order of rows; the validation
 * chooses the number of epochs. Afterwards the tables may be smoothed over the graph of interactions
 * (retrieval/graph-smoothing.ts); the validation chooses the number of its layers, too.
 */
import type { Interactions } from '../data/interactions.ts';
import { meanOf } from '../metrics/bootstrap.ts';
import { LazyAdam } from '../optimizers/adam.ts';
import { ThroughIndex } from '../recommenders/through-index.ts';
import type { RetrievalDataset } from '../retrieval/dataset.ts';
import { smoothTowers, smoothTowersByLayers } from '../retrieval/graph-smoothing.ts';
import { TwoTowerModel } from '../retrieval/model.ts';
import { Retrieval } from '../retrieval/task.ts';
import { BruteForce } from '../topk/brute-force/brute-force.ts';
import { Tower } from '../towers/tower.ts';
import { findEpochs, fitEpochs } from './fit-epochs.ts';
import { type Recipe, type RecipeContext, untried } from './recipe.ts';
import type { Fitted, Settings, Trial, TrialEvaluation } from './trial.ts';
import type { Validation } from './validation.ts';
import { copyKnownRows, type EarlierModel } from './warm-start.ts';

/** Rows of a batch; the negatives of a row are the other rows. */
const BATCH_SIZE = 2048;
/** The most layers of the smoothing that are tried, as in the paper. */
const GRAPH_LAYERS_MAX = 4;
/** A rate with which few epochs are enough. */
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

/** Two towers. */
export const twoTowerRecipe: Recipe = { candidates, cost: ({ dimensions = 64 }) => dimensions, evaluate, fit };

function candidates(tried: readonly Trial[]): Settings[] {
  return untried(GRID, tried);
}

async function evaluate(validation: Validation, settings: Settings, context: RecipeContext): Promise<TrialEvaluation> {
  const { train } = validation.split;
  const model = newModel(train, settings, context);
  const { epochs, perUser, isCut } = await findEpochs(
    model,
    datasetOf(train),
    {
      epochs: EPOCHS_MAX,
      batchSize: BATCH_SIZE,
      patience: PATIENCE,
      evaluate: () => validation.evaluate(throughTowers(model, train)),
    },
    context,
  );
  const smoothed = bestSmoothing(model, train, (recommender) => validation.evaluate(recommender));
  const isBetter = meanOf(smoothed.perUser) > meanOf(perUser);
  return {
    settings: { ...settings, epochs, graphLayers: isBetter ? smoothed.layers : 0 },
    perUser: isBetter ? smoothed.perUser : perUser,
    isCut,
  };
}

/** The number of layers with the best recall. The tables of the model are smoothed with the last number. */
function bestSmoothing(
  model: TwoTowerModel,
  train: Interactions,
  evaluate: (recommender: ThroughIndex<string>) => Float64Array,
): { layers: number; perUser: Float64Array } {
  const tried: { layers: number; perUser: Float64Array }[] = [];
  for (const layers of smoothTowersByLayers(model.queryTower, model.candidateTower, train, GRAPH_LAYERS_MAX)) {
    tried.push({ layers, perUser: evaluate(throughTowers(model, train)) });
  }
  return tried.reduce((best, each) => (meanOf(each.perUser) > meanOf(best.perUser) ? each : best));
}

async function fit(
  train: Interactions,
  settings: Settings,
  context: RecipeContext,
  from?: EarlierModel,
): Promise<Fitted> {
  const model = newModel(train, settings, context);
  const { queryTower, candidateTower } = model;
  if (from) {
    copyKnownRows(from.queryTower!, queryTower);
    copyKnownRows(from.candidateTower!, candidateTower);
  }
  const { epochs, isCut } = await fitEpochs(
    model,
    datasetOf(train),
    { epochs: settings.epochs ?? EPOCHS_MAX, batchSize: BATCH_SIZE },
    context,
  );
  smoothTowers(queryTower, candidateTower, train, { layers: settings.graphLayers ?? 0 });
  return {
    model: { kind: 'two-tower', queryTower, candidateTower },
    recommender: throughTowers(model, train),
    queryOf: (user) => train.users.vocabulary[user]!,
    settings: { ...settings, epochs },
    isCut,
  };
}

function newModel({ users, items }: Interactions, settings: Settings, { seed, runtime }: RecipeContext): TwoTowerModel {
  const tower = (vocabulary: readonly string[], offset: number): Tower =>
    Tower.create({
      vocabulary,
      dimensions: settings.dimensions!,
      normalize: settings.unitLength === 1,
      seed: seed + offset,
      runtime,
    });
  return new TwoTowerModel({
    queryTower: tower(users.vocabulary, 0),
    candidateTower: tower(items.vocabulary, 1),
    task: new Retrieval({ temperature: settings.temperature! }),
    optimizer: new LazyAdam({ learningRate: LEARNING_RATE }),
  });
}

function datasetOf(train: Interactions): RetrievalDataset<string, string> {
  const { users, items } = train;
  const counts = new Float64Array(items.vocabulary.length);
  for (const item of items.codes) counts[item]!++;
  return {
    queries: Array.from(users.codes, (code) => users.vocabulary[code]!),
    candidates: Array.from(items.codes, (code) => items.vocabulary[code]!),
    sampleWeight: train.weights,
    candidateSamplingProbability: Float64Array.from(items.codes, (code) => counts[code]! / train.length),
  };
}

function throughTowers(
  { queryTower, candidateTower }: { queryTower: Tower; candidateTower: Tower },
  { users, items }: Interactions,
): ThroughIndex<string> {
  return new ThroughIndex<string>({
    name: 'two-tower model',
    index: twoTowerIndex(queryTower, candidateTower, [items.codes], items.vocabulary),
    itemVocabulary: items.vocabulary,
    queryOf: (user) => users.vocabulary[user]!,
  });
}

/** An exact index of the items that have at least one interaction. */
export function twoTowerIndex(
  queryTower: Tower,
  candidateTower: Tower,
  codes: readonly Iterable<number>[],
  vocabulary: readonly string[],
): BruteForce<string, string> {
  const chosen = [...new Set(codes.flatMap((part) => [...new Set(part)]))]
    .sort((a, b) => a - b)
    .map((code) => vocabulary[code]!);
  const index = new BruteForce<string, string>({ queryModel: queryTower, runtime: queryTower.runtime });
  return index.index(candidateTower.embed(chosen), chosen);
}
