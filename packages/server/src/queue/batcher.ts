/**
 * The queue between requests and scans: asks in flight are answered together, in slices short enough that the event loop
 * stays responsive.
 *
 * A slice runs when `batch` asks wait, or `waitMs` after the first of them came; with waitMs = 0 that is as soon as the
 * sockets that are readable now have been read, which already gathers what arrived during the scan before. A slice takes
 * as many asks as the measured time an ask takes allows within `sliceMs`. A scan long enough to be worth it runs on the
 * worker threads while the event loop goes on (the servable decides); the next slice gathers meanwhile, and begins before
 * the answers of the one before are given out, so that the workers do not wait for sockets to be written.
 * The queue is bounded in asks: beyond, UNAVAILABLE with a time to retry after. An ask whose deadline has passed, or
 * whose caller is gone, is dropped before it is scanned.
 */

import type { Answer, Ask } from '../servable/contract.ts';
import { ServingError, toServingError } from '../status/serving-error.ts';

/** Settings of a queue. */
export interface BatcherOptions {
  /** Most asks of one scan; default 64. */
  batch?: number;
  /** Longest wait for more asks, in milliseconds; default 0: no longer than the event loop needs to come around. */
  waitMs?: number;
  /** Asks that may wait; default 1,024. */
  queued?: number;
  /** Time one scan may hold the event loop, in milliseconds; default 4. */
  sliceMs?: number;
  now?: () => number;
  /** Told of every scan: asks, milliseconds it took, milliseconds its oldest ask had waited. */
  onBatch?: (asks: number, tookMs: number, waitedMs: number) => void;
  /** Told of every request that found no room. */
  onShed?: () => void;
  /** Told of the answers of every request. */
  onAnswer?: (asks: readonly Ask[], answers: readonly Answer[]) => void;
}

/** What one request says beside its asks. */
export interface AskOptions {
  /** Point in time, by the queue's clock, after which nobody wants the answer. */
  deadline?: number | undefined;
  /** Says when the caller no longer waits. An AbortSignal is one. */
  signal?: { readonly aborted: boolean } | undefined;
}

interface Job {
  asks: readonly Ask[];
  answers: Answer[];
  /** How many of them are there: of two slices the later may be answered first. */
  answered: number;
  /** The first ask that no slice has taken. */
  next: number;
  deadline: number;
  signal: { readonly aborted: boolean } | undefined;
  arrived: number;
  resolve: (answers: Answer[]) => void;
  reject: (error: unknown) => void;
}

/** Asks that one scan answers, and whose they are. */
interface Slice {
  asks: readonly Ask[];
  parts: readonly { job: Job; first: number; count: number }[];
  started: number;
  waitedMs: number;
}

/** Answers of a scan that is done, or of one on the worker threads. */
type Answers = Answer[] | Promise<Answer[]>;

/** Weight of the newest scan in the running mean of the time an ask takes. */
const NEWEST = 0.2;

const nothing = (): void => undefined;

/** Gathers asks and answers them by scans. */
export class Batcher {
  readonly #answer: (asks: readonly Ask[]) => Answers;
  readonly #options: Required<BatcherOptions>;
  #jobs: Job[] = [];
  #waiting = 0;
  #askMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #idle: (() => void)[] = [];
  #isScanning = false;

  constructor(answer: (asks: readonly Ask[]) => Answers, options: BatcherOptions = {}) {
    this.#answer = answer;
    const { batch = 64, waitMs = 0, queued = 1024, sliceMs = 4 } = options;
    const { now = () => performance.now(), onBatch = nothing, onShed = nothing, onAnswer = nothing } = options;
    this.#options = { batch, waitMs, queued, sliceMs, now, onBatch, onShed, onAnswer };
  }

  /** Asks that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Asks that may wait. */
  get capacity(): number {
    return this.#options.queued;
  }

  /**
   * Answer the asks of one request.
   *
   * @throws {ServingError} UNAVAILABLE when the queue is full, DEADLINE_EXCEEDED, CANCELLED
   */
  submit(asks: readonly Ask[], { deadline = Number.POSITIVE_INFINITY, signal }: AskOptions = {}): Promise<Answer[]> {
    if (asks.length === 0) return Promise.resolve([]);
    const { queued, now } = this.#options;
    // A request larger than the whole queue is let in when nothing waits; otherwise it could never be answered.
    if (this.#waiting > 0 && this.#waiting + asks.length > queued) {
      this.#options.onShed();
      const retryAfterS = Math.max(1, Math.ceil((this.#waiting * this.#askMs) / 1000));
      return Promise.reject(new ServingError('UNAVAILABLE', 'The queue is full, retry later', { retryAfterS }));
    }
    return new Promise((resolve, reject) => {
      const answers = new Array<Answer>(asks.length);
      this.#jobs.push({ asks, answers, answered: 0, next: 0, deadline, signal, arrived: now(), resolve, reject });
      this.#waiting += asks.length;
      this.#schedule();
    });
  }

  /** Resolves when nothing waits and nothing is being answered. */
  idle(): Promise<void> {
    if (this.#jobs.length === 0 && !this.#isScanning) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#immediate || this.#isScanning) return;
    const { waitMs, batch } = this.#options;
    if (waitMs > 0 && this.#waiting < batch) {
      this.#timer ??= setTimeout(() => this.#run(), waitMs);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#immediate = setImmediate(() => this.#run());
  }

  #run(): void {
    this.#timer = undefined;
    this.#immediate = undefined;
    const slice = this.#slice();
    if (!slice) {
      this.#next();
      return;
    }
    const done = this.#answers(slice.asks);
    if (Array.isArray(done)) {
      this.#ended(slice);
      this.#give(slice, done);
      this.#next();
      return;
    }
    this.#isScanning = true;
    const onward = (): void => {
      this.#isScanning = false;
      this.#ended(slice);
      if (this.#jobs.length > 0 && !this.#immediate) this.#run();
      else this.#next();
    };
    done.then(
      (answers) => {
        onward();
        this.#give(slice, answers);
      },
      (error) => void this.#oneByOne(slice, error).then(onward),
    );
  }

  #answers(asks: readonly Ask[]): Answers {
    try {
      return this.#answer(asks);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #next(): void {
    if (this.#jobs.length > 0) {
      // What is left has waited already.
      this.#immediate ??= setImmediate(() => this.#run());
      return;
    }
    if (this.#isScanning) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  /** Take the oldest asks that one scan may answer; undefined when nobody waits any more. */
  #slice(): Slice | undefined {
    const { now, sliceMs, batch } = this.#options;
    const started = now();
    this.#dropLate(started);
    const oldest = this.#jobs[0];
    if (!oldest) return undefined;
    const most = this.#askMs > 0 ? Math.max(1, Math.min(batch, Math.floor(sliceMs / this.#askMs))) : batch;
    const parts: Slice['parts'][number][] = [];
    const asks: Ask[] = [];
    for (const job of this.#jobs) {
      const first = job.next;
      const count = Math.min(most - asks.length, job.asks.length - first);
      if (count === 0) break;
      for (let i = 0; i < count; i++) asks.push(job.asks[first + i]!);
      job.next += count;
      parts.push({ job, first, count });
    }
    this.#waiting -= asks.length;
    // All but the last part are whole.
    const last = parts.at(-1)!.job;
    this.#jobs.splice(0, last.next === last.asks.length ? parts.length : parts.length - 1);
    return { asks, parts, started, waitedMs: started - oldest.arrived };
  }

  #ended({ asks, started, waitedMs }: Slice): void {
    const tookMs = this.#options.now() - started;
    const askMs = tookMs / asks.length;
    this.#askMs = this.#askMs === 0 ? askMs : (1 - NEWEST) * this.#askMs + NEWEST * askMs;
    this.#options.onBatch(asks.length, tookMs, waitedMs);
  }

  #give({ parts }: Pick<Slice, 'parts'>, answers: readonly Answer[]): void {
    let at = 0;
    for (const { job, first, count } of parts) {
      for (let i = 0; i < count; i++) job.answers[first + i] = answers[at++]!;
      job.answered += count;
      if (job.answered < job.asks.length) continue;
      this.#options.onAnswer(job.asks, job.answers);
      job.resolve(job.answers);
    }
  }

  /** A batch failed: find out whose fault it was, so that nobody else pays for it. */
  async #oneByOne({ parts }: Slice, error: unknown): Promise<void> {
    for (const part of parts) {
      const { job, first, count } = part;
      try {
        if (parts.length === 1) throw error;
        this.#give({ parts: [part] }, await this.#answer(job.asks.slice(first, first + count)));
      } catch (reason) {
        this.#waiting -= job.asks.length - job.next;
        this.#jobs = this.#jobs.filter((waiting) => waiting !== job);
        job.reject(toServingError(reason));
      }
    }
  }

  #dropLate(now: number): void {
    this.#jobs = this.#jobs.filter((job) => {
      const gone = job.signal?.aborted;
      if (!gone && now <= job.deadline) return true;
      this.#waiting -= job.asks.length - job.next;
      job.reject(
        gone
          ? new ServingError('CANCELLED', 'The client went away')
          : new ServingError('DEADLINE_EXCEEDED', 'The deadline passed before the search began'),
      );
      return false;
    });
  }
}
