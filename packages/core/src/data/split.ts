/**
 * Splits of interactions into a training part and a held-out part: each user's last rows, everything after a
 * moment, or users and rows drawn by a seed. Both parts keep the vocabularies, so that codes mean the same in them.
 *
 * A validation part is cut from the training part with the same functions.
 */
import { checkInteger, checkNumber } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { OptionError, StateError } from '../errors/errors.ts';
import { Generator } from '../random/generator.ts';
import { checkInteractions, type Interactions, rowsByTime, takeInteractions } from './interactions.ts';

/** Two parts of interactions; rows keep their order. */
export interface InteractionSplit {
  readonly train: Interactions;
  /** The held-out interactions. */
  readonly test: Interactions;
}

/** Options of `leaveLastOut`. */
export interface LeaveLastOutOptions {
  /** Rows held out of each user, the last by time; default 1. */
  count?: number;
  /**
   * All rows of users with fewer rows stay in the training part; default count + 1, so that every user keeps a row
   * there.
   */
  minInteractions?: number;
  /** Rows are held out of at most this many users, drawn by the seed; default all. */
  maxUsers?: number | undefined;
  /** Default 42. */
  seed?: number;
}

const checkOptions = optionsCheck<LeaveLastOutOptions>('leaveLastOut', {
  count: NUMBER,
  minInteractions: NUMBER,
  maxUsers: NUMBER,
  seed: NUMBER,
});

/**
 * Hold out the last rows of every user. Of rows of one time, and of all where there are no times, the later row is later.
 *
 * @throws {OptionError} when a number is out of range
 */
export function leaveLastOut(interactions: Interactions, options: LeaveLastOutOptions = {}): InteractionSplit {
  checkInteractions(interactions);
  const { count = 1, minInteractions = count + 1, maxUsers, seed = 42 } = checkOptions(options);
  checkInteger('count', count, 1);
  checkInteger('minInteractions', minInteractions, 1);
  if (maxUsers !== undefined) checkInteger('maxUsers', maxUsers, 1);
  const { users, length } = interactions;
  const rowsLeft = new Int32Array(users.vocabulary.length);
  for (const user of users.codes) rowsLeft[user]!++;
  const isAsked = Uint8Array.from(rowsLeft, (rows) => (rows >= minInteractions ? 1 : 0));
  if (maxUsers !== undefined) drawUsers(isAsked, maxUsers, seed);
  const isTest = new Uint8Array(length);
  // The latest row first: a user's first `count` rows met are the last by time.
  const taken = new Int32Array(users.vocabulary.length);
  for (const row of rowsByTime(interactions).reverse()) {
    const user = users.codes[row]!;
    if (isAsked[user] && taken[user]! < count) {
      taken[user]!++;
      isTest[row] = 1;
    }
  }
  return splitRows(interactions, isTest);
}

/** The time of the cut: a moment, or the moment that makes the latest rows about this share. */
export type TimeCut = { from: number } | { testShare: number };

const checkCut = optionsCheck<{ from?: number; testShare?: number }>('splitByTime', {
  from: NUMBER,
  testShare: NUMBER,
});

/**
 * Hold out everything from a moment on (in the unit of `times`). With a share the moment is the time of the row at that
 * place in the order of time; rows of one time are never parted.
 *
 * @throws {StateError} when the interactions have no times
 * @throws {OptionError} when the share is not between 0 and 1, or the moment is no number
 */
export function splitByTime(interactions: Interactions, cut: TimeCut): InteractionSplit {
  checkInteractions(interactions);
  checkCut(cut);
  if ('from' in cut && 'testShare' in cut) throw new OptionError('cut: expected from or testShare, got both');
  const { times, length } = interactions;
  if (!times) throw new StateError('splitByTime: expected interactions with times, got none');
  let from: number;
  if ('from' in cut) {
    from = cut.from;
    if (!Number.isFinite(from)) throw new OptionError(`from: expected a finite time, got ${from}`);
  } else {
    checkNumber('testShare', cut.testShare, 0, 1);
    const rows = rowsByTime(interactions);
    const at = Math.round(length * (1 - cut.testShare));
    from = at < length ? times[rows[at]!]! : Number.POSITIVE_INFINITY;
  }
  return splitRows(interactions, new Uint8Array(times.map((time) => (time >= from ? 1 : 0))));
}

/** Keep the marks of `count` of the marked users, drawn by the seed. */
function drawUsers(isAsked: Uint8Array, count: number, seed: number): void {
  let kept = 0;
  for (const user of new Generator(seed).fork('leave-last-out').permutation(isAsked.length)) {
    if (!isAsked[user]) continue;
    if (kept < count) kept++;
    else isAsked[user] = 0;
  }
}

function splitRows(interactions: Interactions, isTest: Uint8Array): InteractionSplit {
  const rowsWhere = (flag: number): Int32Array => {
    const rows = new Int32Array(interactions.length);
    let count = 0;
    for (let row = 0; row < isTest.length; row++) if (isTest[row] === flag) rows[count++] = row;
    return rows.subarray(0, count);
  };
  return { train: takeInteractions(interactions, rowsWhere(0)), test: takeInteractions(interactions, rowsWhere(1)) };
}
