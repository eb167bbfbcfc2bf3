/**
 * One fit with given settings: the last step of a search, and the fit on all interactions after the evaluation of a
 * model.
 */
import { checkArgument } from '../checks/arguments.ts';
import { checkOneOf, checkPositive } from '../checks/numbers.ts';
import { FUNCTION, NUMBER, OBJECT, objectWith, optionsCheck, SIGNAL } from '../checks/options.ts';
import { checkInteractions, type Interactions } from '../data/interactions.ts';
import type { StringLookup } from '../embeddings/string-lookup.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import type { Recommender } from '../recommenders/contract.ts';
import { type Clock, systemClock } from '../retrieval/pauses.ts';
import type { BruteForce } from '../topk/brute-force/brute-force.ts';
import { alsIndex } from './als-recipe.ts';
import { RECIPES } from './search.ts';
import type { ChosenModel, Fitted, FittedModel, Settings } from './trial.ts';
import { twoTowerIndex } from './two-tower-recipe.ts';
import { type EarlierModel, earlierLookups, withEarlierWords } from './warm-start.ts';

/** Options of `fitRecommender`. */
export interface FitRecommenderOptions {
  /** The fit ends after this many seconds, but not before four iterations or one step; default: no limit. */
  budgetSeconds?: number;
  /**
   * An earlier model of the same kind and width, for example from its bundle. Words that it knows start from its rows,
   * and new words are added to its vocabularies. `settings.iterations` or `epochs` are then those of this fit.
   */
  from?: EarlierModel | undefined;
  /** Default 42. */
  seed?: number;
  runtime?: Runtime;
  /** Stops the fit with an `AbortedError`. */
  signal?: AbortSignal | undefined;
  clock?: Clock;
}

/** A fitted model, with an index and a recommender to query it. */
export interface FittedRecommender {
  readonly model: FittedModel;
  /** The settings, with the iterations or epochs that were run. */
  readonly settings: Settings;
  /** True where the budget ended the fit before all iterations or epochs. */
  readonly isFitCut: boolean;
  /** An exact index of the items, queried by the identifiers of users; the `queryModel` of ALS also takes histories. */
  readonly index: BruteForce<string, string>;
  /** The same index as a recommender for the evaluation. */
  readonly recommender: Recommender;
}

const checkOptions = optionsCheck<FitRecommenderOptions>('fitRecommender', {
  budgetSeconds: NUMBER,
  from: OBJECT,
  seed: NUMBER,
  runtime: RUNTIME,
  signal: SIGNAL,
  clock: FUNCTION,
});

/**
 * Fit a model that `trainRecommender` chose, such as its `best`, on other interactions.
 *
 * @throws {ShapeError} when there is no interaction
 * @throws {OptionError} when there is no such model, or `from` is of another kind or width, or has compressed tables
 * @throws {AbortedError} when the signal is raised
 */
export async function fitRecommender(
  interactions: Interactions,
  chosen: ChosenModel,
  options: FitRecommenderOptions = {},
): Promise<FittedRecommender> {
  checkInteractions(interactions);
  checkArgument('chosen', chosen, objectWith('a model and its settings', 'model', 'settings'));
  const { model, settings } = chosen;
  const {
    budgetSeconds,
    from,
    seed = 42,
    runtime = defaultRuntime(),
    signal,
    clock = systemClock,
  } = checkOptions(options);
  checkOneOf('model', model, ['als', 'two-tower']);
  if (budgetSeconds !== undefined) checkPositive('budgetSeconds', budgetSeconds);
  const start = clock();
  const isOver = (): boolean => budgetSeconds !== undefined && clock() - start > 1000 * budgetSeconds;
  const lookups = from && earlierLookups(model, from);
  const rows = lookups ? withEarlierWords(interactions, lookups) : interactions;
  const fitted = await RECIPES[model].fit(rows, settings, { seed, runtime, signal, isOver }, from);
  return fittedRecommender(fitted, rows, lookups?.[1]);
}

/** The result of a fit, with its index. Items that an earlier model knows stay candidates even without an interaction. */
export function fittedRecommender(
  { model, settings, recommender, isCut }: Fitted,
  { items }: Interactions,
  earlierItems?: StringLookup,
): FittedRecommender {
  // Words of an earlier model come first.
  const kept = Array.from({ length: earlierItems?.vocabulary.length ?? 0 }, (_, code) => code);
  const index =
    model.kind === 'als'
      ? alsIndex(model)
      : twoTowerIndex(model.queryTower, model.candidateTower, [kept, items.codes], items.vocabulary);
  return { model, settings, isFitCut: isCut, index, recommender };
}
