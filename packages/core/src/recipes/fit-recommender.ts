/** One fit with settings that are known: the last step of a search, and the fit on everything after the model was judged. */
import { NUMBER, optionsCheck, SIGNAL } from '../checks/options.ts';
import type { Interactions } from '../data/interactions.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import type { Recommender } from '../recommenders/contract.ts';
import type { BruteForce } from '../topk/brute-force/brute-force.ts';
import { alsIndex, fitAlsRecipe } from './als-recipe.ts';
import type { ChosenModel, FittedModel, Settings } from './trial.ts';
import { fitTwoTowerRecipe, twoTowerIndex } from './two-tower-recipe.ts';

/** Options of `fitRecommender`. */
export interface FitRecommenderOptions {
  /** Default 42. */
  seed?: number;
  runtime?: Runtime;
  /** Stops the fit with an `AbortedError`. */
  signal?: AbortSignal | undefined;
}

/** A model that was fitted, and the ways to ask it. */
export interface FittedRecommender {
  readonly model: FittedModel;
  readonly settings: Settings;
  /** An exact index of the items, asked with the identifiers of users (and, of ALS, with histories). */
  readonly index: BruteForce<string, string>;
  /** The same index as the evaluation asks it. */
  readonly recommender: Recommender;
}

const checkOptions = optionsCheck<FitRecommenderOptions>('fitRecommender', {
  seed: NUMBER,
  runtime: RUNTIME,
  signal: SIGNAL,
});

/**
 * Fit a model that `trainRecommender` chose, such as its `best`, on other interactions.
 *
 * @throws {ShapeError} when there is no interaction
 * @throws {AbortedError} when the signal is raised
 */
export async function fitRecommender(
  interactions: Interactions,
  { model: kind, settings }: ChosenModel,
  options: FitRecommenderOptions = {},
): Promise<FittedRecommender> {
  const { seed = 42, runtime = defaultRuntime(), signal } = checkOptions(options);
  const fit = kind === 'als' ? fitAlsRecipe : fitTwoTowerRecipe;
  const { model, recommender } = await fit(interactions, settings, { seed, runtime, signal });
  return { model, settings, index: indexOf(model, interactions), recommender };
}

function indexOf(model: FittedModel, { items }: Interactions): BruteForce<string, string> {
  if (model.kind === 'als') return alsIndex(model) as unknown as BruteForce<string, string>;
  return twoTowerIndex(model.queryTower, model.candidateTower, items.codes, items.vocabulary);
}
