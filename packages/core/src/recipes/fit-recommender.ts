/**
 * One fit with given settings: the last step of a search, and the fit on all interactions after the evaluation of a
 * model.
 */
import { checkArgument } from '../checks/arguments.ts';
import { checkOneOf, checkPositive } from '../checks/numbers.ts';
import { FUNCTION, NUMBER, OBJECT, objectWith, optionsCheck, required, SIGNAL } from '../checks/options.ts';
import { checkInteractions, type Interactions } from '../data/interactions.ts';
import type { StringLookup } from '../embeddings/string-lookup.ts';
import { OptionError } from '../errors/errors.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import type { Recommender } from '../recommenders/contract.ts';
import { type Clock, systemClock } from '../retrieval/pauses.ts';
import { LOG, type TrainingLog } from '../retrieval/training-log.ts';
import type { BruteForce } from '../topk/brute-force/brute-force.ts';
import type { Features } from '../towers/tower-inputs.ts';
import { alsIndex } from './als-recipe.ts';
import type { FeatureModelData } from './feature-model.ts';
import { checkFeatureModelSpec } from './feature-model-spec.ts';
import { RECIPES } from './search.ts';
import {
  type ChosenModel,
  type Fitted,
  type FittedModel,
  MODEL_KINDS,
  type ModelKind,
  type Settings,
} from './trial.ts';
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
  /** Takes a record of each step and epoch of two towers. */
  log?: TrainingLog | undefined;
  /** The spec and the values of a model over features. */
  features?: FeatureModelData | undefined;
}

/** A fitted model, with an index and a recommender to query it. */
export interface FittedRecommender {
  readonly model: FittedModel;
  /** The settings, with the iterations or epochs that were run. */
  readonly settings: Settings;
  /** True where the budget ended the fit before all iterations or epochs. */
  readonly isFitCut: boolean;
  /**
   * An exact index of the items, queried by the identifiers of users, or by the features of a model over features; the
   * `queryModel` of ALS also takes histories.
   */
  readonly index: BruteForce<Features, string>;
  /**
   * The query of a user for the index.
   *
   * @param user the code of the user in the interactions of the fit
   * @param history the items that the user chose before, the earliest first; only models over features read it
   */
  readonly queryOf: (user: number, history: readonly string[]) => Features;
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
  log: LOG,
  features: OBJECT,
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
    features,
    log,
  } = checkOptions(options);
  checkOneOf('model', model, MODEL_KINDS);
  const data = checkModelData(model, features);
  if (budgetSeconds !== undefined) checkPositive('budgetSeconds', budgetSeconds);
  const start = clock();
  const isOver = (): boolean => budgetSeconds !== undefined && clock() - start > 1000 * budgetSeconds;
  const lookups = from && earlierLookups(model, from);
  const rows = lookups ? withEarlierWords(interactions, lookups) : interactions;
  log?.onFitStart(chosen);
  const context = { seed, runtime, signal, isOver, features: data, log };
  const fitted = await RECIPES[model].fit(rows, settings, context, from);
  return fittedRecommender(fitted, rows, lookups?.[1]);
}

/** The result of a fit, with its index. Items that an earlier model knows stay candidates even without an interaction. */
export function fittedRecommender(
  { model, settings, recommender, queryOf, isCut, ...fitted }: Fitted,
  { items }: Interactions,
  earlierItems?: StringLookup,
): FittedRecommender {
  // Words of an earlier model come first.
  const kept = Array.from({ length: earlierItems?.vocabulary.length ?? 0 }, (_, code) => code);
  const made =
    model.kind === 'als'
      ? alsIndex(model)
      : model.kind === 'two-tower'
        ? twoTowerIndex(model.queryTower, model.candidateTower, [kept, items.codes], items.vocabulary)
        : fitted.index!;
  // The queries of an index are what `queryOf` returns.
  const index = made as BruteForce<Features, string>;
  return { model, settings, isFitCut: isCut, index, queryOf, recommender };
}

const checkData = optionsCheck<FeatureModelData>('features', {
  spec: required(OBJECT),
  userFields: OBJECT,
  itemFields: OBJECT,
});

/**
 * Check that data for a model over features are given for that kind alone, and their spec.
 *
 * @throws {OptionError} when they do not fit
 */
export function checkModelData(
  model: ModelKind | 'auto',
  features: FeatureModelData | undefined,
): FeatureModelData | undefined {
  if ((model === 'features') !== (features !== undefined)) {
    throw new OptionError(
      model === 'features'
        ? 'features: expected the spec of a model over features, got none'
        : `features: expected none with the model ${model}, got a spec`,
    );
  }
  return features && { ...features, spec: checkFeatureModelSpec(checkData(features).spec) };
}
