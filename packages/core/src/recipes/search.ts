/**
 * A search for the model and the settings that validation prefers, within a budget of time that the fit on everything has its
 * place in. A trial ends when its time is over, after four iterations of ALS or one step of towers at least.
 */
import { DivergedError } from '../errors/errors.ts';
import { Popularity } from '../recommenders/popularity.ts';
import type { Clock } from '../retrieval/progress.ts';
import { alsRecipe } from './als-recipe.ts';
import { bestOf, type Recipe, type RecipeContext, type SearchStart } from './recipe.ts';
import type { ChosenModel, Judged, ModelKind, Settings, Trial } from './trial.ts';
import { twoTowerRecipe } from './two-tower-recipe.ts';
import type { Validation } from './validation.ts';

/** The recipe of each kind of model. */
export const RECIPES: Readonly<Record<ModelKind, Recipe>> = { als: alsRecipe, 'two-tower': twoTowerRecipe };

/** Of the budget: the first trial of each model, which nothing is known about. An epoch of towers can take minutes. */
const FIRST_TRIAL_SHARE: Readonly<Record<ModelKind, number>> = { als: 1 / 3, 'two-tower': 1 / 8 };
/** A model whose best recall is below this share of the other's gets no more time: settings seldom bring a quarter. */
const HOPEFUL_SHARE = 0.8;
/**
 * Of the estimated time of the last fit, kept for it when a trial begins: a fit that runs out of time ends after fewer iterations, and
 * on Gowalla half of them in 128 dimensions find more than all in 64.
 */
const LAST_FIT_RESERVE = 0.5;
/** Of the time that the leading model took: the other one's, as long as it is hopeful. */
const SECOND_SHARE = 0.5;

/** The input of a search. */
export interface SearchParts extends SearchStart {
  readonly kinds: readonly ModelKind[];
  readonly validation: Validation;
  readonly context: Omit<RecipeContext, 'isOver'>;
  readonly fingerprint: string;
  readonly clock: Clock;
}

/** Which settings are tried next, and what they reach. */
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

  /** The first of each model; then of the model whose turn it is the first candidate that there is time for. */
  next(): ChosenModel | undefined {
    const left = this.#parts.budgetSeconds - this.elapsedSeconds();
    for (const model of this.#turns()) {
      const tried = this.#of(model);
      const fits = (settings: Settings): boolean => {
        if (tried.length === 0) return true;
        const { fitSeconds, judgeSeconds } = this.#estimate(model, settings);
        const lastFitSeconds = Math.max(fitSeconds, this.#lastFitSeconds());
        return fitSeconds + judgeSeconds + LAST_FIT_RESERVE * lastFitSeconds <= left;
      };
      const settings = this.#candidates(model).find(fits);
      if (settings) return { model, settings };
    }
    return undefined;
  }

  /** Fit and judge. */
  async run({ model, settings }: ChosenModel): Promise<Trial> {
    const { validation, context, clock, budgetSeconds, fingerprint } = this.#parts;
    const start = clock();
    const share = FIRST_TRIAL_SHARE[model] * budgetSeconds;
    const isFirst = this.#of(model).length === 0;
    const limit = isFirst ? share : budgetSeconds - this.elapsedSeconds() - this.#lastFitSeconds();
    const judgedBefore = validation.judgedSeconds;
    const isOver = (): boolean => clock() - start > 1000 * limit;
    const judging = RECIPES[model].judge(validation, settings, { ...context, isOver });
    const { perUser, ...found } = await judging.catch((error: unknown) => this.#diverged(settings, error));
    const seconds = (clock() - start) / 1000;
    const trial: Trial = {
      ...{ model, ...found, fingerprint, seconds },
      recall: perUser.reduce((sum, recall) => sum + recall, 0) / perUser.length,
      perUser: [...perUser],
      fitSeconds: Math.max(0, seconds - (validation.judgedSeconds - judgedBefore)),
    };
    this.trials.push(trial);
    return trial;
  }

  /** A trial whose numbers left the finite ones found nothing: the search goes on without it. Throws any other error. */
  #diverged(settings: Settings, error: unknown): Judged {
    if (!(error instanceof DivergedError)) throw error;
    const { validation } = this.#parts;
    const perUser = validation.judge(new Popularity(validation.split.train)).fill(0);
    return { settings, perUser, isCut: false };
  }

  /** The context of the fit on everything: it ends with the budget. */
  lastFitContext(): RecipeContext {
    const isOver = (): boolean => this.elapsedSeconds() > this.#parts.budgetSeconds;
    return { ...this.#parts.context, isOver };
  }

  /** Models without a trial, then the leading one, unless the other is hopeful and took much less time. */
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

  /** Of a trial, from the last one of its model: fits go by their products, judgements by the dimensions. */
  #estimate(kind: ModelKind, settings: Settings): { fitSeconds: number; judgeSeconds: number } {
    const last = this.#of(kind).at(-1)!;
    const cost = (of: Settings): number => RECIPES[kind].cost(of, this.#parts.train);
    return {
      fitSeconds: (last.fitSeconds * cost(settings)) / cost(last.settings),
      judgeSeconds: ((last.seconds - last.fitSeconds) * settings.dimensions!) / last.settings.dimensions!,
    };
  }

  /** The best so far may take as long on everything as in its trial. */
  #lastFitSeconds(): number {
    return bestOf(this.trials)?.fitSeconds ?? 0;
  }
}
