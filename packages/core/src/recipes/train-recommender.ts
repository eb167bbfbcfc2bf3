/**
 * From interactions to a recommender, with defaults that win: implicit ALS and two towers are each searched on a validation
 * part within a budget of time (search.ts), the one that validation prefers is fitted again on everything.
 *
 * Everything random comes from the seed. A budget in seconds ends a search earlier on a slower machine: the trials say what
 * was tried, and given to a later run they are not run again.
 */
import { throwIfAborted } from '../checks/abort.ts';
import { checkInteger, checkOneOf, checkPositive } from '../checks/numbers.ts';
import { FUNCTION, LIST, NUMBER, OBJECT, optionsCheck, SIGNAL, STRING } from '../checks/options.ts';
import type { Interactions } from '../data/interactions.ts';
import type { InteractionSplit } from '../data/split.ts';
import { ShapeError } from '../errors/errors.ts';
import { bootstrapDifference, type Estimate } from '../metrics/bootstrap.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { type Clock, systemClock } from '../retrieval/progress.ts';
import { fingerprintOf } from './fingerprint.ts';
import { type FittedRecommender, fittedRecommender } from './fit-recommender.ts';
import { bestOf } from './recipe.ts';
import { RECIPES, Search } from './search.ts';
import type { ChosenModel, ModelKind, Trial } from './trial.ts';
import { Validation, validationSplit } from './validation.ts';

/** Options of `trainRecommender`. */
export interface TrainRecommenderOptions {
  /** Which models are tried; default 'auto': both. */
  model?: ModelKind | 'auto';
  /** Tries these settings and no others; iterations and half-life, or epochs, are found where they are left open. */
  only?: ChosenModel | undefined;
  /**
   * For the search and the last fit; default 300. Each model is tried at least once, ALS for four iterations and towers for one
   * step at least: by so much, and by judging it, a budget that is too small is exceeded.
   */
  budgetSeconds?: number;
  /** The recall@k that validation is by; default 10. */
  k?: number;
  /** Default: the last item of as many users as can be asked quickly is held out; of few users the last two or three. */
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
  /** Ends the search with an `AbortedError`; trials that `onTrial` was given can be gone on from. */
  signal?: AbortSignal | undefined;
  clock?: Clock;
}

/** A model fitted on everything, and what the search found. */
export interface TrainedRecommender extends FittedRecommender {
  /** In the order in which they were run. */
  readonly trials: readonly Trial[];
  /** Trials that were given but are of other data or options: they were ignored. */
  readonly ignoredTrials: number;
  readonly best: Trial;
  /** The best trial of the other model, and by how much the recall of the best is above it, over the same users. */
  readonly other: { readonly trial: Trial; readonly difference: Estimate } | undefined;
  /** False where the search ended before every setting was tried: by the budget, or as a model was far behind the other. */
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
});

/**
 * The share of the budget that trials and the last fit may take: each ends after a whole iteration only, which took up to 5 % of five
 * minutes on a loaded machine.
 */
const SPENT_SHARE = 0.93;

/**
 * Search, choose and fit a recommender.
 *
 * @throws {ShapeError} when nobody can be held out to validate by
 * @throws {OptionError} when an option is out of range
 * @throws {AbortedError} when the signal is raised
 */
export async function trainRecommender(
  interactions: Interactions,
  options: TrainRecommenderOptions = {},
): Promise<TrainedRecommender> {
  const { model = 'auto', budgetSeconds = 300, k = 10, seed = 42, runtime = defaultRuntime() } = checkOptions(options);
  const { only, clock = systemClock, signal, onTrialStart, onTrial, trials = [] } = options;
  checkOneOf('model', model, ['auto', 'als', 'two-tower']);
  checkPositive('budgetSeconds', budgetSeconds);
  checkInteger('k', k, 1);
  const split = options.validation ?? validationSplit(interactions, seed);
  if (split.test.length === 0) {
    throw new ShapeError('validation: expected users with at least two interactions, got none');
  }
  if (only) checkOneOf('only.model', only.model, ['als', 'two-tower']);
  const kinds: readonly ModelKind[] = only ? [only.model] : model === 'auto' ? ['als', 'two-tower'] : [model];
  const fingerprint = fingerprintOf(split, k, seed, runtime);
  const validation = new Validation(split, k, clock);
  const context = { seed, runtime, signal };
  const search = new Search({
    train: split.train,
    validation,
    kinds,
    context,
    fingerprint,
    clock,
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
    const trial = await search.run(next);
    onTrial?.(trial);
  }
  throwIfAborted('trainRecommender', signal);
  const best = bestOf(search.trials)!;
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
