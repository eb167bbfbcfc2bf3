/**
 * One version of a model while it is served: its servable, its queue, and the requests that hold it.
 *
 * A request takes a lease and keeps to that version until it is done, so no answer mixes two versions; a version is
 * disposed when it was retired and the last lease came back.
 */
import { Batcher, type BatcherOptions, type RequestOptions } from '../queue/batcher.ts';
import type { Query, QueryResult, Servable } from '../servable/contract.ts';
import { type Signature, signaturesOf } from '../servable/signatures.ts';
import { VersionStatistics } from './version-statistics.ts';

/** A request's hold on a version: it is not disposed before the lease is released. */
export interface Lease {
  readonly since: number;
}

/** A loaded version with its queue. */
export class ServedVersion {
  readonly model: string;
  readonly version: number;
  readonly servable: Servable;
  readonly signatures: ReadonlyMap<string, Signature>;
  readonly batcher: Batcher;
  /** The queue of expensive queries: they wait for each other, and cheap queries do not wait for them. */
  readonly heavy: Batcher;
  readonly statistics: VersionStatistics = new VersionStatistics();
  #leases = 0;
  #retired: (() => void) | undefined;

  constructor(model: string, version: number, servable: Servable, queue: BatcherOptions) {
    this.model = model;
    this.version = version;
    this.servable = servable;
    this.signatures = signaturesOf(servable);
    const { statistics } = this;
    const options: BatcherOptions = {
      ...queue,
      onBatch: (queries, tookMs, waitedMs) => {
        statistics.inferences += queries;
        statistics.executions++;
        statistics.computeMs += tookMs;
        statistics.queueMs += waitedMs;
        queue.onBatch?.(queries, tookMs, waitedMs);
      },
    };
    this.batcher = new Batcher((queries) => servable.search(queries), options);
    this.heavy = new Batcher((queries) => servable.search(queries), options);
  }

  /** Requests that hold this version now. */
  get leases(): number {
    return this.#leases;
  }

  /** Hold this version for one request, until `release`: it is not disposed before. */
  lease(): Lease {
    this.#leases++;
    this.statistics.lastInferenceMs = Date.now();
    return { since: performance.now() };
  }

  /** Give a lease back. @param isAnswered whether the request was, or failed */
  release({ since }: Lease, isAnswered: boolean): void {
    const { statistics } = this;
    const tookMs = performance.now() - since;
    if (isAnswered) {
      statistics.succeeded++;
      statistics.succeededMs += tookMs;
    } else {
      statistics.failed++;
      statistics.failedMs += tookMs;
    }
    if (--this.#leases === 0) this.#retired?.();
  }

  /** Run one request's `work` with this version held. */
  async hold<T>(work: (version: this) => Promise<T> | T): Promise<T> {
    const lease = this.lease();
    let isAnswered = false;
    try {
      const result = await work(this);
      isAnswered = true;
      return result;
    } finally {
      this.release(lease, isAnswered);
    }
  }

  /** Answer the queries of one request through the queue. */
  search(queries: readonly Query[], options?: RequestOptions): Promise<QueryResult[]> {
    for (const query of queries) if (this.servable.isHeavy(query)) return this.heavy.submit(queries, options);
    return this.batcher.submit(queries, options);
  }

  /** Wait for the last lease, then give the memory back. */
  async retire(): Promise<void> {
    if (this.#leases > 0) {
      await new Promise<void>((resolve) => {
        this.#retired = resolve;
      });
    }
    await this.servable.dispose();
  }
}
