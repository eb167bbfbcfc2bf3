/**
 * Follows the monitored quantity of a run, a loss or a metric: which epoch was best, and whether the run should end.
 */

import { checkInteger, checkNumber } from '../checks/numbers.ts';
import { NUMBER, optionsCheck, STRING } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import type { EpochRecord } from './history.ts';

/** Options that end a run early. */
export interface EarlyStopping {
  /**
   * 'perExample' (training), 'validation.perExample', a validation metric's or an in-batch accuracy's name; default
   * 'validation.perExample'.
   */
  monitor?: string;
  /** The run ends after this many epochs in a row without improvement; 0 is the same as 1, as in Keras. Default 0. */
  patience?: number;
  /** The least change of the monitored quantity that counts as an improvement; default 0. */
  minDelta?: number;
}

const checkOptions = optionsCheck<EarlyStopping>('earlyStopping', {
  monitor: STRING,
  patience: NUMBER,
  minDelta: NUMBER,
});

/** The comparison of an epoch with the epochs before it. */
export interface EpochOutcome {
  /** True when the monitored quantity is better than in every epoch before. */
  isBest: boolean;
  /** True when the run should end. */
  shouldStop: boolean;
}

/** Follows the monitored quantity over the epochs. A loss improves when it falls, a metric when it rises. */
export class EpochWatcher {
  readonly #monitor: string;
  readonly #patience: number;
  readonly #minDelta: number;
  #best = Number.NEGATIVE_INFINITY;
  #base = Number.NEGATIVE_INFINITY;
  #waited = 0;

  /** @throws {OptionError} when patience or minDelta are out of range */
  constructor(options: EarlyStopping) {
    const { monitor = 'validation.perExample', patience = 0, minDelta = 0 } = checkOptions(options);
    this.#monitor = monitor;
    this.#patience = checkInteger('earlyStopping.patience', patience, 0);
    this.#minDelta = checkNumber('earlyStopping.minDelta', minDelta, 0);
  }

  /**
   * Take the record of an epoch.
   *
   * @throws {OptionError} when the record has no such loss or metric
   */
  take(record: EpochRecord): EpochOutcome {
    const value = this.#valueOf(record);
    const isBest = value > this.#best;
    if (isBest) this.#best = value;
    if (value > this.#base + this.#minDelta) {
      this.#base = value;
      this.#waited = 0;
      return { isBest, shouldStop: false };
    }
    this.#waited++;
    return { isBest, shouldStop: this.#waited >= Math.max(1, this.#patience) };
  }

  /** Larger is better. */
  #valueOf(record: EpochRecord): number {
    if (this.#monitor === 'perExample') return -record.perExample;
    if (this.#monitor === 'validation.perExample' && record.validation) return -record.validation.perExample;
    const metric = metricOf(record.validation?.metrics, this.#monitor) ?? metricOf(record.batchMetrics, this.#monitor);
    if (metric === undefined) {
      throw new OptionError(
        `earlyStopping.monitor: expected the name of a loss or metric of the run, got ${JSON.stringify(this.#monitor)}`,
      );
    }
    return metric;
  }
}

/** A metric by a name that the caller gave, which may be the name of an inherited property. */
function metricOf(metrics: Readonly<Record<string, number>> | undefined, name: string): number | undefined {
  return metrics && Object.hasOwn(metrics, name) ? metrics[name] : undefined;
}
