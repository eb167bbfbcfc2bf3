/**
 * Long work as short steps: done at once, or with the event loop between them, so that whoever shares the thread waits for
 * a step and not for the whole. A step takes some tenths of a millisecond: a request takes several turns of the loop.
 */

/** Resolves when the event loop has come around: what was ready before runs before. */
export function nextTurn(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (done: () => void) => unknown };
  return new Promise((resolve) => {
    if (setImmediate) setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

/** All steps at once; what the last one returns. */
export function finish<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** All steps, each in a turn of the event loop of its own; what the last one returns. */
export async function finishInTurns<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await nextTurn();
  }
}

/** Bytes of new memory touched in a step: the system takes up to 12 µs for each page of 4 KiB. */
const TOUCHED_BYTES = 1 << 16;

/** Have the system give an array of zeros its pages, before work that goes through it in no order would wait for them. */
export function* touchPages(zeros: Int32Array): Generator<void, void> {
  const length = TOUCHED_BYTES / zeros.BYTES_PER_ELEMENT;
  for (let at = 0; at < zeros.length; at += length) {
    zeros.fill(0, at, at + length);
    yield;
  }
}
