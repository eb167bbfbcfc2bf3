/**
 * One version of a model while it is served: its servable, its queue, and the requests that hold it.
 *
 * A request takes a lease on a version and uses that version until it is done, so that no response mixes two versions.
 * A retired version is disposed when its last lease is released.
 */
import { Batcher, type BatcherOptions, type RequestOptions } from '../queue/batcher.ts';
import type { Query, QueryResult, Servable } from '../servable/contract.ts';
import { type Signature, signaturesOf } from '../servable/signatures.ts';
import { VersionStatistics } from './version-statistics.ts';

/** A request's lease on a version, which is not disposed before the lease is released. */
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
  /** A separate queue for expensive queries: they wait for each other, but cheap queries do not wait for them. */
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

  /** Number of leases that are not released. */
  get leases(): number {
    return this.#leases;
  }

  /** Take a lease on this version for one request; the version is not disposed before `release`. */
  lease(): Lease {
    this.#leases++;
    this.statistics.lastInferenceMs = Date.now();
    return { since: performance.now() };
  }

  /** Release a lease. @param isAnswered whether the request was answered; false if it failed */
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

  /** Run the `work` of one request with a lease on this version. */
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

  /** Wait until the last lease is released, then free the memory. */
  async retire(): Promise<void> {
    if (this.#leases > 0) {
      await new Promise<void>((resolve) => {
        this.#retired = resolve;
      });
    }
    await this.servable.dispose();
  }
}
