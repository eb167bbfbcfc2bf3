/**
 * Steps of long work: reports progress after each step and, after enough arithmetic, gives the event loop a turn, in
 * which signals can be raised.
 *
 * Multiplications and not a clock decide when to pause, so that every run is the same. A timer after every small step
 * would cost more than the step.
 */
import { throwIfAborted } from '../checks/abort.ts';

/** Multiplications between two pauses: some ten milliseconds. */
const PAUSE_WORK = 2 ** 27;

/** Counts steps of one piece of work. */
export class WorkSteps {
  readonly #what: string;
  readonly #total: number;
  readonly #onProgress: ((share: number) => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  #done = 0;
  #work = 0;

  constructor(
    what: string,
    total: number,
    { onProgress, signal }: { onProgress?: ((share: number) => void) | undefined; signal?: AbortSignal | undefined },
  ) {
    this.#what = what;
    this.#total = total;
    this.#onProgress = onProgress;
    this.#signal = signal;
  }

  /** Set the number of steps done, for work that ended early. */
  reach(done: number): void {
    this.#done = done;
  }

  /**
   * Record a step that took `work` multiplications.
   *
   * @throws {AbortedError} when the signal is raised
   */
  async step(work: number): Promise<void> {
    this.#onProgress?.(Math.min(1, ++this.#done / this.#total));
    this.#work += work;
    if (this.#work >= PAUSE_WORK) {
      this.#work = 0;
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
    }
    throwIfAborted(this.#what, this.#signal);
  }
}
