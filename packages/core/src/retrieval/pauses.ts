/** The pauses of long work, in which the event loop handles signals and other work, and the clock that times them. */

/** The longest work without a pause: a person still feels the response to Ctrl-C as immediate. */
const PAUSE_INTERVAL_MS = 25;

/** Milliseconds that only ever grow; `performance.now` unless a test says otherwise. */
export type Clock = () => number;

/** The default clock. */
export const systemClock: Clock = () => performance.now();

/** Lets the event loop run at intervals. */
export class Pauses {
  readonly #clock: Clock;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock();
  }

  /** Pause if the interval since the last pause is over. */
  async pause(): Promise<void> {
    if (this.#clock() - this.#since < PAUSE_INTERVAL_MS) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    this.#since = this.#clock();
  }
}
