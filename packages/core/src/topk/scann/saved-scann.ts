/**
 * Saves and loads a ScaNN index. Functions beside the class, so that a bundler leaves them out of a program that does
 * neither.
 */
import type { Part } from '../../format/part.ts';
import type { Saved } from '../../format/saved.ts';
import type { Identifier, QueryModel } from '../contract.ts';
import { readScann, savedLive } from './saved.ts';
import { ScaNN } from './scann.ts';
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
 * @throws {FormatError} when settings and sections do not fit together
 */
export function loadScann<Q, I extends Identifier>(part: Part, queryModel?: QueryModel<Q>): ScaNN<Q, I> {
  const { settings, leaves, identifiers, size, calibration } = readScann<I>(part);
  const { numReorderingCandidates, ...others } = settings;
  const reorder = settings.reorder === false ? {} : { numReorderingCandidates };
  const index = new ScaNN<Q, I>({ ...others, ...reorder, queryModel, runtime: part.runtime });
  const live = new LiveIndex(leaves, identifiers, size, settings.distanceMeasure === 'cosine');
  live.calibration = calibration;
  index.restore(live);
  return index;
}
