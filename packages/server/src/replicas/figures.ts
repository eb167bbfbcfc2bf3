/**
 * What replicas did, with what those had done that have ended: who collects counters takes one that falls for a restart of
 * the whole server, and counts what is left once more.
 *
 * Kept of a replica that ends are its counters and histograms, folded into one sum however many end, and, as long as the
 * version serves, its statistics and work of each version. What it did after its last figures is lost: it was never shown.
 * Figures of the present, such as queues, end with the replica.
 */
import { AggregatorRegistry } from 'prom-client';
import type { ModelRegistry } from '../models/registry.ts';
import type { ServedVersion } from '../models/served-version.ts';
import { summed, type VersionFigures, type VersionStatistics } from '../models/version-statistics.ts';
import type { MetricFigures } from '../observe/metrics.ts';
import type { ReplicaFigures } from './calls.ts';

/** How often figures are asked for although nobody wants to see them: as much may be lost. */
const KEEP_MS = 2_000;
/** How long those who collect figures wait for a replica; they themselves wait for ten seconds, as a rule. */
const PATIENCE_MS = 1_000;

/** A replica that can be asked what it did; it says nothing when it is gone. */
export interface Asked {
  figures(): Promise<ReplicaFigures | undefined>;
}

/** What replicas that have ended did with a version. */
interface Past {
  statistics: VersionStatistics;
  metrics: Promise<MetricFigures>;
}

/** The figures of all replicas. */
export class Figures {
  readonly #registry: ModelRegistry;
  readonly #serving: () => readonly Asked[];
  readonly #asking: NodeJS.Timeout;
  readonly #last = new Map<Asked, ReplicaFigures>();
  #past: Promise<MetricFigures> = Promise.resolve([]);
  /** Forgotten with the version, which may be loaded again and then counts from 0. */
  readonly #pastOf = new WeakMap<ServedVersion, Past>();

  /** @param serving those that are asked */
  constructor(registry: ModelRegistry, serving: () => readonly Asked[]) {
    this.#registry = registry;
    this.#serving = serving;
    this.#asking = setInterval(() => {
      for (const replica of serving()) void this.#ask(replica);
    }, KEEP_MS);
    this.#asking.unref();
  }

  async statistics(): Promise<readonly VersionFigures[]> {
    await this.#askAll();
    const past = this.#registry.served.flatMap((served) => {
      const { statistics } = this.#pastOf.get(served) ?? {};
      return statistics ? { model: served.model, version: served.version, statistics } : [];
    });
    return [...this.#last.values()].flatMap(({ statistics }) => statistics).concat(past);
  }

  async metrics(): Promise<readonly MetricFigures[]> {
    await this.#askAll();
    // Looked at in one moment, or what ends meanwhile would be counted twice or not at all.
    const last = [...this.#last.values()].map(({ metrics }) => metrics);
    const past = this.#registry.served.flatMap((served) => this.#pastOf.get(served)?.metrics ?? []);
    return last.concat(await Promise.all([this.#past, ...past]));
  }

  /** Keep what a replica did that has ended and serves no more. */
  ended(replica: Asked): void {
    const last = this.#last.get(replica);
    this.#last.delete(replica);
    if (!last) return;
    this.#past = folded(this.#past, last.metrics.filter(isCounted));
    const work = last.metrics.filter(isWork);
    for (const served of this.#registry.served) {
      const { model, version } = served;
      const past = this.#pastOf.get(served);
      const its = last.statistics.filter((one) => one.model === model && one.version === version);
      this.#pastOf.set(served, {
        statistics: summed([...(past ? [past] : []), ...its].map(({ statistics }) => statistics)),
        metrics: folded(past?.metrics ?? Promise.resolve([]), ofVersion(work, model, version)),
      });
    }
  }

  /** Ask no more by itself. */
  stop(): void {
    clearInterval(this.#asking);
  }

  /** Resolves when every replica has answered, or has had its time: its last figures stand for it then. */
  async #askAll(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([late, Promise.all(this.#serving().map((replica) => this.#ask(replica)))]);
    clearTimeout(timer);
  }

  async #ask(replica: Asked): Promise<void> {
    const figures = await replica.figures();
    // Of one that has ended they are among the past already.
    if (figures && this.#serving().includes(replica)) this.#last.set(replica, figures);
  }
}

type Metric = MetricFigures[number];

/** A metric that only grows. prom-client says its type by a name, where its declarations have a number. */
function isCounted({ type }: Metric): boolean {
  return ['counter', 'histogram'].includes(String(type));
}

/** The work of a version: a gauge, because it is read off the versions that serve. */
function isWork({ type, name }: Metric): boolean {
  return String(type) === 'gauge' && name.endsWith('_total');
}

function ofVersion(metrics: MetricFigures, model: string, version: number): MetricFigures {
  return metrics.map((metric) => ({
    ...metric,
    values: metric.values.filter(({ labels }) => labels.model_name === model && labels.version === String(version)),
  }));
}

/** The sums of two processes' figures: as long as those of one. */
async function folded(before: Promise<MetricFigures>, more: MetricFigures): Promise<MetricFigures> {
  return AggregatorRegistry.aggregate([await before, more]).getMetricsAsJSON();
}
