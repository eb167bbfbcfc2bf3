/**
 * Scans on the worker threads, and who waits for them to end: an update changes candidates only while no scan reads them.
 *
 * Scans may follow one another without a gap, so from when somebody waits none begins until the event loop has come
 * around after the last: whoever waited has done its work then, however many promises lay between.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** The scans of one index. */
export class ScansAside {
  readonly #scans = new Set<Promise<void>>();
  /** Resolves when the scans have ended, and when others may begin. */
  #stillness: { reached: Promise<void>; over: Promise<void> } | undefined;

  /** True while somebody waits for the scans to end: a new one would wait, too. */
  get areAwaited(): boolean {
    return this.#stillness !== undefined;
  }

  /** Begin a scan, at once or when those who wait have had their turn. */
  async run<T>(scan: () => Promise<T>): Promise<T> {
    while (this.#stillness) await this.#stillness.over;
    const done = scan();
    const settled = done.then(
      () => undefined,
      () => undefined,
    );
    this.#scans.add(settled);
    void settled.then(() => this.#scans.delete(settled));
    return done;
  }

  /** Resolves when the scans under way have ended; undefined when there is none. */
  ended(): Promise<void> | undefined {
    if (this.#scans.size === 0) return undefined;
    if (!this.#stillness) {
      const reached = Promise.all(this.#scans).then(() => undefined);
      const over = reached
        .then(() => nextTurn())
        .then(() => {
          this.#stillness = undefined;
        });
      this.#stillness = { reached, over };
    }
    return this.#stillness.reached;
  }
}
