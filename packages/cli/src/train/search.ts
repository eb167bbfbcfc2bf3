/** Searches for the best model within the budget. Shows progress, and saves the trials for a later run. */
import {
  AbortedError,
  type ChosenModel,
  type Interactions,
  type TrainedRecommender,
  trainRecommender,
} from 'shortlist';
import { bootstrapMean } from 'shortlist/metrics';
import type { FeatureModelData, InteractionSplit, ModelKind, Trial } from 'shortlist/recommenders';
import type { TrainingLog } from 'shortlist/training';
import { duration, plural } from '../terminal/format-numbers.ts';
import type { Report } from '../terminal/reporter.ts';
import type { Environment, Terminal } from '../terminal/terminal.ts';
import type { TrainEvent } from './events.ts';
import { SavedTrials } from './saved-trials.ts';
import { MODEL_NAMES } from './show.ts';

/** The interval at which the progress line is redrawn. */
const TICK_MS = 250;

/** Options of a search. */
export interface SearchOptions {
  readonly model: ModelKind | 'auto';
  readonly k: number;
  readonly seed: number;
  /** The time for all trials and the fit of the best settings. */
  readonly budgetSeconds: number;
  readonly trialsPath: string;
  /** Takes the records of steps and epochs. */
  readonly log?: TrainingLog | undefined;
  /** The only settings to try; undefined for a search. */
  readonly only?: ChosenModel | undefined;
  /** The spec and the values of a model over features. */
  readonly features?: FeatureModelData | undefined;
  /** Parts of the interactions; default: the validation part of `trainRecommender`. */
  readonly validation?: InteractionSplit | undefined;
}

/** The result of a search: the model, and the saved trials, which the caller removes after the output was written. */
export interface Search {
  readonly trained: TrainedRecommender;
  readonly saved: SavedTrials;
}

/**
 * Search, choose and fit.
 *
 * @throws {AbortedError} when the signal is raised; finished trials are kept
 */
export async function search(
  interactions: Interactions,
  { model, k, seed, budgetSeconds, trialsPath, only, features, validation, log }: SearchOptions,
  environment: Environment,
  terminal: Terminal,
  report: Report<TrainEvent>,
): Promise<Search> {
  const saved = new SavedTrials(trialsPath, interactions, { model, k, seed, only, features });
  const trials: Trial[] = [...(await saved.read())];
  if (trials.length > 0) report({ event: 'resumed', path: trialsPath, trials: trials.length });
  const spent = trials.reduce((sum, { seconds }) => sum + seconds, 0);
  // The time of an interrupted run counts towards the budget. A positive rest lets the last fit run in any case.
  const seconds = Math.max(budgetSeconds - spent, 1e-3);
  const started = environment.now();
  let doing = 'search';
  const ticker = setInterval(() => {
    const elapsed = (environment.now() - started) / 1000;
    const left = duration(1000 * Math.max(0, seconds - elapsed));
    terminal.progress(
      Math.min(1, elapsed / seconds),
      `${doing}, ${elapsed < seconds ? `at most ${left} left` : 'finishing'}`,
    );
  }, TICK_MS);
  let writing = Promise.resolve();
  try {
    const trained = await trainRecommender(interactions, {
      ...{ model, k, seed, trials, budgetSeconds: seconds, only, features, log, signal: environment.signal },
      ...(validation && { validation }),
      onTrialStart: (next) => {
        doing = `trial ${trials.length + 1}, ${MODEL_NAMES[next.model]} with ${next.settings.dimensions} dimensions`;
      },
      onTrial: (trial) => {
        trials.push(trial);
        doing = 'fitting the best model';
        const kept = [...trials];
        writing = writing.then(() => saved.write(kept));
        // A failed write is thrown by `await writing` below.
        writing.catch(() => undefined);
        const { perUser: _, fitSeconds: _fit, fingerprint: _of, ...facts } = trial;
        report({ event: 'trial', trial: trials.length, k, ...facts });
      },
    });
    await writing;
    report(chosenEvent(trained, k, seed));
    return { trained, saved };
  } catch (error) {
    await writing;
    if (!(error instanceof AbortedError)) throw error;
    throw new AbortedError(
      trials.length === 0
        ? 'train: interrupted before the first trial, nothing was written'
        : `train: interrupted; the same command continues from the ${plural(trials.length, 'trial')} in ${trialsPath}`,
      { cause: error },
    );
  } finally {
    clearInterval(ticker);
    terminal.clear();
  }
}

function chosenEvent(
  { best, other, trials, isSearchComplete }: TrainedRecommender,
  k: number,
  seed: number,
): TrainEvent {
  return {
    event: 'chosen',
    model: best.model,
    settings: best.settings,
    k,
    recall: bootstrapMean(Float64Array.from(best.perUser), { seed }),
    validationUsers: best.perUser.length,
    other: other && { model: other.trial.model, recall: other.trial.recall, difference: other.difference },
    trials: trials.length,
    isSearchComplete,
  };
}
