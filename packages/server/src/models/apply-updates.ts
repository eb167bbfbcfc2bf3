/** Applies updates to a version that serves, and replays updates of a journal on a version that was just loaded. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Servable, Update } from '../servable/contract.ts';

/** Updates applied per turn of the event loop, which take some tenths of a millisecond. */
const APPLIED_AT_ONCE = 16;

/**
 * Apply updates to a version that may serve, a few at a time, so that queries do not wait until many updates are
 * applied.
 */
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
 * Apply an update of a journal, in the journal's order. If attributes of the update were left out, the reason is
 * returned.
 *
 * Older servers accepted values of two kinds for a new attribute when one request held both, and showed the later
 * candidate without the attribute. Such a journal loads, and the candidate has all its other attributes.
 *
 * @throws {ServingError} when it cannot be applied for another reason, such as that the journal belongs to another
 * bundle
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
