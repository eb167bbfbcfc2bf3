/**
 * The bundle: one file with everything that serving needs. It has a query tower (or the fold-in of implicit ALS) and an
 * index, and optionally the candidate tower, the items that each user has seen, and metadata of the caller.
 *
 * It can be saved at any moment. A loaded bundle gives results with the same bits, for any k, exclusions and filters,
 * and saving it again gives the same file, byte for byte. docs/format.md describes the file. On another kind of machine
 * the vectors of a tower with dense layers may differ in their last bits (docs/decisions/same-bits-everywhere.md).
 */

import { FoldIn } from '../als/fold-in.ts';
import { BYTES, checkArgument } from '../checks/arguments.ts';
import { checkInteger, checkNumber, checkOneOf } from '../checks/numbers.ts';
import {
  instanceOf,
  NUMBER,
  OBJECT,
  objectWith,
  optionsCheck,
  optionType,
  required,
  STRING,
} from '../checks/options.ts';
import { whileSaving } from '../embeddings/table-lock.ts';
import { OptionError } from '../errors/errors.ts';
import { type Loaders, loadPart, type Part, readSaved } from '../format/part.ts';
import { containerSections, type Saved } from '../format/saved.ts';
import type { JsonObject } from '../format/settings.ts';
import { bytesSource, openFileOf, type Source } from '../format/source.ts';
import { type AsyncSink, type Sink, toBytes, writeContainer, writeContainerAsync } from '../format/writer.ts';
import type { Layer } from '../layers/contract.ts';
import { modelPool } from '../parallel/model-pool.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { SeenItems } from '../seen/seen-items.ts';
import { type Identifier, isUpdatable, type QueryModel } from '../topk/contract.ts';
import type { Identifiers } from '../topk/identifiers.ts';
import { Tower } from '../towers/tower.ts';
import { type Features, tablesOf } from '../towers/tower-inputs.ts';
import { checkMetadata } from './metadata.ts';
import { INDEXES, isSavable, QUERY_MODELS, type SavableIndex, saveIndex } from './registry.ts';
import { loadTowers, savedTowers } from './saved-towers.ts';

/** The contents of a bundle to save. */
export interface BundleContents<Q, I extends Identifier> {
  index: SavableIndex<Q, I>;
  /** Default: the index's query model, where it is a tower. */
  queryTower?: Tower<Q & Features> | undefined;
  /** Default: the index's query model, where it is one; no other can be saved. */
  foldIn?: FoldIn | undefined;
  candidateTower?: Tower<never> | undefined;
  /** The items that each user has seen; their identifiers have the type of the index's. */
  seenItems?: SeenItems<I> | undefined;
  /** A JSON object of the caller, which is loaded unchanged. */
  metadata?: JsonObject;
}

/** A loaded bundle. */
export interface Bundle<Q, I extends Identifier> {
  /** The index; it takes raw features where the saved one did. */
  index: SavableIndex<Q, I>;
  queryTower: Tower<Q & Features> | undefined;
  /** The query model of an index of implicit ALS factors; a bundle that has one has no query tower. */
  foldIn: FoldIn | undefined;
  candidateTower: Tower<Features> | undefined;
  seenItems: SeenItems<I> | undefined;
  metadata: JsonObject;
}

/** Options of loading a bundle. */
export interface LoadOptions {
  /** The runtime in whose memory the bundle is loaded; default: the shared one. */
  runtime?: Runtime;
  /**
   * Room for new candidates, as a share of the loaded ones: as long as there is room, upserts do not copy the index.
   * The room reserves addresses at once, and takes memory only when it is used. Default 0.
   */
  headroom?: number;
  /**
   * The number of reads under way at a time. The default of 4 reads a megabyte at a time on threads of the system. 1
   * reads an eighth of a megabyte at a time and leaves the cores to other work.
   */
  reads?: number | undefined;
  /** The loader of each kind of the program's own layers. */
  layers?: Loaders<Layer>;
  /**
   * The place of the rows with which a ScaNN index scores its best candidates again: 'memory' (default), or 'file' to read
   * those of the candidates of a query from the bundle, which stays open until the index is freed. The index then takes no
   * new candidates and cannot be saved, and the checksum of the rows is not checked. Only `loadBundle` can do that.
   */
  rows?: 'memory' | 'file';
  /** Bytes of rows from the file that all threads keep in memory together; default 64 MiB. The system has a cache of its own. */
  rowCacheBytes?: number;
}

/** The sections with the rows of an index, in one memory or in segments. */
const ROWS = /^index\/(?:segment-\d+\/)?rows$/;
/** Default of `rowCacheBytes`. */
const ROW_CACHE_BYTES = 2 ** 26;

const SOURCE = objectWith('a Source', 'sizeBytes', 'read');
const TOWER = objectWith('a Tower', 'save', 'embed');
const checkContents = optionsCheck<BundleContents<never, never>>('the contents of a bundle', {
  index: required(optionType('an index that can be saved', isSavable)),
  queryTower: TOWER,
  foldIn: instanceOf('a FoldIn', () => FoldIn),
  candidateTower: TOWER,
  seenItems: instanceOf('SeenItems', () => SeenItems),
  metadata: OBJECT,
});
const SINK = objectWith('a sink, which has `write`', 'write');
const checkLoad = optionsCheck<LoadOptions>('loading a bundle', {
  runtime: RUNTIME,
  headroom: NUMBER,
  reads: NUMBER,
  layers: OBJECT,
  rows: STRING,
  rowCacheBytes: NUMBER,
});

/**
 * Write a bundle to a sink, in order and without holding it whole.
 *
 * @throws {StateError} when the index has no candidates yet
 * @throws {OptionError} when the index cannot be saved, or asks a query model that is not the bundle's query tower
 * @throws whatever the sink throws
 */
export function writeBundle<Q, I extends Identifier>(contents: BundleContents<Q, I>, sink: Sink): void {
  checkArgument('sink', sink, SINK);
  writeContainer(containerSections(bundleOf(contents)), sink, contents.index.runtime);
}

/**
 * `writeBundle` in steps of at most an eighth of a megabyte, with the event loop between them; rejects with what that throws.
 * Until it resolves, tower and index answer queries, asynchronous changes of the index wait, and its synchronous changes throw
 * a StateError. A `fit` whose callback started the save waits until it has ended; a new `fit` of its towers throws a
 * StateError.
 */
export async function writeBundleAsync<Q, I extends Identifier>(
  contents: BundleContents<Q, I>,
  sink: AsyncSink,
): Promise<void> {
  checkArgument('sink', sink, SINK);
  const { index, candidateTower } = checkContents(contents);
  const towers = [contents.queryTower ?? towerOf(index.queryModel), candidateTower];
  const tables = tablesOf(towers.flatMap((tower) => tower?.inputs ?? []));
  const write = (): Promise<void> =>
    whileSaving(tables, async () => writeContainerAsync(containerSections(bundleOf(contents)), sink, index.runtime));
  await (isUpdatable(index) ? index.access.read('saveBundle', write) : write());
}

/** A bundle as bytes; throws as `writeBundle`. */
export function bundleToBytes<Q, I extends Identifier>(contents: BundleContents<Q, I>): Uint8Array {
  return toBytes(containerSections(bundleOf(contents)), contents.index.runtime);
}

/**
 * Read a bundle. If the source waits for its bytes, as a file does, the event loop runs after each piece.
 *
 * @throws {OptionError} when headroom or reads are out of range
 * @throws {FormatError} naming the section and the byte when it is damaged, foreign or of a newer version
 * @throws {MemoryError} when the linear memory cannot hold it
 */
export async function readBundle<Q = string, I extends Identifier = Identifier>(
  source: Source,
  options: LoadOptions = {},
): Promise<Bundle<Q, I>> {
  checkArgument('source', source, SOURCE);
  const { runtime = defaultRuntime(), headroom = 0, reads, layers = {}, ...given } = checkLoad(options);
  const rows = checkOneOf('rows', given.rows ?? 'memory', ['memory', 'file']);
  const cacheBytes = checkInteger('rowCacheBytes', given.rowCacheBytes ?? ROW_CACHE_BYTES, 0);
  if (rows === 'file') checkRowsInFile(source, headroom);
  // Threads that start for the checksums then have the kernels of the towers too.
  modelPool(runtime);
  checkNumber('headroom', headroom, 0);
  if (reads !== undefined) checkInteger('reads', reads, 1);
  const roomOf = (name: string, sizeBytes: number): number => (name.startsWith('index/') ? headroom * sizeBytes : 0);
  const load = (root: Part): Bundle<Features, Identifier> =>
    loadPart(root, { bundle: (part) => loadContents(part, layers, cacheBytes / runtime.pool.threads) });
  // The file does not say what Q and I are: the caller does.
  const inFile: string[] = [];
  const staysInFile = (name: string): boolean => rows === 'file' && ROWS.test(name) && inFile.push(name) > 0;
  const bundle = await readSaved(source, load, runtime, { roomOf, staysInFile, reads });
  if (rows === 'file' && inFile.length === 0) {
    (bundle.index as { free?: () => void }).free?.();
    throw new OptionError('rows: expected "memory" for a bundle without a ScaNN index, got "file"');
  }
  return bundle as unknown as Bundle<Q, I>;
}

/** @throws {OptionError} when rows cannot stay in the file */
function checkRowsInFile(source: Source, headroom: number): void {
  if (!openFileOf(source))
    throw new OptionError('rows: expected "memory" for a source that is no file on disk, got "file"');
  if (headroom > 0) {
    throw new OptionError(`headroom: expected 0 with rows: "file", which takes no new candidates, got ${headroom}`);
  }
}

/** A bundle from its bytes, which are copied; throws as `readBundle`. */
export async function bundleFromBytes<Q = string, I extends Identifier = Identifier>(
  bytes: Uint8Array,
  options: LoadOptions = {},
): Promise<Bundle<Q, I>> {
  return readBundle<Q, I>(bytesSource(checkArgument('bytes', bytes, BYTES)), options);
}

function bundleOf<Q, I extends Identifier>(contents: BundleContents<Q, I>): Saved {
  checkContents(contents);
  const { index } = contents;
  const identifiers = isUpdatable(index) ? index.identifiers : undefined;
  return savedBundle(contents, { saved: saveIndex(index), identifiers });
}

/**
 * The saved form of a bundle, given that of its index.
 *
 * @throws as `saveBundle`
 */
export function savedBundle<Q, I extends Identifier>(
  contents: BundleContents<Q, I>,
  { saved, identifiers }: { saved: Saved; identifiers: Identifiers<I> | undefined },
): Saved {
  const { index, candidateTower, seenItems, metadata = {} } = checkContents(contents);
  checkMetadata(metadata);
  const { queryModel } = index;
  const queryTower = contents.queryTower ?? towerOf(queryModel);
  const parts: Record<string, Saved> = {};
  if (contents.foldIn !== undefined && contents.foldIn !== queryModel) {
    throw new OptionError("foldIn: expected the index's query model, got a different FoldIn");
  }
  if (queryModel instanceof FoldIn) parts.queryModel = queryModel.save();
  else if (queryModel !== undefined && queryModel !== queryTower) {
    throw new OptionError("queryTower: expected the tower that is the index's query model, got a different one");
  }
  const biases = queryTower?.biases ?? candidateTower?.biases;
  if (biases && 'distanceMeasure' in index && index.distanceMeasure !== 'dot_product') {
    throw new OptionError(
      `index: expected the distance measure dot_product for towers with biases, got ${index.distanceMeasure}`,
    );
  }
  Object.assign(parts, savedTowers(queryTower, candidateTower));
  parts.index = saved;
  if (seenItems) {
    const identifierType = identifiers?.columnType;
    if (seenItems.itemType !== (identifierType ?? seenItems.itemType)) {
      throw new OptionError(
        `seenItems: expected items that are ${identifierType}s as in the index, got ${seenItems.itemType}s`,
      );
    }
    parts.seenItems = seenItems.save();
  }
  return { kind: 'bundle', settings: { takesFeatures: index.queryModel !== undefined, metadata }, sections: [], parts };
}

function towerOf<Q>(queryModel: QueryModel<Q> | undefined): Tower<Q & Features> | undefined {
  return queryModel instanceof Tower ? queryModel : undefined;
}

function loadContents(part: Part, layers: Loaders<Layer>, cacheBytes: number): Bundle<Features, Identifier> {
  const names = part.partNames();
  const { queryTower, candidateTower } = loadTowers(part, layers);
  const takesFeatures = part.settings.boolean('takesFeatures');
  const foldIn = names.includes('queryModel') ? loadPart(part.part('queryModel'), QUERY_MODELS) : undefined;
  const queryModel = (foldIn as QueryModel<unknown> | undefined) ?? queryTower;
  if (takesFeatures && !queryModel) throw part.settings.error('takesFeatures', 'expected a query tower, got none');
  const index = loadPart(part.part('index'), INDEXES, takesFeatures ? queryModel : undefined, cacheBytes);
  if (takesFeatures && index.size > 0 && index.dimensions !== queryModel!.dimensions) {
    throw part.settings.error(
      'takesFeatures',
      `expected vectors of ${index.dimensions}, got ${queryModel!.dimensions}`,
    );
  }
  const seenItems = names.includes('seenItems') ? loadSeenItems(part.part('seenItems'), index) : undefined;
  return { index, queryTower, foldIn, candidateTower, seenItems, metadata: part.settings.object('metadata').whole() };
}

function loadSeenItems(part: Part, index: SavableIndex<Features, Identifier>): SeenItems<Identifier> {
  const seenItems = loadPart(part, { 'seen-items': SeenItems.load });
  const identifierType = identifierTypeOf(index);
  if (identifierType !== undefined && seenItems.itemType !== identifierType) {
    throw part.refusal(`items: expected ${identifierType}s as in the index, got ${seenItems.itemType}s`);
  }
  return seenItems;
}

/** The type of the identifiers of an index; undefined where nothing tells it. */
function identifierTypeOf<Q, I extends Identifier>(index: SavableIndex<Q, I>): string | undefined {
  return isUpdatable(index) ? index.identifiers?.columnType : undefined;
}
