/**
 * Long work as steps of about a millisecond: done at once, or with the event loop between them, so that whoever shares
 * the thread waits for a step and not for the whole.
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
