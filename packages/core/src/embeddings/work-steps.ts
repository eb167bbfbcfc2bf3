/**
 * Steps of long work: progress after each, and a pause in which signals get their turn after enough arithmetic.
 *
 * Pauses are counted in multiplications, not in time: a clock would make a run differ from another, and a timer after
 * every small step would cost more than the step.
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

  /** So many steps are done: work that settled early needed fewer. */
  reach(done: number): void {
    this.#done = done;
  }

  /**
   * A step is done that took so many multiplications.
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
