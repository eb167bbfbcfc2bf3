/** Rebuilds an index from its own candidates and applies the updates made meanwhile. */
import type { Progress } from '../../../clustering/k-means.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import type { Identifier } from '../../contract.ts';
import { buildLive } from '../build/build-live.ts';
import type { Segments } from '../segments/segments.ts';
import type { ScannSettings } from '../settings.ts';
import type { KeptUpdates } from './kept-updates.ts';
import type { LiveIndex } from './live-index.ts';

/**
 * Rebuild an index in steps. Updates of the old index between the steps are kept in `updates`, and the last steps apply
 * them to the new index.
 *
 * @throws what a build or an update throws; the new index is freed then
 */
export function* rebalanced<I extends Identifier>(
  old: LiveIndex<I>,
  updates: KeptUpdates<I>,
  settings: ScannSettings,
  runtime: Runtime,
  segments: Segments | undefined,
): Generator<Progress, LiveIndex<I>> {
  const { rowLoss, codeErrors, hasRotation, blockWidth } = old.leaves.shape;
  // A rebuild keeps the format of the rows, because it has only the rounded rows to measure, and the codes to which the
  // numbers of leaves and of reordered candidates belong.
  const kept: ScannSettings = {
    ...settings,
    ...(rowLoss && { reorder: old.precision }),
    ...(codeErrors && { rotation: hasRotation ? 'balanced-pca' : 'none', dimensionsPerBlock: blockWidth }),
  };
  const live = yield* old.segmented?.rebuild(old, kept) ?? buildLive(old.candidates(kept), kept, runtime, segments);
  if (rowLoss) live.leaves.shape.rowLoss = rowLoss;
  if (codeErrors) live.leaves.shape.codeErrors = codeErrors;
  let isWhole = false;
  try {
    yield* updates.replay(live);
    isWhole = true;
    return live;
  } finally {
    if (!isWhole) live.free();
  }
}
