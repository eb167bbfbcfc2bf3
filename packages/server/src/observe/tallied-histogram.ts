/**
 * A histogram in which recording a value takes only a few additions: the caller keeps the series of its labels, so that
 * labels are not hashed and looked up for every value, as in prom-client. Its output is that of prom-client's
 * histogram.
 */
import type { Histogram, Registry } from 'prom-client';

/** The series of values with the same labels. */
export class HistogramSeries {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** @param bounds ascending */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Count a value in the bucket of the first bound that is not smaller. */
  observe(value: number): void {
    const bounds = this.#bounds;
    let low = 0;
    for (let high = bounds.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (value <= bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    this.#counts[low]!++;
    this.#sum += value;
  }

  /** The number of values up to each bound, of which the last is infinite, and the sum of all values. */
  totals(): { upTo: number[]; sum: number } {
    let count = 0;
    const upTo = Array.from(this.#counts, (some) => {
      count += some;
      return count;
    });
    return { upTo, sum: this.#sum };
  }
}

/** Name, help text, labels and bounds of a histogram. */
export interface HistogramSpec {
  name: string;
  help: string;
  /** Upper bounds, ascending. */
  buckets: readonly number[];
}

/** A histogram that is registered in a registry of prom-client. */
export class TalliedHistogram<L extends string = never> {
  readonly name: string;
  readonly #help: string;
  readonly #buckets: readonly number[];
  readonly #series = new Map<string, { labels: Readonly<Record<L, string>>; values: HistogramSeries }>();

  constructor({ name, help, buckets }: HistogramSpec, registry: Registry) {
    this.name = name;
    this.#help = help;
    this.#buckets = buckets;
    // The registry of prom-client reads only the name and the values of a metric.
    registry.registerMetric(this as unknown as Histogram);
  }

  /** The series of the given labels, which is part of the output from now on. */
  series(labels: Readonly<Record<L, string>>): HistogramSeries {
    const key = JSON.stringify(labels);
    let found = this.#series.get(key);
    if (!found) {
      found = { labels, values: new HistogramSeries(this.#buckets) };
      this.#series.set(key, found);
    }
    return found.values;
  }

  /** All values, in the form that the registry expects. */
  async get(): Promise<object> {
    const values: object[] = [];
    for (const { labels, values: series } of this.#series.values()) {
      const { upTo, sum } = series.totals();
      upTo.forEach((value, i) => {
        values.push({
          labels: { le: this.#buckets[i] ?? '+Inf', ...labels },
          value,
          metricName: `${this.name}_bucket`,
        });
      });
      values.push({ labels, value: sum, metricName: `${this.name}_sum` });
      values.push({ labels, value: upTo.at(-1), metricName: `${this.name}_count` });
    }
    return { name: this.name, help: this.#help, type: 'histogram', values, aggregator: 'sum' };
  }
}
