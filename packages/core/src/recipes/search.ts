/**
 * Searches for the model and the settings with the best validation recall, within a budget of time that includes the
 * last fit on all interactions. A trial ends when its time is over, but not before four iterations of ALS or one step
 * of the towers.
 */
import { DivergedError } from '../errors/errors.ts';
import { Popularity } from '../recommenders/popularity.ts';
import type { Clock } from '../retrieval/pauses.ts';
import { alsRecipe } from './als-recipe.ts';
import { featureRecipe } from './feature-recipe.ts';
import { historyRecipe } from './history-recipe.ts';
import { bestOf, type Recipe, type RecipeContext, type SearchStart } from './recipe.ts';
import type { ChosenModel, ModelKind, Settings, Trial, TrialEvaluation } from './trial.ts';
import { twoTowerRecipe } from './two-tower-recipe.ts';
import type { Validation } from './validation.ts';

/** The recipe of each kind of model. */
export const RECIPES: Readonly<Record<ModelKind, Recipe>> = {
  als: alsRecipe,
  'two-tower': twoTowerRecipe,
  history: historyRecipe,
  features: featureRecipe,
};

/**
 * The share of the budget for the first trial of each model, whose time cannot be estimated. An epoch of towers can
 * take minutes.
 */
const FIRST_TRIAL_SHARE: Readonly<Record<ModelKind, number>> = {
  als: 1 / 3,
  'two-tower': 1 / 8,
  history: 1 / 3,
  features: 1 / 3,
};
/**
 * A model whose best recall is below this share of the other model's gets no more trials: other settings rarely gain a
 * quarter.
 */
const HOPEFUL_SHARE = 0.8;
/**
 * The share of the estimated time of the last fit that a new trial must leave. It may be below 1, because a last fit
 * that runs out of time only has fewer iterations: on Gowalla, half of the iterations in 128 dimensions have a higher
 * recall than all of them in 64.
 */
const LAST_FIT_RESERVE = 0.5;
/** The other model gets up to this share of the time of the leading model, while its recall is near enough. */
const SECOND_SHARE = 0.5;

/** The input of a search. */
export interface SearchParts extends SearchStart {
  readonly kinds: readonly ModelKind[];
  readonly validation: Validation;
  readonly context: Omit<RecipeContext, 'isOver'>;
  readonly fingerprint: string;
  readonly clock: Clock;
}

/** Chooses and runs the trials of a search. */
export class Search {
  /** In the order in which they were run. */
  readonly trials: Trial[] = [];
  readonly #parts: SearchParts;
  readonly #start: number;

  constructor(parts: SearchParts) {
    this.#parts = parts;
    this.#start = parts.clock();
  }

  elapsedSeconds(): number {
    return (this.#parts.clock() - this.#start) / 1000;
  }

  isComplete(): boolean {
    return this.#parts.kinds.every((kind) => this.#candidates(kind).length === 0);
  }

  /**
   * The next trial: first one of each model, then the first candidate that fits the remaining time, of the model whose
   * turn it is.
   */
  next(): ChosenModel | undefined {
    const left = this.#parts.budgetSeconds - this.elapsedSeconds();
    for (const model of this.#turns()) {
      const tried = this.#of(model);
      const fits = (settings: Settings): boolean => {
        if (tried.length === 0) return true;
        const { fitSeconds, evaluationSeconds } = this.#estimate(model, settings);
        const lastFitSeconds = Math.max(fitSeconds, this.#lastFitSeconds());
        return fitSeconds + evaluationSeconds + LAST_FIT_RESERVE * lastFitSeconds <= left;
      };
      const settings = this.#candidates(model).find(fits);
      if (settings) return { model, settings };
    }
    return undefined;
  }

  /** Run a trial: fit and evaluate. */
  async run({ model, settings }: ChosenModel): Promise<Trial> {
    const { validation, context, clock, budgetSeconds, fingerprint } = this.#parts;
    const start = clock();
    const share = FIRST_TRIAL_SHARE[model] * budgetSeconds;
    const isFirst = this.#of(model).length === 0;
    const limit = isFirst ? share : budgetSeconds - this.elapsedSeconds() - this.#lastFitSeconds();
    const secondsBefore = validation.evaluationSeconds;
    const isOver = (): boolean => clock() - start > 1000 * limit;
    const evaluating = RECIPES[model].evaluate(validation, settings, { ...context, isOver });
    const { perUser, ...found } = await evaluating.catch((error: unknown) => this.#diverged(settings, error));
    const seconds = (clock() - start) / 1000;
    const trial: Trial = {
      ...{ model, ...found, fingerprint, seconds },
      recall: perUser.reduce((sum, recall) => sum + recall, 0) / perUser.length,
      perUser: [...perUser],
      fitSeconds: Math.max(0, seconds - (validation.evaluationSeconds - secondsBefore)),
    };
    this.trials.push(trial);
    return trial;
  }

  /** The result of a trial that diverged: a recall of 0, so that the search continues. Throws any other error. */
  #diverged(settings: Settings, error: unknown): TrialEvaluation {
    if (!(error instanceof DivergedError)) throw error;
    const { validation } = this.#parts;
    const perUser = validation.evaluate(new Popularity(validation.split.train)).fill(0);
    return { settings, perUser, isCut: false };
  }

  /** The context of the fit on all interactions, which ends with the budget. */
  lastFitContext(): RecipeContext {
    const isOver = (): boolean => this.elapsedSeconds() > this.#parts.budgetSeconds;
    return { ...this.#parts.context, isOver };
  }

  /**
   * The order of the models: models without a trial first, then the leading one, unless the other is near and took much
   * less time.
   */
  #turns(): ModelKind[] {
    const kinds = [...this.#parts.kinds];
    const recall = (kind: ModelKind): number => bestOf(this.#of(kind))?.recall ?? Number.POSITIVE_INFINITY;
    const seconds = (kind: ModelKind): number => this.#of(kind).reduce((sum, trial) => sum + trial.seconds, 0);
    const [leading, other] = kinds.sort((a, b) => recall(b) - recall(a));
    if (other === undefined || recall(other) === Number.POSITIVE_INFINITY) return kinds;
    if (recall(leading!) === Number.POSITIVE_INFINITY) return [leading!, other];
    if (recall(other) < HOPEFUL_SHARE * recall(leading!)) return [leading!];
    return seconds(other) < SECOND_SHARE * seconds(leading!) ? [other, leading!] : [leading!, other];
  }

  #of(kind: ModelKind): Trial[] {
    return this.trials.filter(({ model }) => model === kind);
  }

  #candidates(kind: ModelKind): Settings[] {
    return RECIPES[kind].candidates(this.#of(kind), this.#parts);
  }

  /**
   * The estimated time of a trial, from the last trial of its model: the fit scales with its cost, the evaluation with
   * the dimensions.
   */
  #estimate(kind: ModelKind, settings: Settings): { fitSeconds: number; evaluationSeconds: number } {
    const last = this.#of(kind).at(-1)!;
    const cost = (of: Settings): number => RECIPES[kind].cost(of, this.#parts.train);
    return {
      fitSeconds: (last.fitSeconds * cost(settings)) / cost(last.settings),
      evaluationSeconds: ((last.seconds - last.fitSeconds) * settings.dimensions!) / last.settings.dimensions!,
    };
  }

  /** The estimated time of the last fit: that of the best trial so far. */
  #lastFitSeconds(): number {
    return bestOf(this.trials)?.fitSeconds ?? 0;
  }
}
