/**
 * Examples that teach a query tower to read histories: the items that a user chose before, and the item chosen next.
 *
 * A user's interactions are taken in the order of time; interactions of the same time keep their given order. The i-th
 * example of a user has as its history the distinct items before interaction i, each where the user chose it last, the
 * earliest first, and as its candidate the item of interaction i. The history has only interactions before interaction i
 * in this order, and never the candidate: an item that the user chose before makes no second example, because a shortlist
 * leaves out seen items.
 *
 * Source: the next-item task of SASRec (Kang and McAuley 2018), one example for each position of a sequence.
 */
import { checkInteger } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { checkInteractions, type Interactions, rowsByTime } from '../data/interactions.ts';
import type { RetrievalDataset } from './dataset.ts';

/** Options of `nextItemExamples`. */
export interface NextItemOptions {
  /** The most items of a history; the latest are kept. Default 50. */
  maxLength?: number;
  /** The fewest items of a history; an interaction with fewer before it makes no example. Default 1. */
  minLength?: number;
}

/** Features of the query side of an example; a feature spec reads the fields that it names. */
export type HistoryQuery = {
  readonly user: string;
  /** The earliest item first. */
  readonly history: readonly string[];
};

const checkOptions = optionsCheck<NextItemOptions>('nextItemExamples', { maxLength: NUMBER, minLength: NUMBER });

/**
 * The examples of interactions, user by user, each user's earliest first.
 *
 * @throws {OptionError} when a number is out of range, or `minLength` is above `maxLength`
 */
export function nextItemExamples(
  interactions: Interactions,
  options: NextItemOptions = {},
): RetrievalDataset<HistoryQuery, string> {
  checkInteractions(interactions);
  const { maxLength = 50, minLength = 1 } = checkOptions(options);
  checkInteger('maxLength', maxLength, 1);
  checkInteger('minLength', minLength, 0, maxLength);
  const { users, items, weights } = interactions;
  const queries: HistoryQuery[] = [];
  const candidates: string[] = [];
  const sampleWeight: number[] = [];
  for (const [user, rows] of rowsByUser(interactions).entries()) {
    const seen = new Set<number>();
    let history: string[] = [];
    for (const row of rows) {
      const code = items.codes[row]!;
      const item = items.vocabulary[code]!;
      if (seen.has(code)) history = history.filter((earlier) => earlier !== item);
      else if (seen.size >= minLength) {
        queries.push({ user: users.vocabulary[user]!, history: history.slice(-maxLength) });
        candidates.push(item);
        if (weights) sampleWeight.push(weights[row]!);
      }
      seen.add(code);
      history.push(item);
    }
  }
  return { queries, candidates, sampleWeight: weights && sampleWeight };
}

/** The rows of each user, the earliest first. */
function rowsByUser(interactions: Interactions): number[][] {
  const rows: number[][] = interactions.users.vocabulary.map(() => []);
  for (const row of rowsByTime(interactions)) rows[interactions.users.codes[row]!]!.push(row);
  return rows;
}
