/** Progress of long work, and the pauses in which the event loop handles signals and other work. */

/** Work without a pause lasts at most about this long: what a person feels as immediate. */
const PAUSE_INTERVAL_MS = 25;

/** Milliseconds that only ever grow; `performance.now` unless a test says otherwise. */
export type Clock = () => number;

/** The default clock. */
export const systemClock: Clock = () => performance.now();

/** Lets the event loop run now and then. */
export class Pauses {
  readonly #clock: Clock;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock();
  }

  /** Pause if the last pause is long ago. */
  async pause(): Promise<void> {
    if (this.#clock() - this.#since < PAUSE_INTERVAL_MS) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    this.#since = this.#clock();
  }
}

/** Measures the examples per second of a run, and estimates the time that is left. */
export class Rate {
  readonly #clock: Clock;
  readonly #start: number;
  readonly #total: number;
  readonly #before: number;
  #done = 0;

  /**
   * @param total examples of the whole run
   * @param before examples that an interrupted run had done before this one goes on
   */
  constructor(clock: Clock, total: number, before: number) {
    this.#clock = clock;
    this.#start = clock();
    this.#total = total;
    this.#before = before;
  }

  /** The figures after a further `rows` examples. */
  after(rows: number): { examplesPerSecond: number; etaSeconds: number } {
    this.#done += rows;
    const seconds = Math.max(1e-9, (this.#clock() - this.#start) / 1000);
    const examplesPerSecond = this.#done / seconds;
    return { examplesPerSecond, etaSeconds: Math.max(0, this.#total - this.#before - this.#done) / examplesPerSecond };
  }
}
