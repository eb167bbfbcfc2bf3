/** Parses and checks the arguments of `shortlist train`. */
import { basename } from 'node:path';
import { MODEL_KINDS, type ModelKind } from 'shortlist/recommenders';
import { ITEM_OPTIONS, type ItemValues } from '../input/attributes.ts';
import { INTERACTION_OPTIONS, type InteractionValues } from '../input/interactions.ts';
import { numberOf, secondsOf, wholeNumberOf, wordOf } from '../terminal/arguments.ts';
import { UsageError } from '../terminal/command.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';
import { SPLITS, type SplitWay } from './split.ts';

const OPTIONS = {
  ...INTERACTION_OPTIONS,
  ...ITEM_OPTIONS,
  out: { type: 'string' },
  from: { type: 'string' },
  model: { type: 'string' },
  features: { type: 'string' },
  users: { type: 'string' },
  budget: { type: 'string', default: '5m' },
  split: { type: 'string', default: 'leave-last-out' },
  k: { type: 'string', default: '10' },
  recall: { type: 'string', default: '0.98' },
  seed: { type: 'string', default: '42' },
  force: { type: 'boolean', default: false },
  log: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

/** The parsed arguments. */
export interface TrainArguments {
  /** Files of interactions, which are read as one set. */
  readonly paths: readonly string[];
  /** The path of the bundle, or a folder of versions. */
  readonly out: string;
  /** An earlier bundle, or a folder of versions, with whose model the training continues. */
  readonly from: string | undefined;
  readonly model: ModelKind | 'auto';
  /** The spec of a model over features: the path of a JSON file, or the JSON itself. */
  readonly features: string | undefined;
  /** The path of a table of users, whose columns the spec may name. */
  readonly users: string | undefined;
  readonly budgetSeconds: number;
  readonly split: SplitWay;
  readonly k: number;
  readonly targetRecall: number;
  readonly seed: number;
  readonly isForced: boolean;
  /** The path of the log of steps and epochs. */
  readonly log: string | undefined;
  readonly isJson: boolean;
  /** The options about reading interactions and items. */
  readonly reading: InteractionValues & ItemValues;
}

/** Reads and checks arguments. @throws {UsageError} when one is wrong */
export function trainArguments(argv: readonly string[]): TrainArguments {
  const { values, positionals: paths } = parseArguments({ args: [...argv], options: OPTIONS, allowPositionals: true });
  if (paths.length === 0) throw new UsageError('train: expected a file of interactions, got none');
  if (values.from !== undefined && values.model !== undefined) {
    throw new UsageError('--model: not allowed with --from, which sets the model');
  }
  return {
    paths,
    out: values.out ?? `${stemOf(values.items ?? paths[0]!)}.shortlist`,
    from: values.from,
    model: modelOf(values),
    features: values.features,
    users: values.users,
    budgetSeconds: secondsOf('budget', values.budget),
    split: wordOf('split', values.split, SPLITS),
    k: wholeNumberOf('k', values.k, 1),
    targetRecall: numberOf('recall', values.recall, 0.01, 1),
    seed: wholeNumberOf('seed', values.seed, 0),
    isForced: values.force,
    log: values.log,
    isJson: values.json,
    reading: values,
  };
}

/** The kind of model: that of `--model`, or a model over features where `--features` gives a spec. */
function modelOf({
  model,
  features,
}: {
  model?: string | undefined;
  features?: string | undefined;
}): ModelKind | 'auto' {
  if (features === undefined && model === 'features') {
    throw new UsageError('--model features: expected --features with a spec, got none');
  }
  if (features !== undefined && model !== undefined && model !== 'features') {
    throw new UsageError(`--features: not allowed with --model ${model}`);
  }
  return wordOf('model', model ?? (features === undefined ? 'auto' : 'features'), ['auto', ...MODEL_KINDS]);
}

/** The name of a file without folder and endings: `movies` for data/movies.csv.gz. */
function stemOf(path: string): string {
  const name = basename(path);
  return name.replace(/(?<=.)\..*$/, '') || name;
}
