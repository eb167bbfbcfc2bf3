/**
 * The access queue of an index: which reads and changes of its candidates may run at a time.
 *
 * A synchronous function such as `call` needs no permission, because nothing else runs until it returns. This file orders
 * the operations that take more than one turn of the event loop:
 *
 * - A read (`callAsync`, a bundle that is saved with `nonBlocking`): the candidates do not change until it has ended.
 * - A change (`upsertAsync`, …): a function that runs when no read is under way.
 * - A long change (`rebalance`, `reserveAsync`, `indexAsync`): a series of steps. Each step is a change; reads may run
 *   between two steps.
 *
 * Reads and changes begin in the order in which they were requested, so neither starves. A read sees the changes requested
 * before it and no later ones. Long changes are the exception: a read sees the old candidates until the last step, and
 * updates may run between the steps if the change allows them. A synchronous change cannot wait. `checkChange` throws while
 * a read is under way, or while `indexAsync` or `indexFromDataset` prepares other candidates; nothing has changed then.
 */

import { throwIfAborted } from '../checks/abort.ts';
import { checkArgument } from '../checks/arguments.ts';
import { FUNCTION, OBJECT, objectWith } from '../checks/options.ts';
import { StateError } from '../errors/errors.ts';
import { nextTurn } from '../parallel/steps.ts';

/** The properties of a change that other changes depend on. */
export interface ChangeKind {
  /** True when it replaces all candidates: updates requested after it apply to the new ones. Default false. */
  replaces?: boolean;
}

/** A change in steps. */
export interface LongChange<P, T> extends ChangeKind {
  /** Awaited before the first step. Changes that may not run before this one wait meanwhile. */
  prepare?: () => Promise<void>;
  /** The steps; called when the change may begin. */
  begin: () => Generator<P, T>;
  /**
   * Whether updates may run between the steps. Default false: an asynchronous update waits for the last step, and a
   * synchronous one first runs all remaining steps.
   */
  letsUpdatesIn?: boolean;
  /** Called between two steps; ends the change when it throws. */
  check?: () => void;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: P) => void) | undefined;
}

/** A long change that has begun, or a change that waits for one. */
interface Change {
  verb: string;
  replaces: boolean;
  isLong: boolean;
  letsUpdatesIn: boolean;
  /** Called when it may begin. */
  start: () => void;
  /**
   * Runs the remaining steps now; undefined for a change that lets updates in and for one that replaces the candidates.
   */
  finish?: () => void;
}

/** The steps of a long change, done one by one or all at once. */
class Steps<P, T> {
  /** The result of the last step, or the error that ended the steps; undefined before. */
  end: { value: T } | { error: unknown } | undefined;
  readonly #begin: () => Generator<P, T>;
  readonly #ended: () => void;
  #steps: Generator<P, T> | undefined;

  /** @param ended called once, right after the last step */
  constructor(begin: () => Generator<P, T>, ended: () => void) {
    this.#begin = begin;
    this.#ended = ended;
  }

  /** Do the next step and return what it yields. An error ends the steps, as the last step does. */
  advance(): P | undefined {
    if (this.end) return undefined;
    try {
      this.#steps ??= this.#begin();
      const step = this.#steps.next();
      if (!step.done) return step.value;
      this.end = { value: step.value };
    } catch (error) {
      this.end = { error };
    }
    this.#ended();
    return undefined;
  }

  /** Do all remaining steps. An error is kept for `result`. */
  finish(): void {
    while (!this.end) this.advance();
  }

  /** The value that the last step returned. @throws what a step threw */
  result(): T {
    if ('error' in this.end!) throw this.end.error;
    return this.end!.value;
  }

  /** End the steps before the last one. */
  stop(): void {
    this.#steps?.return(undefined as T);
  }
}

/** A read under way. A search that is given one runs as a part of it, and does not wait behind queued changes. */
export class Reading {}

const LONG = objectWith('a change in steps, which has `begin`', 'begin');

/** Orders the reads and changes of one index. */
export class IndexAccess {
  /** Verbs of the reads under way. */
  readonly #reading: string[] = [];
  /** Changes that wait for the reads under way, and reads that wait for these changes, in the order of the requests. */
  readonly #waiting: { isRead: boolean; begin: () => void }[] = [];
  #long: Change | undefined;
  /** Changes that wait for the long change. */
  readonly #queue: Change[] = [];
  /** True while a change runs: `checkChange` then accepts the changes that it makes itself. */
  #isChanging = false;
  #isTakingTurns = false;
  #search: Promise<unknown> = Promise.resolve();

  /** True while a read would wait. */
  get isContended(): boolean {
    return this.#waiting.length > 0;
  }

  /** Run `work` as a read: the candidates do not change until it ends. Its argument lets `search` run within this read. */
  async read<T>(verb: string, work: (reading: Reading) => Promise<T>): Promise<T> {
    checkArgument('work', work, FUNCTION);
    if (this.#waiting.length === 0) this.#reading.push(verb);
    else {
      // The read counts from the moment it may begin: nothing may change between that and its first step.
      await new Promise<void>((resolve) => {
        const begin = (): void => {
          this.#reading.push(verb);
          resolve();
        };
        this.#waiting.push({ isRead: true, begin });
      });
    }
    try {
      return await work(new Reading());
    } finally {
      this.#reading.splice(this.#reading.indexOf(verb), 1);
      if (this.#reading.length === 0) this.#takeTurns();
    }
  }

  /**
   * Run a search as a read. Searches run one after the other, because they share their memory.
   *
   * @param within the read that the search is a part of; default: a read of its own
   */
  search<T>(verb: string, work: () => Promise<T>, within?: Reading): Promise<T> {
    checkArgument('work', work, FUNCTION);
    const inTurn = (): Promise<T> => {
      const done = this.#search.then(work);
      this.#search = done.catch(() => undefined);
      return done;
    };
    return within ? inTurn() : this.read(verb, inTurn);
  }

  /** Run a change after the reads and changes before it; at once where there are none. Rejects with what it throws. */
  change<T>(verb: string, change: () => T, kind: ChangeKind = {}): Promise<T> {
    checkArgument('change', change, FUNCTION);
    const { replaces = false } = checkArgument('kind', kind, OBJECT);
    if (!this.#mustQueue(replaces)) return this.#exclusively(change);
    return new Promise((resolve) => {
      const start = (): void => resolve(this.#exclusively(change));
      this.#queue.push({ verb, replaces, isLong: false, letsUpdatesIn: false, start });
    });
  }

  /**
   * Run a long change after the changes before it; resolves to what its last step returns.
   *
   * @throws {AbortedError} when the signal is raised
   * @throws what a step or `check` throws
   */
  async changeInSteps<P, T>(verb: string, long: LongChange<P, T>): Promise<T> {
    checkArgument('long', long, LONG);
    const { prepare, replaces = false, letsUpdatesIn = false, check, signal, onProgress } = long;
    throwIfAborted(verb, signal);
    const steps = new Steps(long.begin, () => this.#next());
    const change: Change = { verb, replaces, isLong: true, letsUpdatesIn, start: () => undefined };
    if (!replaces && !letsUpdatesIn) change.finish = () => steps.finish();
    if (this.#long) {
      await new Promise<void>((start) => {
        change.start = start;
        this.#queue.push(change);
      });
    } else this.#long = change;
    try {
      if (prepare) await prepare();
      if (!steps.end) throwIfAborted(verb, signal);
      for (;;) {
        const progress = await this.#exclusively(() => steps.advance());
        if (steps.end) return steps.result();
        onProgress?.(progress as P);
        await nextTurn();
        if (steps.end) return steps.result();
        throwIfAborted(verb, signal);
        check?.();
      }
    } finally {
      steps.stop();
      if (this.#long === change) this.#next();
    }
  }

  /**
   * Check that a synchronous change may run now. Remaining steps of a `reserveAsync` under way are done first.
   *
   * @param twin name of the asynchronous method that would wait, for the message
   * @throws {StateError} when it may not run, naming what is under way
   */
  checkChange(verb: string, twin: string): void {
    if (this.#isChanging) return;
    const [reading] = this.#reading;
    if (reading !== undefined) throw refused(verb, twin, `${reading} under way`, 'reads the candidates');
    const replacing = [this.#long, ...this.#queue].find((change) => change?.replaces);
    if (replacing) throw refused(verb, twin, `${replacing.verb} under way`, 'replaces the candidates');
    // Steps of `reserveAsync`, and changes that wait for it, come before this change.
    while (this.#long?.finish) this.#changing(this.#long.finish);
  }

  /** True when a change must wait for the long change, or for another change in the queue. */
  #mustQueue(replaces: boolean): boolean {
    if (!this.#long) return false;
    return !this.#long.letsUpdatesIn || replaces || this.#queue.some((change) => change.replaces || !change.isLong);
  }

  /** Run a change now, or when the reads under way have ended. */
  #exclusively<T>(change: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = (): void => {
        try {
          resolve(this.#changing(change));
        } catch (error) {
          reject(error);
        }
      };
      if (this.#reading.length === 0 && !this.#isTakingTurns) run();
      else this.#waiting.push({ isRead: false, begin: run });
    });
  }

  #changing<T>(change: () => T): T {
    const before = this.#isChanging;
    this.#isChanging = true;
    try {
      return change();
    } finally {
      this.#isChanging = before;
    }
  }

  /** Begin waiting reads and changes in order: successive reads together, a change when no read is under way. */
  #takeTurns(): void {
    this.#isTakingTurns = true;
    for (let next = this.#waiting[0]; next && (next.isRead || this.#reading.length === 0); next = this.#waiting[0]) {
      this.#waiting.shift();
      next.begin();
    }
    this.#isTakingTurns = false;
  }

  /** After a long change: begin the changes that waited for it, up to and including the next long one. */
  #next(): void {
    this.#long = undefined;
    while (this.#queue.length > 0 && !this.#long) {
      const change = this.#queue.shift()!;
      if (change.isLong) this.#long = change;
      change.start();
    }
    if (!this.#long?.letsUpdatesIn) return;
    // The next long change lets updates in: the updates that are queued with it may run now.
    for (let at = 0; at < this.#queue.length && !this.#queue[at]!.replaces; ) {
      if (this.#queue[at]!.isLong) at++;
      else this.#queue.splice(at, 1)[0]!.start();
    }
  }
}

function refused(verb: string, twin: string, expected: string, reason: string): StateError {
  return new StateError(`${verb}: expected no ${expected}, got one that ${reason}; ${twin} waits for it`);
}
