/**
 * The metrics and statistics of all replicas, including those that have ended. Ended replicas are included because a
 * collector takes a counter that falls for a restart of the server and would count the rest twice.
 *
 * When a replica ends, its counters and histograms are added to one sum. Its statistics and its work per version are
 * kept while that version serves. Its work after its last report is lost, but no collector has seen that. Gauges, such
 * as the length of a queue, end with the replica.
 */
import { AggregatorRegistry } from 'prom-client';
import type { ModelRegistry } from '../models/registry.ts';
import type { ServedVersion } from '../models/served-version.ts';
import { summed, type VersionReport, type VersionStatistics } from '../models/version-statistics.ts';
import type { MetricsSnapshot } from '../observe/metrics.ts';
import type { ReplicaReport } from './protocol.ts';

/**
 * Time between two reports of a replica if metrics are not requested. When a replica ends, at most the work of this
 * time is lost.
 */
const POLL_MS = 2_000;
/** Longest time that a request for metrics waits for a replica. Collectors usually give up after ten seconds. */
const TIMEOUT_MS = 1_000;

/** A replica that reports its metrics; undefined if the process has ended. */
export interface ReportingReplica {
  report(): Promise<ReplicaReport | undefined>;
}

/** The work of replicas that have ended, for one version. */
interface EndedWork {
  statistics: VersionStatistics;
  metrics: Promise<MetricsSnapshot>;
}

/** Collects the metrics of all replicas. */
export class ReplicaMetrics {
  readonly #registry: ModelRegistry;
  readonly #serving: () => readonly ReportingReplica[];
  readonly #polling: NodeJS.Timeout;
  readonly #lastReports = new Map<ReportingReplica, ReplicaReport>();
  #endedMetrics: Promise<MetricsSnapshot> = Promise.resolve([]);
  /** The entry of a version is removed with the version, because it counts from 0 if it is loaded again. */
  readonly #endedWork = new WeakMap<ServedVersion, EndedWork>();

  /** @param serving returns the replicas that serve now */
  constructor(registry: ModelRegistry, serving: () => readonly ReportingReplica[]) {
    this.#registry = registry;
    this.#serving = serving;
    this.#polling = setInterval(() => {
      for (const replica of serving()) void this.#poll(replica);
    }, POLL_MS);
    this.#polling.unref();
  }

  async statistics(): Promise<readonly VersionReport[]> {
    await this.#pollAll();
    const ended = this.#registry.served.flatMap((served) => {
      const { statistics } = this.#endedWork.get(served) ?? {};
      return statistics ? { model: served.model, version: served.version, statistics } : [];
    });
    return [...this.#lastReports.values()].flatMap(({ statistics }) => statistics).concat(ended);
  }

  async metrics(): Promise<readonly MetricsSnapshot[]> {
    await this.#pollAll();
    // Both are read before the next await: a replica that ends in between would be counted twice or not at all.
    const last = [...this.#lastReports.values()].map(({ metrics }) => metrics);
    const ended = this.#registry.served.flatMap((served) => this.#endedWork.get(served)?.metrics ?? []);
    return last.concat(await Promise.all([this.#endedMetrics, ...ended]));
  }

  /** Keep the last report of a replica that has ended. */
  ended(replica: ReportingReplica): void {
    const last = this.#lastReports.get(replica);
    this.#lastReports.delete(replica);
    if (!last) return;
    this.#endedMetrics = added(this.#endedMetrics, last.metrics.filter(isCounted));
    const work = last.metrics.filter(isWork);
    for (const served of this.#registry.served) {
      const { model, version } = served;
      const before = this.#endedWork.get(served);
      const its = last.statistics.filter((one) => one.model === model && one.version === version);
      this.#endedWork.set(served, {
        statistics: summed([...(before ? [before] : []), ...its].map(({ statistics }) => statistics)),
        metrics: added(before?.metrics ?? Promise.resolve([]), ofVersion(work, model, version)),
      });
    }
  }

  /** Stop polling. */
  stop(): void {
    clearInterval(this.#polling);
  }

  /** Resolves when every replica has reported or the time is over; for a late replica its last report is used. */
  async #pollAll(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, TIMEOUT_MS);
    });
    await Promise.race([late, Promise.all(this.#serving().map((replica) => this.#poll(replica)))]);
    clearTimeout(timer);
  }

  async #poll(replica: ReportingReplica): Promise<void> {
    const report = await replica.report();
    // A replica that has ended meanwhile was already added to the ended ones.
    if (report && this.#serving().includes(replica)) this.#lastReports.set(replica, report);
  }
}

type Metric = MetricsSnapshot[number];

/** Whether a metric only grows. prom-client gives its type by name, although it declares a number. */
function isCounted({ type }: Metric): boolean {
  return ['counter', 'histogram'].includes(String(type));
}

/**
 * Whether a metric counts the work of a version. Such metrics are gauges, because they are read from the versions that
 * serve.
 */
function isWork({ type, name }: Metric): boolean {
  return String(type) === 'gauge' && name.endsWith('_total');
}

function ofVersion(metrics: MetricsSnapshot, model: string, version: number): MetricsSnapshot {
  return metrics.map((metric) => ({
    ...metric,
    values: metric.values.filter(({ labels }) => labels.model_name === model && labels.version === String(version)),
  }));
}

/** The sum of two snapshots, metric by metric. */
async function added(before: Promise<MetricsSnapshot>, more: MetricsSnapshot): Promise<MetricsSnapshot> {
  return AggregatorRegistry.aggregate([await before, more]).getMetricsAsJSON();
}
