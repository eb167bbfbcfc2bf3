/**
 * The queue between requests and scans. Queries that wait at the same time are answered by shared scans (slices), each
 * short enough that the event loop stays responsive.
 *
 * A slice starts when `batch` queries wait, or `waitMs` after the first of them arrived. With waitMs = 0 it starts as
 * soon as all readable sockets have been read, which gathers the requests that arrived during the previous scan. The
 * number of queries in a slice is limited so that, by the measured time per query, it takes at most `sliceMs`. The
 * servable decides whether a scan is long enough to run on the worker threads while the event loop is free. The next
 * slice is gathered meanwhile and begins before the results of the previous one are delivered, so that the worker
 * threads do not wait until sockets are written. The number of waiting queries is bounded: beyond the bound a request
 * is refused with UNAVAILABLE and a Retry-After time. A query whose deadline has passed, or whose caller has gone, is
 * dropped before it is scanned.
 */

import type { Query, QueryResult } from '../servable/contract.ts';
import { ServingError, toServingError } from '../status/serving-error.ts';

/** Settings of a queue. */
export interface BatcherOptions {
  /** Most queries of one scan; default 64. */
  batch?: number;
  /** Longest wait for more queries, in milliseconds; default 0: at most one turn of the event loop. */
  waitMs?: number;
  /** Most queries that may wait; default 1,024. */
  queued?: number;
  /** Longest time that one scan may block the event loop, in milliseconds; default 4. */
  sliceMs?: number;
  now?: () => number;
  /**
   * Called after every scan with its queries, its milliseconds, and the milliseconds that its oldest query had waited.
   */
  onBatch?: (queries: number, tookMs: number, waitedMs: number) => void;
  /** Called for every request that the queue refused because it was full. */
  onShed?: () => void;
  /** Called with the queries and the results of every request. */
  onResults?: (queries: readonly Query[], results: readonly QueryResult[]) => void;
}

/** Options of one request. */
export interface RequestOptions {
  /** Time by the queue's clock after which the request is refused. */
  deadline?: number | undefined;
  /** `aborted` becomes true when the caller no longer waits; an AbortSignal fits. */
  signal?: { readonly aborted: boolean } | undefined;
}

interface Job {
  queries: readonly Query[];
  results: QueryResult[];
  /** Number of results that have arrived. Slices may be answered out of order. */
  answered: number;
  /** Index of the first query that is not yet in a slice. */
  next: number;
  deadline: number;
  signal: { readonly aborted: boolean } | undefined;
  arrived: number;
  resolve: (results: QueryResult[]) => void;
  reject: (error: unknown) => void;
}

/** The queries of one scan, and the requests to which they belong. */
interface Slice {
  queries: readonly Query[];
  parts: readonly { job: Job; first: number; count: number }[];
  started: number;
  waitedMs: number;
}

/** Results of a scan; a promise if the scan runs on the worker threads. */
type ScanResults = QueryResult[] | Promise<QueryResult[]>;

/** Weight of the newest scan in the running mean of the time per query. */
const NEWEST = 0.2;

const nothing = (): void => undefined;

/** Gathers queries and answers them with shared scans. */
export class Batcher {
  readonly #search: (queries: readonly Query[]) => ScanResults;
  readonly #options: Required<BatcherOptions>;
  #jobs: Job[] = [];
  #waiting = 0;
  #queryMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #idle: (() => void)[] = [];
  #isScanning = false;

  constructor(search: (queries: readonly Query[]) => ScanResults, options: BatcherOptions = {}) {
    this.#search = search;
    const { batch = 64, waitMs = 0, queued = 1024, sliceMs = 4 } = options;
    const { now = () => performance.now(), onBatch = nothing, onShed = nothing, onResults = nothing } = options;
    this.#options = { batch, waitMs, queued, sliceMs, now, onBatch, onShed, onResults };
  }

  /** Queries that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Most queries that wait. */
  get capacity(): number {
    return this.#options.queued;
  }

  /**
   * Answer the queries of one request.
   *
   * @throws {ServingError} UNAVAILABLE when the queue is full, DEADLINE_EXCEEDED, CANCELLED
   */
  submit(
    queries: readonly Query[],
    { deadline = Number.POSITIVE_INFINITY, signal }: RequestOptions = {},
  ): Promise<QueryResult[]> {
    if (queries.length === 0) return Promise.resolve([]);
    const { queued, now } = this.#options;
    // A request with more queries than the queue's bound is accepted if no query waits; otherwise it could never be
    // answered.
    if (this.#waiting > 0 && this.#waiting + queries.length > queued) {
      this.#options.onShed();
      const retryAfterS = Math.max(1, Math.ceil((this.#waiting * this.#queryMs) / 1000));
      return Promise.reject(new ServingError('UNAVAILABLE', 'The queue is full, retry later', { retryAfterS }));
    }
    return new Promise((resolve, reject) => {
      const results = new Array<QueryResult>(queries.length);
      this.#jobs.push({ queries, results, answered: 0, next: 0, deadline, signal, arrived: now(), resolve, reject });
      this.#waiting += queries.length;
      this.#schedule();
    });
  }

  /** Resolves when no query waits or is being answered. */
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
    const done = this.#results(slice.queries);
    if (Array.isArray(done)) {
      this.#ended(slice);
      this.#deliver(slice, done);
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
      (results) => {
        onward();
        this.#deliver(slice, results);
      },
      (error) => void this.#retryOneByOne(slice, error).then(onward),
    );
  }

  #results(queries: readonly Query[]): ScanResults {
    try {
      return this.#search(queries);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #next(): void {
    if (this.#jobs.length > 0) {
      // The remaining queries have waited already, so the next slice starts at once.
      this.#immediate ??= setImmediate(() => this.#run());
      return;
    }
    if (this.#isScanning) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  /** Take the oldest queries for one scan; undefined if none waits. */
  #slice(): Slice | undefined {
    const { now, sliceMs, batch } = this.#options;
    const started = now();
    this.#dropLate(started);
    const oldest = this.#jobs[0];
    if (!oldest) return undefined;
    const most = this.#queryMs > 0 ? Math.max(1, Math.min(batch, Math.floor(sliceMs / this.#queryMs))) : batch;
    const parts: Slice['parts'][number][] = [];
    const queries: Query[] = [];
    for (const job of this.#jobs) {
      const first = job.next;
      const count = Math.min(most - queries.length, job.queries.length - first);
      if (count === 0) break;
      for (let i = 0; i < count; i++) queries.push(job.queries[first + i]!);
      job.next += count;
      parts.push({ job, first, count });
    }
    this.#waiting -= queries.length;
    // All queries of these requests were taken, except perhaps those of the last one.
    const last = parts.at(-1)!.job;
    this.#jobs.splice(0, last.next === last.queries.length ? parts.length : parts.length - 1);
    return { queries, parts, started, waitedMs: started - oldest.arrived };
  }

  #ended({ queries, started, waitedMs }: Slice): void {
    const tookMs = this.#options.now() - started;
    const queryMs = tookMs / queries.length;
    this.#queryMs = this.#queryMs === 0 ? queryMs : (1 - NEWEST) * this.#queryMs + NEWEST * queryMs;
    this.#options.onBatch(queries.length, tookMs, waitedMs);
  }

  #deliver({ parts }: Pick<Slice, 'parts'>, results: readonly QueryResult[]): void {
    let at = 0;
    for (const { job, first, count } of parts) {
      for (let i = 0; i < count; i++) job.results[first + i] = results[at++]!;
      job.answered += count;
      if (job.answered < job.queries.length) continue;
      this.#options.onResults(job.queries, job.results);
      job.resolve(job.results);
    }
  }

  /** After a scan failed, answer its requests one by one, so that only the request that caused the failure fails. */
  async #retryOneByOne({ parts }: Slice, error: unknown): Promise<void> {
    for (const part of parts) {
      const { job, first, count } = part;
      try {
        if (parts.length === 1) throw error;
        this.#deliver({ parts: [part] }, await this.#search(job.queries.slice(first, first + count)));
      } catch (reason) {
        this.#waiting -= job.queries.length - job.next;
        this.#jobs = this.#jobs.filter((waiting) => waiting !== job);
        job.reject(toServingError(reason));
      }
    }
  }

  #dropLate(now: number): void {
    this.#jobs = this.#jobs.filter((job) => {
      const gone = job.signal?.aborted;
      if (!gone && now <= job.deadline) return true;
      this.#waiting -= job.queries.length - job.next;
      job.reject(
        gone
          ? new ServingError('CANCELLED', 'The client went away')
          : new ServingError('DEADLINE_EXCEEDED', 'The deadline passed before the search began'),
      );
      return false;
    });
  }
}
