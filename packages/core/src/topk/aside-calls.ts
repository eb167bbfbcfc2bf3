/** Calls of an index on the worker threads: one after the other, and the candidates stay as they are until one has ended. */
import { StateError } from '../errors/errors.ts';

/** The calls of one index. */
export class AsideCalls {
  #underWay: Promise<void> | undefined;

  /**
   * Resolves, never rejects, when the call under way has ended; undefined when there is none. Look again after waiting:
   * the next call may have begun.
   */
  get underWay(): Promise<void> | undefined {
    return this.#underWay;
  }

  /** @throws {StateError} while a call reads the candidates */
  checkNone(what: string): void {
    if (!this.#underWay) return;
    throw new StateError(`${what}: expected no callAsync under way, got one that reads the candidates`);
  }

  /** Begin a call when the ones before it have ended; throws what it throws. */
  async run<T>(begin: () => Promise<T>): Promise<T> {
    while (this.#underWay) await this.#underWay;
    const done = begin();
    this.#underWay = done.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await done;
    } finally {
      this.#underWay = undefined;
    }
  }
}
