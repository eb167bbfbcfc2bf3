/** Reads the data of `shortlist train`: the interactions to train on, the items that users have seen, and the table of items. */
import {
  describeFindings,
  describeInteractions,
  type ItemTable,
  likedRows,
  type ReadInteractions,
  type ReadInteractionsOptions,
  readInteractions,
} from '@shortlist/data';
import { type Interactions, interactionsOf } from 'shortlist';
import { distinctPairs, type FeatureModelData } from 'shortlist/recommenders';
import { readItemTable, readUserTable } from '../input/attributes.ts';
import { readOptions } from '../input/interactions.ts';
import { count } from '../terminal/format-numbers.ts';
import type { Report } from '../terminal/reporter.ts';
import type { Environment, Terminal } from '../terminal/terminal.ts';
import type { TrainArguments } from './arguments.ts';
import type { TrainEvent } from './events.ts';
import type { NamedSpec } from './feature-spec.ts';
import { readFeatureValues } from './feature-values.ts';
import type { TrainingDataRecord } from './training-record.ts';

/** The data of a training. */
export interface TrainingData {
  /** The interactions to train on, each pair of a user and an item once. */
  readonly interactions: Interactions;
  /** The items that users have seen: all rows, also those that are not likes. */
  readonly seen: Interactions;
  readonly items: ItemTable | undefined;
  /** False if the only time of a row is its position in a sequence. */
  readonly hasTimes: boolean;
  /** The spec and the values of a model over features. */
  readonly features: FeatureModelData | undefined;
  /** The part of the training record that describes the data. */
  readonly record: TrainingDataRecord;
}

/** Reads interactions and items, and reports the recognised formats and columns. */
export async function readTrainingData(
  { paths, reading, users: usersPath }: TrainArguments,
  spec: NamedSpec | undefined,
  environment: Environment,
  terminal: Terminal,
  report: Report<TrainEvent>,
): Promise<TrainingData> {
  const options = readOptions(reading, terminal, environment.signal);
  const read = await readInteractions(paths, options);
  const { inferred } = read;
  const { delimiter, header } = options;
  const rows = interactionsOf(likedRows(read));
  const interactions = distinctPairs(rows);
  const [users, items] = [interactions.users.vocabulary.length, interactions.items.vocabulary.length];
  const { like, isLikeProposed } = inferred;
  report({
    event: 'data',
    lines: describeInteractions(read),
    findings: describeFindings(read),
    ...{ rows: interactions.length, users, items, like, isLikeProposed },
  });
  if (rows.length > interactions.length) {
    const again = count(rows.length - interactions.length);
    terminal.note(
      `${again} rows repeat the user and the item of another row; each pair is used once, with the weights added up`,
    );
  }
  const seen = await seenRows(read, paths, options);
  const path = reading.items;
  const table =
    path === undefined
      ? undefined
      : await readItemTable(interactions.items.vocabulary, { ...reading, items: path }, environment.signal, terminal);
  const features =
    spec &&
    (await readFeatureValues(spec, {
      ...{ read, interactions, items: table, itemsPath: path, usersPath, signal: environment.signal },
      format: { delimiter, header },
      users:
        usersPath === undefined
          ? undefined
          : await readUserTable(interactions.users.vocabulary, usersPath, environment.signal, terminal),
    }));
  return {
    ...{ interactions, seen, items: table, features },
    hasTimes: inferred.counts.timeUnits.size > 0,
    record: { files: [...paths], rows: interactions.length, users, items, ...(like !== undefined && { like }) },
  };
}

/** The rows of seen items. With --like the rows that are not likes were left out, so ratings are read again without it. */
async function seenRows(
  read: ReadInteractions,
  paths: readonly string[],
  options: ReadInteractionsOptions,
): Promise<Interactions> {
  const isCut = options.like !== undefined && read.inferred.feedback === 'explicit';
  const whole = isCut ? await readInteractions(paths, { ...options, like: undefined }) : read;
  return interactionsOf(whole.table.select());
}
