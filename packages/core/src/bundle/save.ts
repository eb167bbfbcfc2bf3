/** Bundles and checkpoints on disk. */
import { BOOLEAN, optionsCheck } from '../checks/options.ts';
import { RUNTIME } from '../parallel/runtime.ts';
import type { Checkpoint } from '../retrieval/checkpoint.ts';
import type { Identifier } from '../topk/contract.ts';
import {
  type Bundle,
  type BundleContents,
  type LoadOptions,
  readBundle,
  writeBundle,
  writeBundleInTurns,
} from './bundle.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { replaceFile, replaceFileInTurns, withFile } from './file.ts';

/** How to save. */
export interface SaveOptions {
  /**
   * Let the event loop come around after each piece. Until the promise is kept the tower must not change; the index may be
   * asked, its asynchronous changes wait, and its synchronous ones are refused. Default false: all bytes are taken at the
   * call.
   */
  inTurns?: boolean;
}

const checkSave = optionsCheck<SaveOptions>('saveBundle', { inTurns: BOOLEAN });
const checkLoad = optionsCheck<Pick<LoadOptions, 'runtime'>>('loadCheckpoint', { runtime: RUNTIME });

/**
 * Save a bundle at `path`. An older file there is replaced whole or, whatever happens, stays whole. What is saved is what
 * there is at the call: tower and index may change again before the promise is kept, unless it is saved `inTurns`.
 *
 * @throws {StateError} when the index has no candidates yet
 * @throws {OptionError} when the index cannot be saved, or asks a query model that is not the bundle's query tower
 * @throws {FileError} when the system refuses
 */
export async function saveBundle<Q, I extends Identifier>(
  path: string,
  contents: BundleContents<Q, I>,
  options: SaveOptions = {},
): Promise<void> {
  const { inTurns = false } = checkSave(options);
  if (inTurns) return replaceFileInTurns(path, (sink) => writeBundleInTurns(contents, sink));
  return replaceFile(path, (sink) => writeBundle(contents, sink));
}

/**
 * Load the bundle at `path`.
 *
 * @throws {FormatError} naming the section and the byte when it is damaged, foreign or of a newer version
 * @throws {FileError} when the system refuses
 * @throws {MemoryError} when the linear memory cannot hold it
 */
export function loadBundle<Q = string, I extends Identifier = Identifier>(
  path: string,
  options: LoadOptions = {},
): Promise<Bundle<Q, I>> {
  return withFile(path, (source) => readBundle<Q, I>(source, options));
}

/**
 * Save a checkpoint at `path`, as `saveBundle` does.
 *
 * @throws {FileError} when the system refuses
 */
export function saveCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  return replaceFile(path, (sink) => writeCheckpoint(checkpoint, sink));
}

/**
 * Load the checkpoint at `path`; `fit` goes on from it as its option `resume`.
 *
 * @throws {FormatError} naming the section and the byte when it is damaged, foreign or of a newer version
 * @throws {FileError} when the system refuses
 */
export async function loadCheckpoint(path: string, options: Pick<LoadOptions, 'runtime'> = {}): Promise<Checkpoint> {
  const { runtime } = checkLoad(options);
  return withFile(path, (source) => readCheckpoint(source, runtime));
}
