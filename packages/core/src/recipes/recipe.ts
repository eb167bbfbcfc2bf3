/** The interface of a recipe: which settings a search may try, what they cost, and how they are judged and fitted. */
import type { Interactions } from '../data/interactions.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Fitted, Judged, Settings, Trial } from './trial.ts';
import type { Validation } from './validation.ts';
import type { EarlierModel } from './warm-start.ts';

/** Options of a fit that are the same for every kind of model. */
export interface RecipeContext {
  readonly seed: number;
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
  /** Asked between two steps of a fit; once it is true the fit ends with what it has. */
  readonly isOver: () => boolean;
}

/** The settings that a search tries first. */
export interface SearchStart {
  readonly train: Interactions;
  readonly budgetSeconds: number;
}

/** One kind of model. */
export interface Recipe {
  /** Settings that are worth a trial after those that were tried, the most promising first; none: the search is done. */
  candidates(tried: readonly Trial[], start: SearchStart): Settings[];
  /** Work of a fit beside one of other settings. */
  cost(settings: Settings, interactions: Interactions): number;
  /** Fit on the training part of the validation and judge; what is found is among the settings that come back. */
  judge(validation: Validation, settings: Settings, context: RecipeContext): Promise<Judged>;
  /** Fit; rows of identifiers that an earlier model of the same kind and width knows begin with its vectors. */
  fit(interactions: Interactions, settings: Settings, context: RecipeContext, from?: EarlierModel): Promise<Fitted>;
}

/** Whether two settings agree in the names of the first. */
export function agrees(a: Settings, b: Settings): boolean {
  return Object.keys(a).every((name) => a[name] === b[name]);
}

/** The trial with the best recall; of equal ones the first. */
export function bestOf(trials: readonly Trial[]): Trial | undefined {
  return trials.reduce<Trial | undefined>(
    (best, trial) => (best && best.recall >= trial.recall ? best : trial),
    undefined,
  );
}
