/**
 * Trains a recommender on interactions without settings. A search tries settings of implicit ALS and of two towers on a
 * validation part within a budget of time (search.ts). The model with the best validation recall is then fitted on all
 * interactions.
 *
 * All random numbers come from the seed. On a slower machine a budget in seconds allows fewer trials. The result lists
 * the trials; a later run that gets them does not run them again.
 */
import { throwIfAborted } from '../checks/abort.ts';
import { checkInteger, checkOneOf, checkPositive } from '../checks/numbers.ts';
import { FUNCTION, LIST, NUMBER, OBJECT, optionsCheck, SIGNAL, STRING } from '../checks/options.ts';
import { checkInteractions, type Interactions } from '../data/interactions.ts';
import type { InteractionSplit } from '../data/split.ts';
import { ShapeError } from '../errors/errors.ts';
import { bootstrapDifference, type Estimate } from '../metrics/bootstrap.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { type Clock, systemClock } from '../retrieval/pauses.ts';
import { LOG, type TrainingLog } from '../retrieval/training-log.ts';
import type { FeatureModelData } from './feature-model.ts';
import { fingerprintOf } from './fingerprint.ts';
import { checkModelData, type FittedRecommender, fittedRecommender } from './fit-recommender.ts';
import { bestOf } from './recipe.ts';
import { RECIPES, Search } from './search.ts';
import { type ChosenModel, MODEL_KINDS, type ModelKind, type Trial } from './trial.ts';
import { Validation, validationSplit } from './validation.ts';

/** Options of `trainRecommender`. */
export interface TrainRecommenderOptions {
  /** The model to try; default 'auto': implicit ALS and two towers of identifiers. 'features' needs `features`. */
  model?: ModelKind | 'auto';
  /** Try only these settings. Iterations and half-life, or epochs, are searched where the settings do not have them. */
  only?: ChosenModel | undefined;
  /**
   * Seconds for the search and the last fit; default 300. Each model is tried at least once, with at least four
   * iterations of ALS or one step of the towers, and evaluated. A budget that is too small for this is exceeded.
   */
  budgetSeconds?: number;
  /** The k of the validation recall@k; default 10. */
  k?: number;
  /**
   * Default: the last item of as many users as can be evaluated quickly is held out; where there are few users, their
   * last two or three.
   */
  validation?: InteractionSplit;
  /** Default 42. */
  seed?: number;
  runtime?: Runtime;
  /** Called before every trial. */
  onTrialStart?: (next: ChosenModel) => void;
  /** Called after every trial. */
  onTrial?: (trial: Trial) => void;
  /** Trials of an interrupted run: those of the same data, validation part, k and seed are not run again. */
  trials?: readonly Trial[];
  /** Ends the search with an `AbortedError`. A later run can continue from the trials that `onTrial` received. */
  signal?: AbortSignal | undefined;
  clock?: Clock;
  /** Takes a record of each step and epoch of two towers, in trials and in the last fit. */
  log?: TrainingLog | undefined;
  /** The spec and the values of a model over features. */
  features?: FeatureModelData | undefined;
}

/** A model fitted on all interactions, and the results of the search. */
export interface TrainedRecommender extends FittedRecommender {
  /** In the order in which they were run. */
  readonly trials: readonly Trial[];
  /** The number of given trials that were ignored, because their data or options differ. */
  readonly ignoredTrials: number;
  readonly best: Trial;
  /** The best trial of the other model, and the difference between the best recall and its recall for the same users. */
  readonly other: { readonly trial: Trial; readonly difference: Estimate } | undefined;
  /**
   * False if the search ended before all settings were tried, because of the budget or because a model was far behind
   * the other.
   */
  readonly isSearchComplete: boolean;
  readonly seconds: number;
}

const checkOptions = optionsCheck<TrainRecommenderOptions>('trainRecommender', {
  model: STRING,
  only: OBJECT,
  budgetSeconds: NUMBER,
  k: NUMBER,
  validation: OBJECT,
  seed: NUMBER,
  runtime: RUNTIME,
  onTrialStart: FUNCTION,
  onTrial: FUNCTION,
  trials: LIST,
  signal: SIGNAL,
  clock: FUNCTION,
  log: LOG,
  features: OBJECT,
});

/**
 * The share of the budget that trials and the last fit may take: each ends after a whole iteration only, which took up to 5 % of five
 * minutes on a loaded machine.
 */
const SPENT_SHARE = 0.93;

/**
 * Search for the best model and settings, and fit a recommender with them.
 *
 * @throws {ShapeError} when no user has enough interactions for the validation
 * @throws {OptionError} when an option is out of range
 * @throws {AbortedError} when the signal is raised
 */
export async function trainRecommender(
  interactions: Interactions,
  options: TrainRecommenderOptions = {},
): Promise<TrainedRecommender> {
  checkInteractions(interactions);
  const { model = 'auto', budgetSeconds = 300, k = 10, seed = 42, runtime = defaultRuntime() } = checkOptions(options);
  const { only, clock = systemClock, signal, onTrialStart, onTrial, trials = [] } = options;
  checkOneOf('model', model, ['auto', ...MODEL_KINDS]);
  checkPositive('budgetSeconds', budgetSeconds);
  checkInteger('k', k, 1);
  const split = options.validation ?? validationSplit(interactions, seed);
  if (split.test.length === 0) {
    throw new ShapeError('validation: expected users with at least two interactions, got none');
  }
  if (only) checkOneOf('only.model', only.model, MODEL_KINDS);
  const features = checkModelData(only?.model ?? model, options.features);
  const kinds: readonly ModelKind[] = only ? [only.model] : model === 'auto' ? ['als', 'two-tower'] : [model];
  const fingerprint = fingerprintOf(split, { k, seed, features }, runtime);
  const validation = new Validation(split, k, clock);
  const context = { seed, runtime, signal, features, log: options.log };
  const search = new Search({
    train: split.train,
    validation,
    kinds,
    context,
    fingerprint,
    clock,
    features,
    budgetSeconds: SPENT_SHARE * budgetSeconds,
  });
  search.trials.push(...trials.filter((trial) => kinds.includes(trial.model) && trial.fingerprint === fingerprint));
  const ignoredTrials = trials.length - search.trials.length;
  const nextTrial = (): ChosenModel | undefined => {
    if (!only) return search.next();
    return search.trials.length === 0 ? only : undefined;
  };
  for (let next = nextTrial(); next; next = nextTrial()) {
    throwIfAborted('trainRecommender', signal);
    onTrialStart?.(next);
    options.log?.onFitStart(next);
    const trial = await search.run(next);
    onTrial?.(trial);
  }
  throwIfAborted('trainRecommender', signal);
  const best = bestOf(search.trials)!;
  options.log?.onFitStart(best);
  const fitted = await RECIPES[best.model].fit(interactions, best.settings, search.lastFitContext());
  const second = bestOf(search.trials.filter((trial) => trial.model !== best.model));
  return {
    ...fittedRecommender(fitted, interactions),
    trials: search.trials,
    ignoredTrials,
    best,
    other: second && { trial: second, difference: differenceOf(best, second, seed) },
    isSearchComplete: only !== undefined || search.isComplete(),
    seconds: search.elapsedSeconds(),
  };
}

function differenceOf(a: Trial, b: Trial, seed: number): Estimate {
  return bootstrapDifference(Float64Array.from(a.perUser), Float64Array.from(b.perUser), { seed });
}
