/**
 * `shortlist train INTERACTIONS --items ITEMS`: trains a model on files of interactions, evaluates it, and writes a bundle.
 *
 *   interactions = test part + training part; training part = validation part + the rest
 *
 * The model and its settings are chosen by the validation part. Then the model and the baselines are evaluated on the test
 * part. The saved model is fitted with the chosen settings on all interactions.
 */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import {
  AbortedError,
  type ChosenModel,
  type FittedRecommender,
  fitRecommender,
  type Interactions,
  type TrainedRecommender,
} from 'shortlist';
import { evaluateRecommender, type RecommenderEvaluation } from 'shortlist/metrics';
import { saveBundle, trainingLogFile } from 'shortlist/node';
import type { FeatureModelData } from 'shortlist/recommenders';
import type { TrainingLog } from 'shortlist/training';
import { compareWithBaselines, evaluateBaselines, evaluatedModel } from '../evaluate/baselines.ts';
import type { Command } from '../terminal/command.ts';
import { duration } from '../terminal/format-numbers.ts';
import { whenInterrupted } from '../terminal/interrupted.ts';
import { type Report, reporter } from '../terminal/reporter.ts';
import { type Environment, Terminal } from '../terminal/terminal.ts';
import { type TrainArguments, trainArguments } from './arguments.ts';
import { bundleContents, exampleQueries, type ServedIndex, servedIndex } from './bundle.ts';
import { readTrainingData } from './data.ts';
import { Destination } from './destination.ts';
import type { EvaluatedEvent, TrainEvent } from './events.ts';
import { readFeatureSpec, trainingSpec } from './feature-spec.ts';
import { search } from './search.ts';
import { show } from './show.ts';
import { type TestSplit, testSplit, timeSplit } from './split.ts';
import { trainingRecord } from './training-record.ts';
import { type Earlier, earlierModel, fromEvent, warmSettings } from './warm-start.ts';

/** The share of the remaining budget for the search. The rest is for the evaluation, the last fit and the index. */
const SEARCH_SHARE = 0.65;
/** The share of the budget remaining after the search for the fit on all interactions. The rest is for the index. */
const LAST_FIT_SHARE = 0.8;
/** The share of the budget that one baseline may take. A baseline that would take longer is left out, which is reported. */
const BASELINE_SHARE = 0.15;

/** Train. */
export const train: Command = async (argv, environment) => {
  const options = trainArguments(argv);
  const destination = await Destination.at(options.out, options.isForced);
  // Before the search nothing is written, but an earlier run may have left trials, of this command or of another one.
  const kept = (): string => {
    const path = trialsPathOf(destination);
    return existsSync(path) ? `the trials of an earlier run are kept in ${path}` : 'nothing was written';
  };
  return trainInto(destination, options, environment).catch(whenInterrupted('train', kept));
};

function trialsPathOf({ path }: Destination): string {
  return `${path}.trials`;
}

async function trainInto(destination: Destination, options: TrainArguments, environment: Environment): Promise<number> {
  const { isForced, seed, k, budgetSeconds } = options;
  const earlier = options.from === undefined ? undefined : await earlierModel(options.from);
  const log = options.log === undefined ? undefined : trainingLogFile(options.log);
  const spec = trainingSpec(await readFeatureSpec(options.features), earlier);
  const started = environment.now();
  const elapsedSeconds = (): number => (environment.now() - started) / 1000;
  const terminal = new Terminal(environment);
  const tell = reporter<TrainEvent>(environment, options.isJson, show);
  const report: Report<TrainEvent> = (event) => {
    terminal.clear();
    tell(event);
  };
  const { interactions, items, seen, hasTimes, record, features } = await readTrainingData(
    options,
    spec,
    environment,
    terminal,
    report,
  );
  const split = options.split === 'time' ? timeSplit(interactions, hasTimes, seed) : testSplit(interactions, seed);
  report(splitEvent(split));
  if (earlier) report(fromEvent(earlier, interactions));
  const baselines = await baselinesOf(split, hasTimes, options, environment, terminal, report);
  const trialsPath = trialsPathOf(destination);
  const { trained, saved } = await search(
    split.train,
    {
      ...{ model: options.model, k, seed, trialsPath, only: earlier?.chosen, features, log },
      validation: options.split === 'time' ? timeSplit(split.train, hasTimes, seed) : undefined,
      budgetSeconds: SEARCH_SHARE * Math.max(0, budgetSeconds - elapsedSeconds()),
    },
    environment,
    terminal,
    report,
  );
  const evaluated = evaluateModel(trained, split, baselines, options);
  report(evaluated);
  for (const line of destination.compare(evaluated, options.split, isForced, trialsPath))
    report({ event: 'compared', line });
  const { fitted, index, event } = await fitOnAll(
    {
      ...{ interactions, chosen: trained.best, earlier, trialsPath, features, log },
      budgetSeconds: LAST_FIT_SHARE * Math.max(1, budgetSeconds - elapsedSeconds()),
    },
    options,
    environment,
    terminal,
  );
  report(event);
  const training = trainingRecord(options, record, trained, features?.spec, evaluated, event);
  const contents = bundleContents(fitted, index, { items, seen, training });
  const path = await destination.write((file) => saveBundle(file, contents));
  await saved.remove();
  const { size: sizeBytes } = await stat(path);
  const query = exampleQuery(fitted, interactions);
  report({ event: 'saved', path, out: destination.path, sizeBytes, seconds: elapsedSeconds(), query });
  return 0;
}

interface LastFit {
  readonly interactions: Interactions;
  readonly chosen: ChosenModel;
  readonly earlier: Earlier | undefined;
  readonly trialsPath: string;
  readonly features: FeatureModelData | undefined;
  readonly log: TrainingLog | undefined;
  readonly budgetSeconds: number;
}

async function fitOnAll(
  { interactions, chosen: { model, settings }, earlier, trialsPath, features, log, budgetSeconds }: LastFit,
  options: TrainArguments,
  environment: Environment,
  terminal: Terminal,
): Promise<ServedIndex & { readonly fitted: FittedRecommender }> {
  terminal.progress(undefined, 'fitting on all interactions');
  try {
    const fitted = await fitRecommender(
      interactions,
      { model, settings: earlier ? warmSettings(settings) : settings },
      { seed: options.seed, from: earlier?.model, budgetSeconds, features, log, signal: environment.signal },
    );
    if (fitted.isFitCut)
      terminal.note('the budget ended the fit on all interactions early; a larger --budget gives it more time');
    return { fitted, ...(await servedIndex(fitted, { ...options, interactions }, environment, terminal)) };
  } catch (error) {
    if (!(error instanceof AbortedError)) throw error;
    const cause = { cause: error };
    throw new AbortedError(`train: interrupted; the same command continues from the trials in ${trialsPath}`, cause);
  }
}

/** A query for the example after the training: a user, whose history a history tower reads, or the features of a user. */
function exampleQuery({ model, queryOf }: FittedRecommender, interactions: Interactions): string {
  if (model.kind !== 'features') return interactions.users.vocabulary[0]!;
  const [query] = exampleQueries(queryOf, interactions, 1);
  return JSON.stringify(query);
}

function splitEvent(split: TestSplit): TrainEvent {
  const { train: rest, test, users } = split;
  const sizes = { testUsers: users, trainRows: rest.length, testRows: test.length };
  if (split.way === 'time') {
    const { way, from, newUserRows } = split;
    return { event: 'split', way, ...sizes, from: new Date(1000 * from).toISOString(), newUserRows };
  }
  const { way, count: testRowsOfUser, minInteractions } = split;
  return { event: 'split', way, ...sizes, testRowsOfUser, minInteractions };
}

async function baselinesOf(
  split: TestSplit,
  hasTimes: boolean,
  { k, seed, budgetSeconds }: TrainArguments,
  { now, signal }: Environment,
  terminal: Terminal,
  report: Report<TrainEvent>,
): Promise<RecommenderEvaluation[]> {
  const found: RecommenderEvaluation[] = [];
  const baselines = evaluateBaselines(split, {
    ...{ ks: [k], seed, hasTimes, now, signal, secondsMax: BASELINE_SHARE * budgetSeconds },
    onStart: (name) => terminal.progress(undefined, `evaluating ${name}`),
    onLeftOut: (name, seconds) =>
      terminal.note(
        `  ${name} is left out, because it would take about ${duration(1000 * seconds)}; a larger --budget includes it`,
      ),
  });
  for await (const evaluation of baselines) {
    found.push(evaluation);
    report({ event: 'baseline', k, evaluation: evaluatedModel(evaluation) });
  }
  return found;
}

function evaluateModel(
  { recommender }: TrainedRecommender,
  split: TestSplit,
  baselines: readonly RecommenderEvaluation[],
  { k, seed }: TrainArguments,
): EvaluatedEvent {
  const evaluation = evaluateRecommender(recommender, split, { ks: [k], seed });
  return {
    event: 'evaluated',
    k,
    model: evaluatedModel(evaluation),
    baselines: baselines.map(evaluatedModel),
    comparisons: compareWithBaselines(evaluation, baselines, seed),
  };
}
