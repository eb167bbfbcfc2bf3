/** Applying updates to a version that serves. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Servable, Update } from '../servable/contract.ts';

/** Updates applied between two turns of the event loop: some tenths of a millisecond. */
const APPLIED_AT_ONCE = 16;

/** Apply updates while no scan reads the candidates, a few at a time, so that queries do not wait for all of many. */
export async function applyUpdates(servable: Servable, updates: readonly Update[]): Promise<void> {
  for (let at = 0; at < updates.length; at += APPLIED_AT_ONCE) {
    if (at > 0) await nextTurn();
    for (let scan = servable.quiet(); scan; scan = servable.quiet()) await scan;
    for (const update of updates.slice(at, at + APPLIED_AT_ONCE)) servable.apply(update);
  }
}
