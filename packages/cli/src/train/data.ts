/** The files that `shortlist train` reads: rows to learn from, what users have seen, and the table of items. */
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
import { distinctPairs } from 'shortlist/recommenders';
import { readItemTable } from '../input/attributes.ts';
import { readOptions } from '../input/interactions.ts';
import { count } from '../terminal/format-numbers.ts';
import type { Report } from '../terminal/reporter.ts';
import type { Environment, Terminal } from '../terminal/terminal.ts';
import type { TrainArguments } from './arguments.ts';
import type { TrainEvent } from './events.ts';
import type { TrainingDataRecord } from './training-record.ts';

/** The result of reading. */
export interface TrainingData {
  /** Rows to learn from: one for each user and item. */
  readonly interactions: Interactions;
  /** All rows, also those that are no likes: nobody wants to see a film again that was rated with one star. */
  readonly seen: Interactions;
  readonly items: ItemTable | undefined;
  /** False where the only time is the place in a sequence. */
  readonly hasTimes: boolean;
  /** For the record in the bundle. */
  readonly record: TrainingDataRecord;
}

/** Reads interactions and items, and tells what was understood of them. */
export async function readTrainingData(
  { paths, reading }: TrainArguments,
  environment: Environment,
  terminal: Terminal,
  report: Report<TrainEvent>,
): Promise<TrainingData> {
  const options = readOptions(reading, terminal, environment.signal);
  const read = await readInteractions(paths, options);
  const { inferred } = read;
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
    terminal.note(`${again} rows have a user and an item that later rows have, too: they add to the weight of those`);
  }
  const seen = await seenRows(read, paths, options);
  const path = reading.items;
  const table =
    path === undefined
      ? undefined
      : await readItemTable(interactions.items.vocabulary, { ...reading, items: path }, environment.signal, terminal);
  return {
    ...{ interactions, seen, items: table },
    hasTimes: inferred.counts.timeUnits.size > 0,
    record: { files: [...paths], rows: interactions.length, users, items, ...(like !== undefined && { like }) },
  };
}

/** A like that was told leaves rows out while they are read; of ratings the others were seen as well. */
async function seenRows(
  read: ReadInteractions,
  paths: readonly string[],
  options: ReadInteractionsOptions,
): Promise<Interactions> {
  const isCut = options.like !== undefined && read.inferred.feedback === 'explicit';
  const whole = isCut ? await readInteractions(paths, { ...options, like: undefined }) : read;
  return interactionsOf(whole.table.select());
}
