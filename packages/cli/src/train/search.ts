/** The search for a model within the time that is left: progress, trials kept on disk, and what an interruption says. */
import {
  AbortedError,
  type ChosenModel,
  type Interactions,
  type TrainedRecommender,
  trainRecommender,
} from 'shortlist';
import { bootstrapMean } from 'shortlist/metrics';
import type { ModelKind, Trial } from 'shortlist/recommenders';
import { duration, plural } from '../terminal/format-numbers.ts';
import type { Report } from '../terminal/reporter.ts';
import type { Environment, Terminal } from '../terminal/terminal.ts';
import type { TrainEvent } from './events.ts';
import { SavedTrials } from './saved-trials.ts';
import { MODEL_NAMES } from './show.ts';

/** The line of progress is drawn anew so often. */
const TICK_MS = 250;

/** The input of a search, and the file of its trials. */
export interface SearchOptions {
  readonly model: ModelKind | 'auto';
  readonly k: number;
  readonly seed: number;
  /** For trials and one fit. */
  readonly budgetSeconds: number;
  readonly trialsPath: string;
  /** The only settings that are tried. */
  readonly only?: ChosenModel | undefined;
}

/** A model, and the trials that are kept until the output is written. */
export interface Search {
  readonly trained: TrainedRecommender;
  readonly saved: SavedTrials;
}

/**
 * Search, choose and fit.
 *
 * @throws {AbortedError} when the signal is raised; what was tried is kept
 */
export async function search(
  interactions: Interactions,
  { model, k, seed, budgetSeconds, trialsPath, only }: SearchOptions,
  environment: Environment,
  terminal: Terminal,
  report: Report<TrainEvent>,
): Promise<Search> {
  const saved = new SavedTrials(trialsPath, interactions, { model, k, seed, only });
  const trials: Trial[] = [...(await saved.read())];
  if (trials.length > 0) report({ event: 'resumed', path: trialsPath, trials: trials.length });
  const spent = trials.reduce((sum, { seconds }) => sum + seconds, 0);
  // What an interrupted run took belongs to the budget; the last fit always has its place.
  const seconds = Math.max(budgetSeconds - spent, 1e-3);
  const started = environment.now();
  let doing = 'search';
  const ticker = setInterval(() => {
    const elapsed = (environment.now() - started) / 1000;
    const left = duration(1000 * Math.max(0, seconds - elapsed));
    terminal.progress(
      Math.min(1, elapsed / seconds),
      `${doing}, ${elapsed < seconds ? `at most ${left} left` : 'ends'}`,
    );
  }, TICK_MS);
  let writing = Promise.resolve();
  try {
    const trained = await trainRecommender(interactions, {
      ...{ model, k, seed, trials, budgetSeconds: seconds, only, signal: environment.signal },
      onTrialStart: (next) => {
        doing = `trial ${trials.length + 1}, ${MODEL_NAMES[next.model]} of ${next.settings.dimensions} dimensions`;
      },
      onTrial: (trial) => {
        trials.push(trial);
        doing = 'fit of the best';
        const kept = [...trials];
        writing = writing.then(() => saved.write(kept));
        // Thrown below, where it is waited for.
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
        ? 'train: interrupted before the first trial'
        : `train: interrupted; the same command goes on from the ${plural(trials.length, 'trial')} in ${trialsPath}`,
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
