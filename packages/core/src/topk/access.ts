/**
 * Who may touch the candidates of an index, and when: a queue of reads and changes.
 *
 * What runs to its end in one go, as `call` does, needs no permission: nothing else runs meanwhile. This file orders what
 * takes more than one turn of the event loop:
 *
 * - a read (`callAsync`, a bundle that is saved with `nonBlocking`): the candidates stay as they are until it has ended;
 * - a change (`upsertAsync`, …): a function that runs when no read is under way;
 * - a long change (`rebalance`, `reserveAsync`, `indexAsync`): steps, each of which is a change; reads run between them.
 *
 * Reads and changes begin in the order in which they were asked for, so neither starves, and a read sees the changes asked
 * for before it and no later ones. A long change is the exception: reads see the candidates of before it until its last
 * step, and updates may overtake it where it lets them in. A synchronous change cannot wait: `checkChange` refuses it while
 * a read is under way, or while candidates that replace the present ones are on their way, and leaves everything as it was.
 */
import { throwIfAborted } from '../checks/abort.ts';
import { StateError } from '../errors/errors.ts';
import { nextTurn } from '../parallel/steps.ts';

/** How a change gets on with others. */
export interface ChangeKind {
  /** It puts other candidates in the place of all: updates that are asked for later are for those. Default false. */
  replaces?: boolean;
}

/** A change in steps. */
export interface LongChange<P, T> extends ChangeKind {
  /** Awaited before the first step, while other changes that may not overtake this one wait. */
  prepare?: () => Promise<void>;
  /** The steps; called when the change may begin. */
  begin: () => Generator<P, T>;
  /**
   * Whether updates may run between the steps. Default false: asynchronous ones wait, and a synchronous one has all
   * remaining steps done at once.
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
  /** Do the remaining steps now; undefined where others need not wait for them, or must not get ahead. */
  finish?: () => void;
}

/** The steps of a long change, done one by one or all at once. */
class Steps<P, T> {
  /** How they ended. */
  end: { value: T } | { error: unknown } | undefined;
  readonly #begin: () => Generator<P, T>;
  readonly #ended: () => void;
  #steps: Generator<P, T> | undefined;

  /** @param ended called once, right after the last step */
  constructor(begin: () => Generator<P, T>, ended: () => void) {
    this.#begin = begin;
    this.#ended = ended;
  }

  /** Do a step; what it yields. An error ends them, as the last step does. */
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

  /** Do all that are left. An error is for whoever asks for the result. */
  finish(): void {
    while (!this.end) this.advance();
  }

  /** What the last step returned, or threw. */
  result(): T {
    if ('error' in this.end!) throw this.end.error;
    return this.end!.value;
  }

  /** End them where they are. */
  stop(): void {
    this.#steps?.return(undefined as T);
  }
}

/** A read under way: a search that is told of it is a part of it, and does not wait for changes that wait for it. */
export class Reading {}

/** Orders the reads and changes of one index. */
export class IndexAccess {
  /** Verbs of the reads under way. */
  readonly #reading: string[] = [];
  /** Changes that wait for the reads under way, and reads that wait for these changes, in the order they were asked for. */
  readonly #waiting: { isRead: boolean; begin: () => void }[] = [];
  #long: Change | undefined;
  /** Changes that wait for the long one. */
  readonly #queue: Change[] = [];
  /** True while a change runs that has the access already. */
  #isChanging = false;
  #isTakingTurns = false;
  #search: Promise<unknown> = Promise.resolve();

  /** True while a read would wait. */
  get isContended(): boolean {
    return this.#waiting.length > 0;
  }

  /** Run `work`, during which the candidates stay as they are. What it is given lets it search within this read. */
  async read<T>(verb: string, work: (reading: Reading) => Promise<T>): Promise<T> {
    if (this.#waiting.length === 0) this.#reading.push(verb);
    else {
      // The read counts from when it is let in: nothing may change between that and its first step.
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
   * `read` of a search; searches run one after the other, because they share their memory.
   *
   * @param within the read that the search is a part of; default one of its own
   */
  search<T>(verb: string, work: () => Promise<T>, within?: Reading): Promise<T> {
    const inTurn = (): Promise<T> => {
      const done = this.#search.then(work);
      this.#search = done.catch(() => undefined);
      return done;
    };
    return within ? inTurn() : this.read(verb, inTurn);
  }

  /** Run a change as soon as none before it and no read is in its way: at once, if that is now. Rejects as it throws. */
  change<T>(verb: string, change: () => T, { replaces = false }: ChangeKind = {}): Promise<T> {
    if (!this.#mustQueue(replaces)) return this.#exclusively(change);
    return new Promise((resolve) => {
      const start = (): void => resolve(this.#exclusively(change));
      this.#queue.push({ verb, replaces, isLong: false, letsUpdatesIn: false, start });
    });
  }

  /**
   * Run a long change after those before it; what its last step returns.
   *
   * @throws {AbortedError} when the signal is raised
   * @throws what a step or `check` throws
   */
  async changeInSteps<P, T>(verb: string, long: LongChange<P, T>): Promise<T> {
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
   * Ask whether a synchronous change may run now; what it may overtake is done first.
   *
   * @param twin the asynchronous verb that waits
   * @throws {StateError} when it may not, naming what is under way
   */
  checkChange(verb: string, twin: string): void {
    if (this.#isChanging) return;
    const [reading] = this.#reading;
    if (reading !== undefined) throw refused(verb, twin, `${reading} under way`, 'reads the candidates');
    const replacing = [this.#long, ...this.#queue].find((change) => change?.replaces);
    if (replacing) throw refused(verb, twin, `${replacing.verb} under way`, 'replaces the candidates');
    // Changes that wait for room to be made come before this one.
    while (this.#long?.finish) this.#changing(this.#long.finish);
  }

  /** Whether a change waits for the long one, or for one that waits for it. */
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

  /** Begin what waits, in order: reads together, a change when no read is under way. */
  #takeTurns(): void {
    this.#isTakingTurns = true;
    for (let next = this.#waiting[0]; next && (next.isRead || this.#reading.length === 0); next = this.#waiting[0]) {
      this.#waiting.shift();
      next.begin();
    }
    this.#isTakingTurns = false;
  }

  /** The long change is over: begin those that waited for it, up to the next long one. */
  #next(): void {
    this.#long = undefined;
    while (this.#queue.length > 0 && !this.#long) {
      const change = this.#queue.shift()!;
      if (change.isLong) this.#long = change;
      change.start();
    }
    if (!this.#long?.letsUpdatesIn) return;
    // Updates that waited with it need not wait for it.
    for (let at = 0; at < this.#queue.length && !this.#queue[at]!.replaces; ) {
      if (this.#queue[at]!.isLong) at++;
      else this.#queue.splice(at, 1)[0]!.start();
    }
  }
}

function refused(verb: string, twin: string, expected: string, reason: string): StateError {
  return new StateError(`${verb}: expected no ${expected}, got one that ${reason}; ${twin} waits for it`);
}
