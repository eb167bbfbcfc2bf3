/** Building an index anew from its own candidates, with the updates that are made meanwhile. */
import type { Progress } from '../../../clustering/k-means.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import type { Identifier } from '../../contract.ts';
import { buildLive } from '../build/build-live.ts';
import type { ScannSettings } from '../options.ts';
import type { KeptUpdates } from './kept-updates.ts';
import type { LiveIndex } from './live-index.ts';

/**
 * The index built anew, in steps. Between them the old one takes updates, each of which is kept; the last step makes the
 * last of them on the new one.
 *
 * @throws what a build throws, or an update when it is made again; then nothing is left of the new index
 */
export function* rebalanced<I extends Identifier>(
  old: LiveIndex<I>,
  updates: KeptUpdates<I>,
  settings: ScannSettings,
  runtime: Runtime,
): Generator<Progress, LiveIndex<I>> {
  const live = yield* buildLive(old.candidates(), settings, runtime);
  let isWhole = false;
  try {
    yield* updates.replay(live);
    isWhole = true;
    return live;
  } finally {
    if (!isWhole) live.free();
  }
}
