/**
 * One version of a model while it is served: its servable, its queue, and the requests that hold it.
 *
 * A request takes a lease and keeps to that version until it is done, so no answer mixes two versions; a version is
 * disposed when it was retired and the last lease came back.
 */
import { type AskOptions, Batcher, type BatcherOptions } from '../queue/batcher.ts';
import type { Answer, Ask, Servable } from '../servable/contract.ts';
import { type Signature, signaturesOf } from '../servable/signatures.ts';
import { VersionStatistics } from './version-statistics.ts';

/** A loaded version with its queue. */
export class ServedVersion {
  readonly model: string;
  readonly version: number;
  readonly servable: Servable;
  readonly signatures: ReadonlyMap<string, Signature>;
  readonly batcher: Batcher;
  /** Asks that are much work wait for each other, not light ones for them. */
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
      onBatch: (asks, tookMs, waitedMs) => {
        statistics.inferences += asks;
        statistics.executions++;
        statistics.computeMs += tookMs;
        statistics.queueMs += waitedMs;
        queue.onBatch?.(asks, tookMs, waitedMs);
      },
    };
    this.batcher = new Batcher((asks) => servable.answer(asks), options);
    this.heavy = new Batcher((asks) => servable.answer(asks), options);
  }

  /** Requests that hold this version now. */
  get leases(): number {
    return this.#leases;
  }

  /** Run one request's `work` with this version held: it is not disposed before the work has ended. */
  async hold<T>(work: (version: this) => Promise<T> | T): Promise<T> {
    this.#leases++;
    const started = performance.now();
    const { statistics } = this;
    statistics.lastInferenceMs = Date.now();
    try {
      const result = await work(this);
      statistics.succeeded++;
      statistics.succeededMs += performance.now() - started;
      return result;
    } catch (error) {
      statistics.failed++;
      statistics.failedMs += performance.now() - started;
      throw error;
    } finally {
      if (--this.#leases === 0) this.#retired?.();
    }
  }

  /** Answer the asks of one request through the queue. */
  ask(asks: readonly Ask[], options?: AskOptions): Promise<Answer[]> {
    const { servable, heavy, batcher } = this;
    const isHeavy = asks.some((ask) => servable.isHeavy(ask));
    return (isHeavy ? heavy : batcher).submit(asks, options);
  }

  /** Wait for the last lease, then give the memory back. */
  async retire(): Promise<void> {
    if (this.#leases > 0) {
      await new Promise<void>((resolve) => {
        this.#retired = resolve;
      });
    }
    // The canary's scans hold no lease.
    await this.servable.quiet();
    this.servable.dispose();
  }
}
