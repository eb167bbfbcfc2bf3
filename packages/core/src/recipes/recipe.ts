/** The interface of a recipe: it proposes settings for a search, estimates their cost, evaluates them and fits models. */
import type { Interactions } from '../data/interactions.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { TrainingLog } from '../retrieval/training-log.ts';
import type { FeatureModelData } from './feature-model.ts';
import type { Fitted, Settings, Trial, TrialEvaluation } from './trial.ts';
import type { Validation } from './validation.ts';
import type { EarlierModel } from './warm-start.ts';

/** Options of a fit that are the same for every kind of model. */
export interface RecipeContext {
  readonly seed: number;
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
  /** The spec and the values of a model over features. */
  readonly features?: FeatureModelData | undefined;
  /** Takes a record of each step and epoch of two towers. */
  readonly log?: TrainingLog | undefined;
  /** Called between two steps of a fit; when it returns true, the fit ends with the present model. */
  readonly isOver: () => boolean;
}

/** The data and the budget from which a recipe computes its first settings. */
export interface SearchStart {
  readonly train: Interactions;
  readonly budgetSeconds: number;
  /** The spec and the values of a model over features. */
  readonly features?: FeatureModelData | undefined;
}

/** One kind of model. */
export interface Recipe {
  /** Settings to try next, the most promising first; empty when the search is complete. */
  candidates(tried: readonly Trial[], start: SearchStart): Settings[];
  /** The work of a fit, in a unit in which settings can be compared. */
  cost(settings: Settings, interactions: Interactions): number;
  /**
   * Fit on the training part of the validation and evaluate; the returned settings include those that the trial found.
   */
  evaluate(validation: Validation, settings: Settings, context: RecipeContext): Promise<TrialEvaluation>;
  /** Fit a model. Identifiers that an earlier model of the same kind and width knows start from its vectors. */
  fit(interactions: Interactions, settings: Settings, context: RecipeContext, from?: EarlierModel): Promise<Fitted>;
}

/** True if `b` has the same values as `a` for all names of `a`. */
function agrees(a: Settings, b: Settings): boolean {
  return Object.keys(a).every((name) => a[name] === b[name]);
}

/** The trial with the best recall; the first of several equal ones. */
export function bestOf(trials: readonly Trial[]): Trial | undefined {
  return trials.reduce<Trial | undefined>(
    (best, trial) => (best && best.recall >= trial.recall ? best : trial),
    undefined,
  );
}

/** The settings of a grid with which no trial was run. */
export function untried(grid: readonly Settings[], tried: readonly Trial[]): Settings[] {
  return grid.filter((settings) => !tried.some((trial) => agrees(settings, trial.settings)));
}
