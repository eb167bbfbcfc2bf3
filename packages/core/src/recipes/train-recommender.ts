/**
 * From interactions to a recommender, with defaults that win: implicit ALS and two towers are each searched on a validation
 * part within a budget of time, the one that validation prefers is fitted again on everything.
 *
 * Everything random comes from the seed. A budget in seconds ends a search earlier on a slower machine: the trials say what
 * was tried, and given to a later run they are not run again.
 */
import { throwIfAborted } from '../checks/abort.ts';
import { checkInteger, checkOneOf, checkPositive } from '../checks/numbers.ts';
import { FUNCTION, LIST, NUMBER, OBJECT, optionsCheck, SIGNAL, STRING } from '../checks/options.ts';
import type { Interactions } from '../data/interactions.ts';
import { type InteractionSplit, leaveLastOut } from '../data/split.ts';
import { ShapeError } from '../errors/errors.ts';
import { bootstrapDifference, type Estimate, meanOf } from '../metrics/bootstrap.ts';
import { judgeUsers } from '../metrics/user-figures.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { type Clock, systemClock } from '../retrieval/progress.ts';
import { alsCost, fitAlsRecipe, nextAlsSettings, type RecipeContext } from './als-recipe.ts';
import { type FittedRecommender, fitRecommender } from './fit-recommender.ts';
import type { ChosenModel, ModelKind, Settings, Trial } from './trial.ts';
import { fitTwoTowerRecipe, nextTwoTowerSettings, twoTowerCost } from './two-tower-recipe.ts';

/** Users of the validation part at most: the mean of 5,000 is known to within a hundredth, and asking more takes time. */
const VALIDATION_USERS_MAX = 5000;
/** Where users are fewer, more rows of each are held out, so that chance chooses less; at most so many. */
const VALIDATION_ROWS_MAX = 3;

/** The share of the budget that one trial of two towers may take: one epoch over a million rows can take minutes. */
const TOWERS_SHARE = 1 / 6;

/** Options of `trainRecommender`. */
export interface TrainRecommenderOptions {
  /** Which models are tried; default 'auto': both. */
  model?: ModelKind | 'auto';
  /** Tries these settings and no others: of two towers the number of epochs is chosen all the same. */
  only?: ChosenModel | undefined;
  /** For the search and the last fit; default 300. Each model is tried at least once. */
  budgetSeconds?: number;
  /** The recall@k that validation is by; default 10. */
  k?: number;
  /** Default: the last item of 5,000 users is held out; of fewer users the last two or three. */
  validation?: InteractionSplit;
  /** Default 42. */
  seed?: number;
  runtime?: Runtime;
  /** Called before every trial. */
  onTrialStart?: (next: ChosenModel) => void;
  /** Called after every trial. */
  onTrial?: (trial: Trial) => void;
  /** Trials of an interrupted run on the same data with the same options: they are not run again. */
  trials?: readonly Trial[];
  /** Ends the search with an `AbortedError`; trials that `onTrial` was given can be gone on from. */
  signal?: AbortSignal | undefined;
  clock?: Clock;
}

/** A model fitted on everything, and what the search found. */
export interface TrainedRecommender extends FittedRecommender {
  /** In the order in which they were run. */
  readonly trials: readonly Trial[];
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
  const { only, clock = systemClock, signal, onTrialStart, onTrial } = options;
  checkOneOf('model', model, ['auto', 'als', 'two-tower']);
  checkPositive('budgetSeconds', budgetSeconds);
  checkInteger('k', k, 1);
  const validation = options.validation ?? validationSplit(interactions, seed);
  if (validation.test.length === 0) {
    throw new ShapeError('validation: expected users with at least two interactions, got none');
  }
  if (only) checkOneOf('only.model', only.model, ['als', 'two-tower']);
  const kinds: readonly ModelKind[] = only ? [only.model] : model === 'auto' ? ['als', 'two-tower'] : [model];
  const context = { seed, runtime, signal };
  const search = new Search(validation, k, context, clock, budgetSeconds);
  search.trials.push(...(options.trials ?? []).filter((trial) => kinds.includes(trial.model)));
  const nextTrial = (): ChosenModel | undefined => {
    if (!only) return search.next(kinds);
    return search.trials.length === 0 ? only : undefined;
  };
  for (let next = nextTrial(); next; next = nextTrial()) {
    throwIfAborted('trainRecommender', signal);
    onTrialStart?.(next);
    const trial = await search.run(next);
    onTrial?.(trial);
  }
  const best = bestOf(search.trials)!;
  const fitted = await fitRecommender(interactions, best, context);
  const second = bestOf(search.trials.filter((trial) => trial.model !== best.model));
  return {
    ...fitted,
    trials: search.trials,
    best,
    other: second && { trial: second, difference: differenceOf(best, second, seed) },
    isSearchComplete: only !== undefined || search.isComplete(kinds),
    seconds: search.elapsedSeconds(),
  };
}

/** The last rows of users, of as many as are enough; each keeps more than are taken. */
function validationSplit(interactions: Interactions, seed: number): InteractionSplit {
  const users = new Set(interactions.users.codes).size;
  const count = Math.min(VALIDATION_ROWS_MAX, Math.max(1, Math.ceil(VALIDATION_USERS_MAX / users)));
  for (let rows = count; rows > 1; rows--) {
    const split = leaveLastOut(interactions, {
      count: rows,
      minInteractions: 2 * rows + 1,
      maxUsers: VALIDATION_USERS_MAX,
      seed,
    });
    // Where most have few rows, fewer rows of more users tell more.
    if (2 * new Set(split.test.users.codes).size > users) return split;
  }
  return leaveLastOut(interactions, { maxUsers: VALIDATION_USERS_MAX, seed });
}

/** Which settings are tried next, within the budget. */
class Search {
  readonly trials: Trial[] = [];
  readonly #validation: InteractionSplit;
  readonly #k: number;
  readonly #context: RecipeContext;
  readonly #clock: Clock;
  readonly #start: number;
  readonly #budgetSeconds: number;

  constructor(validation: InteractionSplit, k: number, context: RecipeContext, clock: Clock, budgetSeconds: number) {
    this.#validation = validation;
    this.#k = k;
    this.#context = context;
    this.#clock = clock;
    this.#start = clock();
    this.#budgetSeconds = budgetSeconds;
  }

  elapsedSeconds(): number {
    return (this.#clock() - this.#start) / 1000;
  }

  isComplete(kinds: readonly ModelKind[]): boolean {
    return kinds.every((kind) => this.#settingsAfter(kind) === undefined);
  }

  /** The first of each model; then of the model that took less time so far, if it and the last fit are within the budget. */
  next(kinds: readonly ModelKind[]): ChosenModel | undefined {
    const left = this.#budgetSeconds - this.elapsedSeconds();
    const spent = (kind: ModelKind): number => this.#of(kind).reduce((sum, { seconds }) => sum + seconds, 0);
    for (const model of [...kinds].sort((a, b) => spent(a) - spent(b))) {
      const settings = this.#settingsAfter(model);
      if (!settings) continue;
      const isFirst = this.#of(model).length === 0;
      // A model that is not half as good as the other gets no more of the time.
      if (!isFirst && 2 * bestOf(this.#of(model))!.recall < bestOf(this.trials)!.recall) continue;
      if (isFirst || 2 * this.#estimate(model, settings) <= left) return { model, settings };
    }
    return undefined;
  }

  async run({ model, settings }: ChosenModel): Promise<Trial> {
    const start = this.#clock();
    const { train } = this.#validation;
    const fitted =
      model === 'als'
        ? await fitAlsRecipe(train, settings, this.#context)
        : await fitTwoTowerRecipe(train, settings, this.#context, {
            split: this.#validation,
            k: this.#k,
            isOver: () => this.#clock() - start > 1000 * TOWERS_SHARE * this.#budgetSeconds,
          });
    const perUser = fitted.perUser ?? judgeUsers(fitted.recommender, this.#validation, [this.#k]).figures[0]!.recall;
    const seconds = (this.#clock() - start) / 1000;
    const trial = { model, settings: fitted.settings, recall: meanOf(perUser), perUser: [...perUser], seconds };
    this.trials.push(trial);
    return trial;
  }

  #of(kind: ModelKind): Trial[] {
    return this.trials.filter(({ model }) => model === kind);
  }

  #settingsAfter(kind: ModelKind): Settings | undefined {
    return kind === 'als' ? nextAlsSettings(this.#of(kind)) : nextTwoTowerSettings(this.#of(kind));
  }

  /** Seconds of a trial, from the last one of its model. */
  #estimate(kind: ModelKind, settings: Settings): number {
    const last = this.#of(kind).at(-1)!;
    const cost = (of: Settings): number => (kind === 'als' ? alsCost(of, this.#validation.train) : twoTowerCost(of));
    return last.seconds * (cost(settings) / cost(last.settings));
  }
}

function bestOf(trials: readonly Trial[]): Trial | undefined {
  return trials.reduce<Trial | undefined>(
    (best, trial) => (best && best.recall >= trial.recall ? best : trial),
    undefined,
  );
}

function differenceOf(a: Trial, b: Trial, seed: number): Estimate {
  return bootstrapDifference(Float64Array.from(a.perUser), Float64Array.from(b.perUser), { seed });
}
