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
