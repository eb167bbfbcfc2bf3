/**
 * `shortlist evaluate BUNDLE INTERACTIONS`: measures how well the index of a bundle finds items that users chose later, and
 * compares it with baselines that learn from the same training part.
 *
 * The training part is `--train`, or else the seen items in the bundle. Its items are left out of the lists of their users,
 * and do not count as positives.
 */
import { basename } from 'node:path';
import {
  describeFindings,
  describeInteractions,
  describeLeaks,
  findLeaks,
  likedRows,
  type ReadInteractions,
  type ReadInteractionsOptions,
  readInteractions,
} from '@shortlist/data';
import { type Bundle, DataError, type Interactions, interactionsOf, OptionError } from 'shortlist';
import type { JsonObject } from 'shortlist/format';
import { evaluateRecommender, type RecommenderEvaluation } from 'shortlist/metrics';
import { distinctPairs, type InteractionSplit } from 'shortlist/recommenders';
import { openBundle } from '../input/bundle.ts';
import { INTERACTION_OPTIONS, readOptions } from '../input/interactions.ts';
import { wholeNumberOf } from '../terminal/arguments.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { duration } from '../terminal/format-numbers.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';
import { type Report, reporter } from '../terminal/reporter.ts';
import { type Environment, Terminal } from '../terminal/terminal.ts';
import { compareWithBaselines, evaluateBaselines, evaluatedModel } from './baselines.ts';
import { bundleRecommender, candidatesOf, splitOf } from './bundle-recommender.ts';
import type { EvaluateEvent } from './events.ts';
import { showEvaluation } from './show.ts';

const OPTIONS = {
  ...INTERACTION_OPTIONS,
  train: { type: 'string', multiple: true },
  k: { type: 'string', default: '10' },
  seed: { type: 'string', default: '42' },
  json: { type: 'boolean', default: false },
} as const;

/** A baseline whose fit would take longer is left out, which is reported. */
const BASELINE_SECONDS_MAX = 120;

type Loaded = Bundle<string | readonly string[] | Readonly<Record<string, unknown>>, string>;

/** Evaluate a bundle. */
export const evaluate: Command = async (argv, environment) => {
  const { values, positionals } = parseArguments({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const [path, ...testPaths] = positionals;
  if (path === undefined || testPaths.length === 0) {
    throw new UsageError('evaluate: expected a bundle and a file of interactions');
  }
  const ks = values.k.split(',').map((text) => wholeNumberOf('k', text, 1));
  const seed = wholeNumberOf('seed', values.seed, 0);
  const terminal = new Terminal(environment);
  const tell = reporter<EvaluateEvent>(environment, values.json, showEvaluation);
  const report: Report<EvaluateEvent> = (event) => {
    terminal.clear();
    tell(event);
  };
  const bundle: Loaded = await openBundle(path);
  const candidates = candidatesOf(path, bundle);
  const reading = readOptions(values, terminal, environment.signal);
  const like = values.like ?? likeOf(bundle);
  const read = await readLikes(testPaths, like, values.like !== undefined, reading);
  const train = await trainPart(bundle, values.train, like, reading);
  const test = distinctPairs(interactionsOf(likedRows(read)));
  const leaks = train && findLeaks(train.interactions, test);
  if (leaks && leaks.pairsInBoth === test.length) {
    throw new DataError(
      `${testPaths.join(', ')}: expected rows that are not in the training part, got none: all ${test.length} are in ${train.name}`,
    );
  }
  report({
    ...{ event: 'data', bundle: path, candidates: candidates.length },
    ...{
      lines: describeInteractions(read),
      findings: [...describeFindings(read), ...(leaks ? describeLeaks(leaks) : [])],
    },
    ...{ train: train?.name, trainRows: train?.interactions.length ?? 0, testRows: test.length },
  });
  const split = splitOf(candidates, train?.interactions ?? NOTHING, test);
  const baselines = train ? await baselinesOf(split, ks, seed, environment, terminal) : [];
  terminal.progress(undefined, `evaluating ${path}`);
  const evaluation = evaluateRecommender(bundleRecommender(basename(path), bundle, split.train), split, { ks, seed });
  report({
    ...{ event: 'evaluated', ks, model: evaluatedModel(evaluation), baselines: baselines.map(evaluatedModel) },
    comparisons: compareWithBaselines(evaluation, baselines, seed),
  });
  return 0;
};

const NOTHING: Interactions = interactionsOf({
  users: { codes: new Int32Array(0), vocabulary: [] },
  items: { codes: new Int32Array(0), vocabulary: [] },
});

/** The condition of a like with which the bundle was trained. */
function likeOf({ metadata }: Loaded): string | undefined {
  const data = ((metadata.training ?? {}) as JsonObject).data as JsonObject | undefined;
  return typeof data?.like === 'string' ? data.like : undefined;
}

/** Reads the rows that are likes. The condition from the bundle is not used if the file lacks its columns. */
async function readLikes(
  paths: readonly string[],
  like: string | undefined,
  isGiven: boolean,
  options: ReadInteractionsOptions,
): Promise<ReadInteractions> {
  try {
    return await readInteractions(paths, { ...options, like });
  } catch (error) {
    if (isGiven || like === undefined || !(error instanceof OptionError)) throw error;
    return readInteractions(paths, options);
  }
}

interface TrainPart {
  readonly name: string;
  readonly interactions: Interactions;
}

/** The rows from which the model has learned; undefined if they are not known. */
async function trainPart(
  { seenItems }: Loaded,
  paths: readonly string[] | undefined,
  like: string | undefined,
  options: ReadInteractionsOptions,
): Promise<TrainPart | undefined> {
  if (paths !== undefined) {
    const read = await readLikes(paths, like, options.like !== undefined, options);
    return { name: paths.join(' + '), interactions: distinctPairs(interactionsOf(likedRows(read))) };
  }
  if (seenItems === undefined || seenItems.pairCount === 0) return undefined;
  return { name: 'the seen items in the bundle', interactions: seenItems.toInteractions() };
}

async function baselinesOf(
  split: InteractionSplit,
  ks: readonly number[],
  seed: number,
  { now, signal }: Environment,
  terminal: Terminal,
): Promise<RecommenderEvaluation[]> {
  const found: RecommenderEvaluation[] = [];
  const options = { ks, seed, hasTimes: false, signal, now, secondsMax: BASELINE_SECONDS_MAX };
  for await (const evaluation of evaluateBaselines(split, {
    ...options,
    onStart: (name) => terminal.progress(undefined, `evaluating ${name}`),
    onLeftOut: (name, seconds) =>
      terminal.note(`${name} is left out, because it would take about ${duration(1000 * seconds)}`),
  })) {
    found.push(evaluation);
  }
  return found;
}
