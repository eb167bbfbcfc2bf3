/** Applying updates: to a version that serves, and again to one that was loaded. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Servable, Update } from '../servable/contract.ts';

/** Updates applied between two turns of the event loop: some tenths of a millisecond. */
const APPLIED_AT_ONCE = 16;

/** Apply updates to a version that may serve, a few at a time, so that queries do not wait for all of many. */
export async function applyUpdates(
  servable: Servable,
  updates: readonly Update[],
  apply: (update: Update) => void = (update) => servable.apply(update),
): Promise<void> {
  for (let at = 0; at < updates.length; at += APPLIED_AT_ONCE) {
    if (at > 0) await nextTurn();
    await servable.change(() => {
      for (const update of updates.slice(at, at + APPLIED_AT_ONCE)) apply(update);
    });
  }
}

/**
 * Apply an update of a journal, after all before it; why attributes of it were left out, where some were.
 *
 * Older servers accepted values of two kinds for a new attribute when they came together, and showed the later candidate
 * without it. Such a journal loads, and the candidate has all else it was given.
 *
 * @throws {ServingError} when it cannot be applied for another reason: the journal is not of this bundle
 */
export function replayUpdate(servable: Servable, update: Update): string | undefined {
  const fitting =
    update.kind === 'upsert' && update.attributes ? servable.attributes.fitting(update.attributes) : undefined;
  const fitted = fitting?.problem === undefined ? update : { ...update, attributes: fitting.values };
  const release = servable.check([fitted]);
  servable.apply(fitted);
  release();
  return fitting?.problem;
}
