/** Writes bundles and checkpoints to disk. */
import { checkArgument, PATH } from '../checks/arguments.ts';
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
  writeBundleAsync,
} from './bundle.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { replaceFile, replaceFileAsync, withFile, withOpenFile } from './file.ts';

/** Options of `saveBundle`. */
export interface SaveOptions {
  /**
   * True: write piece by piece and let the event loop run between the pieces. Until the promise resolves, a `fit` of
   * the tower waits or is refused; the index answers queries, its asynchronous changes wait, and its synchronous changes throw a StateError.
   * Default false: all bytes are taken at the call.
   */
  nonBlocking?: boolean;
}

const checkSave = optionsCheck<SaveOptions>('saveBundle', { nonBlocking: BOOLEAN });
const checkLoad = optionsCheck<Pick<LoadOptions, 'runtime'>>('loadCheckpoint', { runtime: RUNTIME });

/**
 * Save a bundle at `path`. An older file there is replaced as a whole; when saving fails, it stays as it was. The bundle
 * holds tower and index as they are at the call: both may change before the promise resolves, unless `nonBlocking` is true.
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
  checkPath(path);
  const { nonBlocking = false } = checkSave(options);
  if (nonBlocking) return replaceFileAsync(path, (sink) => writeBundleAsync(contents, sink));
  return replaceFile(path, (sink) => writeBundle(contents, sink));
}

/**
 * Load the bundle at `path`.
 *
 * @throws {FormatError} naming the section and the byte when it is damaged, foreign or of a newer version
 * @throws {FileError} when the system refuses
 * @throws {MemoryError} when the linear memory cannot hold it
 */
export async function loadBundle<Q = string, I extends Identifier = Identifier>(
  path: string,
  options: LoadOptions = {},
): Promise<Bundle<Q, I>> {
  checkPath(path);
  const open = options?.rows === 'file' ? withOpenFile : withFile;
  return open(path, (source) => readBundle<Q, I>(source, options));
}

/**
 * Save a checkpoint at `path`, as `saveBundle` does.
 *
 * @throws {FileError} when the system refuses
 */
export async function saveCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  checkPath(path);
  return replaceFile(path, (sink) => writeCheckpoint(checkpoint, sink));
}

/**
 * Load the checkpoint at `path`; `fit` goes on from it as its option `resume`.
 *
 * @throws {FormatError} naming the section and the byte when it is damaged, foreign or of a newer version
 * @throws {FileError} when the system refuses
 */
export async function loadCheckpoint(path: string, options: Pick<LoadOptions, 'runtime'> = {}): Promise<Checkpoint> {
  checkPath(path);
  const { runtime } = checkLoad(options);
  return withFile(path, (source) => readCheckpoint(source, runtime));
}

function checkPath(path: string): void {
  checkArgument('path', path, PATH);
}
