/**
 * Metrics in Prometheus's text format: TF Serving's under its own names, so that dashboards keep working, and ours.
 *
 * TF Serving's latencies are histograms in microseconds with bounds 10 · 1.8^i; its names start with a colon.
 */
import {
  type Aggregator,
  AggregatorRegistry,
  Counter,
  exponentialBuckets,
  Gauge,
  Histogram,
  Registry,
} from 'prom-client';
import type { ModelRegistry } from '../models/registry.ts';
import type { Drift } from '../servable/contract.ts';

/** Bounds of TF Serving's latency histograms, in microseconds. */
const LATENCY_US = exponentialBuckets(10, 1.8, 33);

/** All metrics of one process at one moment, to be added to those of others. */
export type MetricFigures = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** All metrics of a server. */
export class Metrics {
  readonly registry: Registry = new Registry();
  readonly requests: Counter<'model_name' | 'status'>;
  readonly requestLatency: Histogram<'model_name' | 'API' | 'entrypoint'>;
  readonly runtimeLatency: Histogram<'model_name' | 'API' | 'runtime'>;
  readonly warmupLatency: Histogram<'model_path' | 'status'>;
  readonly batchSize: Histogram;
  readonly queueWait: Histogram;
  readonly shed: Counter;
  readonly canaryRecall: Gauge<'model_name'>;
  readonly canaryAsks: Counter<'model_name'>;
  readonly updates: Counter<'model_name' | 'kind'>;

  constructor(models: ModelRegistry) {
    const registers = [this.registry];
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
      new Counter({ name, help, labelNames: [...labelNames], registers });
    const histogram = <L extends string>(
      name: string,
      help: string,
      buckets: number[],
      labelNames: readonly L[] = [],
    ): Histogram<L> => new Histogram({ name, help, buckets, labelNames: [...labelNames], registers });
    this.requests = counter(':tensorflow:serving:request_count', 'Requests by model and status.', [
      'model_name',
      'status',
    ]);
    this.requestLatency = histogram(
      ':tensorflow:serving:request_latency',
      'Time of a request in microseconds.',
      LATENCY_US,
      ['model_name', 'API', 'entrypoint'],
    );
    this.runtimeLatency = histogram(
      ':tensorflow:serving:runtime_latency',
      'Time of a scan in microseconds.',
      LATENCY_US,
      ['model_name', 'API', 'runtime'],
    );
    this.warmupLatency = histogram(
      ':tensorflow:serving:model_warmup_latency',
      'Time of warming a version up, in microseconds.',
      LATENCY_US,
      ['model_path', 'status'],
    );
    this.batchSize = histogram('shortlist_batch_size', 'Queries answered by one scan.', [1, 2, 4, 8, 16, 32, 64, 128]);
    this.queueWait = histogram(
      'shortlist_queue_wait_seconds',
      'Time the oldest query of a scan had waited.',
      exponentialBuckets(0.0001, 2, 15),
    );
    this.shed = counter('shortlist_shed_total', 'Requests refused because the queue was full.');
    this.canaryRecall = new Gauge({
      name: 'shortlist_canary_recall',
      help: 'Recall at k of recent answers against exact ones.',
      labelNames: ['model_name'],
      registers,
      aggregator: 'average',
    });
    this.canaryAsks = counter('shortlist_canary_queries_total', 'Queries the canary asked again exactly.', [
      'model_name',
    ]);
    this.updates = counter('shortlist_updates_total', 'Updates acknowledged.', ['model_name', 'kind']);
    this.#collect(models);
  }

  /** The text: counts of all processes are added, states are the largest of them. */
  async text(elsewhere: readonly MetricFigures[]): Promise<string> {
    if (elsewhere.length === 0) return this.registry.metrics();
    const here = await this.registry.getMetricsAsJSON();
    return AggregatorRegistry.aggregate([here, ...elsewhere]).metrics();
  }

  /** Figures that are read off the models when somebody asks for them. */
  #collect(models: ModelRegistry): void {
    type Read = (served: ServedView) => number | undefined;
    const perVersion = (name: string, help: string, read: Read, aggregator: Aggregator = 'sum'): void => {
      new Gauge({
        aggregator,
        name,
        help,
        labelNames: ['model_name', 'version'],
        registers: [this.registry],
        collect() {
          this.reset();
          for (const model of models.models) {
            for (const { version, served, journal } of model.records) {
              if (!served) continue;
              const value = read({
                ...served.servable.scanCounts(),
                size: served.servable.size,
                waiting: served.batcher.waiting + served.heavy.waiting,
                journalBytes: journal?.sizeBytes ?? 0,
                drift: served.servable.drift(),
              });
              if (value !== undefined) this.set({ model_name: model.name, version: String(version) }, value);
            }
          }
        },
      });
    };
    perVersion('shortlist_candidates', 'Candidates of a version.', ({ size }) => size, 'max');
    perVersion('shortlist_queue_queries', 'Queries that wait for a scan.', ({ waiting }) => waiting);
    perVersion('shortlist_leaves_visited_total', 'Leaves visited by scans.', ({ leavesVisited }) => leavesVisited);
    perVersion('shortlist_codes_scored_total', 'Codes scored by scans.', ({ codesScored }) => codesScored);
    perVersion('shortlist_rows_reordered_total', 'Rows scored again exactly.', ({ rowsReordered }) => rowsReordered);
    perVersion(
      'shortlist_journal_bytes',
      'Bytes of the journal of updates.',
      ({ journalBytes }) => journalBytes,
      'max',
    );
    perVersion(
      'shortlist_drift_moved_share',
      'Share of candidates that would change their leaf if centroids moved with what was upserted.',
      ({ drift }) => drift?.movedShare,
      'max',
    );
    perVersion(
      'shortlist_drift_distance_ratio',
      'Mean squared distance of upserted candidates from their centroids over that at build time.',
      ({ drift }) => drift?.distanceRatio,
      'max',
    );
  }
}

interface ServedView {
  leavesVisited: number;
  codesScored: number;
  rowsReordered: number;
  size: number;
  waiting: number;
  journalBytes: number;
  drift: Drift | undefined;
}
