/** Early stopping: end a run whose monitored figure no longer improves. */

import { checkInteger, checkNumber } from '../checks/numbers.ts';
import { NUMBER, optionsCheck, STRING } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import type { EpochRecord } from './history.ts';

/** When to stop. */
export interface EarlyStopping {
  /** 'perExample' (training), 'validation.perExample', a validation metric's or an in-batch accuracy's name; default 'validation.perExample'. */
  monitor?: string;
  /** Epochs in a row without improvement that end the run; 0 and 1 mean the first. As Keras. Default 0. */
  patience?: number;
  /** What counts as an improvement; default 0. */
  minDelta?: number;
}

const checkOptions = optionsCheck<EarlyStopping>('earlyStopping', {
  monitor: STRING,
  patience: NUMBER,
  minDelta: NUMBER,
});

/** Watches one figure. Losses are to fall, metrics to rise. */
export class StopWatcher {
  readonly #monitor: string;
  readonly #patience: number;
  readonly #minDelta: number;
  #best = Number.NEGATIVE_INFINITY;
  #waited = 0;

  /** @throws {OptionError} when patience or minDelta are out of range */
  constructor(options: EarlyStopping) {
    const { monitor = 'validation.perExample', patience = 0, minDelta = 0 } = checkOptions(options);
    this.#monitor = monitor;
    this.#patience = checkInteger('earlyStopping.patience', patience, 0);
    this.#minDelta = checkNumber('earlyStopping.minDelta', minDelta, 0);
  }

  /**
   * Take an epoch's figure; true when the run should end.
   *
   * @throws {OptionError} when the record has no such figure
   */
  shouldStop(record: EpochRecord): boolean {
    const value = this.#valueOf(record);
    if (value > this.#best + this.#minDelta) {
      this.#best = value;
      this.#waited = 0;
      return false;
    }
    this.#waited++;
    return this.#waited >= Math.max(1, this.#patience);
  }

  /** Larger is better. */
  #valueOf(record: EpochRecord): number {
    if (this.#monitor === 'perExample') return -record.perExample;
    if (this.#monitor === 'validation.perExample' && record.validation) return -record.validation.perExample;
    const metric = record.validation?.metrics[this.#monitor] ?? record.batchMetrics?.[this.#monitor];
    if (metric === undefined) {
      throw new OptionError(
        `earlyStopping.monitor: expected a figure of the run, got ${JSON.stringify(this.#monitor)}`,
      );
    }
    return metric;
  }
}
