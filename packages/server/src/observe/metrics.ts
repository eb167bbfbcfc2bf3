/**
 * Metrics in Prometheus's text format. Those of TF Serving have its names, so that dashboards keep working; all others
 * begin with `shortlist_`.
 *
 * TF Serving's latencies are histograms in microseconds with bounds 10 · 1.8^i; its names start with a colon.
 */
import type { Logger } from 'pino';
import { type Aggregator, AggregatorRegistry, Counter, exponentialBuckets, Gauge, Registry } from 'prom-client';
import type { ModelRegistry } from '../models/registry.ts';
import type { Drift } from '../servable/contract.ts';
import type { StatusCode } from '../status/serving-error.ts';
import type { DescriptorObserver } from './descriptor-watch.ts';
import { type HistogramSeries, TalliedHistogram } from './tallied-histogram.ts';

/** Bounds of TF Serving's latency histograms, in microseconds. */
const LATENCY_US = exponentialBuckets(10, 1.8, 33);

/** The entry points of predictions. */
export type Entrypoint = 'REST' | 'GRPC';

/**
 * Predictions of one model at one entry point: their times, and the count of each status since the metrics were last
 * read.
 */
interface PredictionTally {
  model_name: string;
  latency: HistogramSeries;
  ended: Map<string, number>;
}

/** All metrics of one process at one time. Snapshots of several processes can be added. */
export type MetricsSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** All metrics of a server. */
export class Metrics {
  readonly registry: Registry = new Registry();
  readonly runtimeLatency: TalliedHistogram<'model_name' | 'API' | 'runtime'>;
  readonly warmupLatency: TalliedHistogram<'model_path' | 'status'>;
  readonly batchSize: HistogramSeries;
  readonly queueWait: HistogramSeries;
  readonly shed: Counter;
  readonly canaryRecall: Gauge<'model_name'>;
  readonly canaryQueries: Counter<'model_name'>;
  readonly updates: Counter<'model_name' | 'kind'>;
  readonly unknownFeatures: Counter<'model_name' | 'feature'>;
  readonly #descriptorShortages: Counter;
  readonly #requestLatency: TalliedHistogram<'model_name' | 'API' | 'entrypoint'>;
  readonly #predictions: Record<Entrypoint, Map<string, PredictionTally>> = { REST: new Map(), GRPC: new Map() };

  constructor(models: ModelRegistry) {
    const registers = [this.registry];
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
      new Counter({ name, help, labelNames: [...labelNames], registers });
    const histogram = <L extends string = never>(
      name: string,
      help: string,
      buckets: readonly number[],
    ): TalliedHistogram<L> => new TalliedHistogram<L>({ name, help, buckets }, this.registry);
    this.#countPredictions();
    this.#requestLatency = histogram(
      ':tensorflow:serving:request_latency',
      'Time of a request in microseconds.',
      LATENCY_US,
    );
    this.runtimeLatency = histogram(
      ':tensorflow:serving:runtime_latency',
      'Time of a scan in microseconds.',
      LATENCY_US,
    );
    this.warmupLatency = histogram(
      ':tensorflow:serving:model_warmup_latency',
      'Time of warming a version up, in microseconds.',
      LATENCY_US,
    );
    const sizes = [1, 2, 4, 8, 16, 32, 64, 128];
    this.batchSize = histogram('shortlist_batch_size', 'Queries answered by one scan.', sizes).series({});
    this.queueWait = histogram(
      'shortlist_queue_wait_seconds',
      'Time that the oldest query of a scan had waited.',
      exponentialBuckets(0.0001, 2, 15),
    ).series({});
    this.shed = counter('shortlist_shed_total', 'Requests refused because the queue was full.');
    this.canaryRecall = new Gauge({
      name: 'shortlist_canary_recall',
      help: 'Recall at k of recent results against exact ones.',
      labelNames: ['model_name'],
      registers,
      aggregator: 'average',
    });
    this.canaryQueries = counter('shortlist_canary_queries_total', 'Queries that the canary searched again exactly.', [
      'model_name',
    ]);
    this.updates = counter('shortlist_updates_total', 'Updates acknowledged.', ['model_name', 'kind']);
    this.unknownFeatures = counter(
      'shortlist_unknown_features_total',
      'Features of queries whose value is not in the vocabulary.',
      ['model_name', 'feature'],
    );
    this.#descriptorShortages = counter(
      'shortlist_descriptor_shortages_total',
      'Number of times that no file descriptor was left and connections were dropped.',
    );
    this.#collect(models);
  }

  /**
   * Count a prediction. Pass '' for a model that does not exist; otherwise clients could create series without bound.
   */
  predicted(model_name: string, entrypoint: Entrypoint, status: StatusCode | 'OK', tookMs: number): void {
    const tallies = this.#predictions[entrypoint];
    let tally = tallies.get(model_name);
    if (!tally) {
      const latency = this.#requestLatency.series({ model_name, API: 'predict', entrypoint });
      tally = { model_name, latency, ended: new Map() };
      tallies.set(model_name, tally);
    }
    tally.latency.observe(tookMs * 1000);
    tally.ended.set(status, (tally.ended.get(status) ?? 0) + 1);
  }

  /** Counts and logs the periods without a free file descriptor. */
  descriptorObserver(logger: Logger): DescriptorObserver {
    return {
      exhausted: () => {
        this.#descriptorShortages.inc();
        logger.error('no file descriptor is left: connections are dropped; raise the limit (ulimit -n, LimitNOFILE)');
      },
      recovered: (afterMs) => logger.warn({ afterMs: Math.round(afterMs) }, 'file descriptors are free again'),
    };
  }

  /** The metrics as text. Counters of all processes are added; of a gauge the largest value is taken. */
  async text(peers: readonly MetricsSnapshot[]): Promise<string> {
    if (peers.length === 0) return this.registry.metrics();
    const here = await this.registry.getMetricsAsJSON();
    return AggregatorRegistry.aggregate([here, ...peers]).metrics();
  }

  #countPredictions(): void {
    const { REST, GRPC } = this.#predictions;
    new Counter({
      name: ':tensorflow:serving:request_count',
      help: 'Requests by model and status.',
      labelNames: ['model_name', 'status'],
      registers: [this.registry],
      collect() {
        for (const { model_name, ended } of [...REST.values(), ...GRPC.values()]) {
          for (const [status, count] of ended) this.inc({ model_name, status }, count);
          ended.clear();
        }
      },
    });
  }

  /** Metrics that are read from the models when they are collected. */
  #collect(models: ModelRegistry): void {
    const perVersion: PerVersion = (name, help, read, aggregator = 'sum') => {
      new Gauge({
        aggregator,
        name,
        help,
        labelNames: ['model_name', 'version'],
        registers: [this.registry],
        collect() {
          this.reset();
          for (const model of models.models) {
            for (const { version, served, journal, foreign } of model.records) {
              if (!served) continue;
              const value = read({
                ...served.servable.scanCounts(),
                size: served.servable.size,
                seenPairs: served.servable.seenItems.pairCount,
                seenBytes: served.servable.seenItems.listBytes,
                waiting: served.batcher.waiting + served.heavy.waiting,
                journalBytes: journal?.sizeBytes ?? 0,
                journalRecords: journal?.records ?? 0,
                damagedBytes: journal?.recovery.damage?.bytes ?? 0,
                cutBytes: journal?.recovery.bytesCut ?? 0,
                isRefusing: foreign || journal?.refused !== undefined ? 1 : 0,
                drift: served.servable.drift(),
              });
              if (value !== undefined) this.set({ model_name: model.name, version: String(version) }, value);
            }
          }
        },
      });
    };
    perVersion('shortlist_candidates', 'Candidates of a version.', ({ size }) => size, 'max');
    perVersion(
      'shortlist_seen_pairs',
      'Pairs of a user and an item that the user has seen.',
      ({ seenPairs }) => seenPairs,
      'max',
    );
    perVersion(
      'shortlist_seen_bytes',
      'Bytes of memory of one process for the items that users have seen.',
      ({ seenBytes }) => seenBytes,
      'max',
    );
    perVersion('shortlist_queue_queries', 'Queries that are waiting for a scan.', ({ waiting }) => waiting);
    perVersion('shortlist_leaves_visited_total', 'Leaves visited by scans.', ({ leavesVisited }) => leavesVisited);
    perVersion('shortlist_codes_scored_total', 'Codes scored by scans.', ({ codesScored }) => codesScored);
    perVersion('shortlist_rows_reordered_total', 'Rows scored again exactly.', ({ rowsReordered }) => rowsReordered);
    collectJournal(perVersion);
    perVersion(
      'shortlist_drift_moved_share',
      'Share of candidates that would change their leaf if the centroids were moved to fit the upserted candidates.',
      ({ drift }) => drift?.movedShare,
      'max',
    );
    perVersion(
      'shortlist_drift_distance_ratio',
      'Mean squared distance of upserted candidates from their centroids, divided by that of all candidates at build time.',
      ({ drift }) => drift?.distanceRatio,
      'max',
    );
  }
}

/** Adds a metric with a value for each version that serves. */
type PerVersion = (
  name: string,
  help: string,
  read: (served: ServedView) => number | undefined,
  aggregator?: Aggregator,
) => void;

/** Metrics of journals, which a replica does not have. */
function collectJournal(perVersion: PerVersion): void {
  perVersion('shortlist_journal_bytes', 'Bytes of the journal of updates.', ({ journalBytes }) => journalBytes, 'max');
  perVersion('shortlist_journal_records', 'Updates in the journal.', ({ journalRecords }) => journalRecords, 'max');
  perVersion(
    'shortlist_journal_damaged_bytes',
    'Bytes of acknowledged updates that were found damaged when the journal was opened, and are lost.',
    ({ damagedBytes }) => damagedBytes,
    'max',
  );
  perVersion(
    'shortlist_journal_cut_bytes',
    'Bytes of an unfinished write that were cut off the end of the journal when it was opened.',
    ({ cutBytes }) => cutBytes,
    'max',
  );
  perVersion(
    'shortlist_updates_refused',
    '1 while this server accepts no updates of a version: another server does, or its folder is read-only or was replaced.',
    ({ isRefusing }) => isRefusing,
    'max',
  );
}

interface ServedView {
  leavesVisited: number;
  codesScored: number;
  rowsReordered: number;
  size: number;
  seenPairs: number;
  seenBytes: number;
  waiting: number;
  journalBytes: number;
  journalRecords: number;
  damagedBytes: number;
  cutBytes: number;
  isRefusing: number;
  drift: Drift | undefined;
}
