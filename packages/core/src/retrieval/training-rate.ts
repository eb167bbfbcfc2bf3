/** The speed of a training run, and the time that it still needs. */
import type { Clock } from './pauses.ts';

/** Measures the examples per second of a run, and estimates the time that is left. */
export class TrainingRate {
  readonly #clock: Clock;
  readonly #start: number;
  readonly #total: number;
  readonly #before: number;
  #done = 0;

  /**
   * @param total examples of the whole run
   * @param before examples that were done before the run was interrupted and resumed
   */
  constructor(clock: Clock, total: number, before: number) {
    this.#clock = clock;
    this.#start = clock();
    this.#total = total;
    this.#before = before;
  }

  /** The rate and the remaining time after a further `rows` examples. */
  after(rows: number): { examplesPerSecond: number; etaSeconds: number } {
    this.#done += rows;
    const seconds = Math.max(1e-9, (this.#clock() - this.#start) / 1000);
    const examplesPerSecond = this.#done / seconds;
    return { examplesPerSecond, etaSeconds: Math.max(0, this.#total - this.#before - this.#done) / examplesPerSecond };
  }
}
