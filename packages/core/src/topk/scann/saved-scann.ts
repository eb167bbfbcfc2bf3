/**
 * Saves and loads a ScaNN index. Functions beside the class, so that a bundler leaves them out of a program that does
 * neither.
 */
import type { Part } from '../../format/part.ts';
import type { Saved } from '../../format/saved.ts';
import type { Identifier, QueryModel } from '../contract.ts';
import { optionsOf, readScann, savedLive } from './saved.ts';
import { ScaNN } from './scann.ts';
import { SEGMENTED_CODE } from './streamed/segmented-code.ts';
import { LiveIndex } from './update/live-index.ts';

/**
 * Settings, identifiers and parts of an index, without the query model. The bytes are views that are valid until the
 * candidates change.
 *
 * @throws {StateError} before `index`
 */
export function saveScann<Q, I extends Identifier>(index: ScaNN<Q, I>): Saved {
  return savedLive(index.settings, index.live);
}

/**
 * Load a saved index; its parts stay in the memory blocks that they were read into.
 *
 * @param cacheBytes for rows that stay in a file: the cache of each thread
 * @throws {FormatError} when settings and sections do not fit together
 */
export function loadScann<Q, I extends Identifier>(
  part: Part,
  queryModel?: QueryModel<Q>,
  cacheBytes: number = 0,
): ScaNN<Q, I> {
  const { settings, leaves, identifiers, size, calibration } = readScann<I>(part, cacheBytes);
  const index = new ScaNN<Q, I>({ ...optionsOf<Q>(settings), queryModel, runtime: part.runtime });
  const segmented = leaves.isWhole ? undefined : SEGMENTED_CODE;
  const live = new LiveIndex(leaves, identifiers, size, settings.distanceMeasure === 'cosine', segmented);
  live.calibration = calibration;
  index.restore(live);
  return index;
}
