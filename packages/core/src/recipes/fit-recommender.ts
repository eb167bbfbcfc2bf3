/** One fit with settings that are known: the last step of a search, and the fit on everything after the model was judged. */
import { NUMBER, OBJECT, optionsCheck, SIGNAL } from '../checks/options.ts';
import type { Interactions } from '../data/interactions.ts';
import type { StringLookup } from '../embeddings/string-lookup.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import type { Recommender } from '../recommenders/contract.ts';
import type { BruteForce } from '../topk/brute-force/brute-force.ts';
import { alsIndex, fitAlsRecipe } from './als-recipe.ts';
import type { ChosenModel, FittedModel, Settings } from './trial.ts';
import { fitTwoTowerRecipe, twoTowerIndex } from './two-tower-recipe.ts';
import { type EarlierModel, earlierLookups, withEarlierWords } from './warm-start.ts';

/** Options of `fitRecommender`. */
export interface FitRecommenderOptions {
  /** Default 42. */
  seed?: number;
  runtime?: Runtime;
  /**
   * An earlier model of the same kind and width, as its bundle has it: words that it knows keep their rows and go on from
   * them, and its vocabularies grow by the new ones. `settings.iterations` or `epochs` are then those of this fit.
   */
  from?: EarlierModel | undefined;
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
  from: OBJECT,
  signal: SIGNAL,
});

/**
 * Fit a model that `trainRecommender` chose, such as its `best`, on other interactions.
 *
 * @throws {ShapeError} when there is no interaction
 * @throws {OptionError} when `from` is of another kind or width, or has compressed tables
 * @throws {AbortedError} when the signal is raised
 */
export async function fitRecommender(
  interactions: Interactions,
  { model: kind, settings }: ChosenModel,
  options: FitRecommenderOptions = {},
): Promise<FittedRecommender> {
  const { seed = 42, runtime = defaultRuntime(), from, signal } = checkOptions(options);
  const lookups = from && earlierLookups(kind, from);
  const rows = lookups ? withEarlierWords(interactions, lookups) : interactions;
  const fit = kind === 'als' ? fitAlsRecipe : fitTwoTowerRecipe;
  const { model, recommender } = await fit(rows, settings, { seed, runtime, signal, from });
  return { model, settings, index: indexOf(model, rows, lookups?.[1]), recommender };
}

function indexOf(model: FittedModel, { items }: Interactions, earlier?: StringLookup): BruteForce<string, string> {
  if (model.kind === 'als') return alsIndex(model) as unknown as BruteForce<string, string>;
  // Words of an earlier model come first, and stay candidates without an interaction.
  const kept = Int32Array.from({ length: earlier?.vocabulary.length ?? 0 }, (_, code) => code);
  const codes = new Int32Array(kept.length + items.codes.length);
  codes.set(kept);
  codes.set(items.codes, kept.length);
  return twoTowerIndex(model.queryTower, model.candidateTower, codes, items.vocabulary);
}
