/**
 * Long work as a generator of short steps. `finish` does all steps at once; `finishAsync` lets the event loop run
 * between them, so that other work of the thread waits for one step only. A step takes only some tenths of a
 * millisecond, because a request to a server needs several turns of the event loop.
 */

/** Resolves in the next turn of the event loop, after everything that is ready to run now. */
export function nextTurn(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (done: () => void) => unknown };
  return new Promise((resolve) => {
    if (setImmediate) setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

/** Do all steps at once; returns what the last one returns. */
export function finish<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Do each step in its own turn of the event loop; resolves to what the last one returns. */
export async function finishAsync<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await nextTurn();
  }
}

/** Bytes of new memory touched in a step: the system takes up to 12 µs for each page of 4 KiB. */
const TOUCHED_BYTES = 1 << 16;

/** Write an array of zeros once, in steps, so that the system allocates its pages before random accesses wait for them. */
export function* touchPages(zeros: Int32Array): Generator<void, void> {
  const length = TOUCHED_BYTES / zeros.BYTES_PER_ELEMENT;
  for (let at = 0; at < zeros.length; at += length) {
    zeros.fill(0, at, at + length);
    yield;
  }
}
