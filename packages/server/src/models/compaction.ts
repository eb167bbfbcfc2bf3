/**
 * Compaction: write what the newest version has become under its updates as the next version, and serve that.
 *
 * The new version is built in a hidden folder beside the others. While it is written, piece by piece between
 * queries, updates wait, so that the file is of one moment; while it is loaded they go on in the old one, and those are
 * copied from its journal and applied on top. Only for the last few do updates wait again: then the folder gets its number
 * by a rename, and updates go there.
 * To rebalance, the saved version is loaded, built anew, saved over itself and loaded again before it serves.
 * A kill before the rename leaves the old version with its whole journal; after it, the new one is complete.
 */
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Journal } from '../journal/journal.ts';
import { JournalLock, JournalLocks } from '../journal/lock.ts';
import { HEAD_BYTES } from '../journal/record.ts';
import { readRequestsOf } from '../journal/record-reader.ts';
import { syncFolder } from '../journal/salvage.ts';
import { ServingError } from '../status/serving-error.ts';
import { applyUpdates } from './apply-updates.ts';
import { loadServable } from './load-version.ts';
import type { Model } from './model.ts';
import { JOURNAL_NAME, listVersions } from './version-folders.ts';
import type { LoadedVersion, VersionLoader } from './version-record.ts';

/** Folders that a compaction builds in; what a killed one left is removed at start. */
export const COMPACTING_PREFIX = '.compacting-';

/** Bytes of updates that may be left for the last step, where updates wait: some tens of milliseconds. */
const REST_BYTES = 1 << 17;
/** Passes after which updates wait although more come than can be copied. */
const PASSES_MAX = 8;

/** How to compact. */
export interface CompactOptions {
  /** Build the index anew from its candidates, too; default false. */
  rebalance?: boolean;
}

/**
 * Compact the newest version of a model; the number of the version that now serves. A version without updates stays.
 *
 * @throws {ServingError} ABORTED while another runs, FAILED_PRECONDITION where there is nothing to compact or rebalance
 */
export function compact(
  model: Model,
  load: VersionLoader,
  { rebalance = false }: CompactOptions = {},
): Promise<number> {
  if (model.isCompacting) {
    return Promise.reject(new ServingError('ABORTED', `Model ${model.name} is being compacted already`));
  }
  model.isCompacting = true;
  return model
    .exclusively(() => compactNewest(model, load, rebalance))
    .finally(() => {
      model.isCompacting = false;
    });
}

async function compactNewest(model: Model, load: VersionLoader, rebalance: boolean): Promise<number> {
  const source = model.newest;
  if (!source?.journal) throw new ServingError('FAILED_PRECONDITION', `Model ${model.name} cannot be compacted`);
  const { journal } = source;
  if (rebalance && !source.served!.servable.drift()) {
    throw new ServingError('FAILED_PRECONDITION', `Model ${model.name} has no leaves to rebalance`);
  }
  // The version is what its file says: a copy would say the same.
  if (!rebalance && journal.sizeBytes <= HEAD_BYTES) return source.version;
  const existing = await listVersions(model.basePath);
  const version = 1 + Math.max(source.version, ...existing.map((folder) => folder.version));
  const building = join(model.basePath, `${COMPACTING_PREFIX}${version}`);
  await rm(building, { recursive: true, force: true });
  let lock: JournalLock | undefined;
  try {
    await mkdir(building, { recursive: true });
    // Another server that starts now finds that the folder is not what a killed one has left.
    lock = await lockOf(building);
    // With no update under way every record is applied, so the save has all up to here.
    const savedTo = await model.withoutUpdates(async () => {
      const end = journal.sizeBytes;
      await source.served!.hold(({ servable }) => servable.save(building));
      return end;
    });
    if (rebalance) await rebalanceSaved(building);
    await takeOver(model, journal, savedTo, building, version, await load(building, true, lock));
  } catch (error) {
    await lock?.release();
    // A disk that is full gets its room back.
    await rm(building, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
  return version;
}

async function lockOf(folder: string): Promise<JournalLock> {
  const lock = await new JournalLocks().take(folder);
  if (lock instanceof JournalLock) return lock;
  throw 'refusal' in lock ? lock.refusal : new ServingError('ABORTED', 'Another server is compacting this model');
}

/** Bring a loaded version up to date with the journal it was saved beside, and serve it; given back when that fails. */
async function takeOver(
  model: Model,
  journal: Journal,
  savedTo: number,
  building: string,
  version: number,
  loaded: LoadedVersion,
): Promise<void> {
  const target = loaded.journal!;
  let copiedTo = savedTo;
  const copyRest = async (): Promise<void> => {
    copiedTo = await copyUpdates(journal, copiedTo, loaded);
  };
  try {
    await loaded.servable.prepare();
    await model.followers.open({ version, path: building, journalBytes: 0, isBeside: true });
    for (let pass = 0; pass < PASSES_MAX && journal.sizeBytes - copiedTo > REST_BYTES; pass++) await copyRest();
    await model.withoutUpdates(async () => {
      await copyRest();
      await model.followers.open({ version, path: building, journalBytes: target.sizeBytes, isBeside: true });
      // The journal that this one takes the place of is on the disk already.
      await target.sync();
      const path = join(model.basePath, String(version));
      await renameDurably(building, path, model.basePath);
      target.moved(join(path, JOURNAL_NAME));
      await model.adopt((await listVersions(model.basePath)).find((folder) => folder.version === version)!, loaded);
    });
  } catch (error) {
    model.followers.drop(version);
    await target.close();
    await loaded.servable.dispose();
    throw error;
  }
}

/** Append what a journal has from a byte on to a version's, request by request, and apply it; the byte behind. */
async function copyUpdates(from: Journal, begin: number, { servable, journal }: LoadedVersion): Promise<number> {
  const end = from.sizeBytes;
  for (const records of await readRequestsOf(from.path, begin, end)) {
    const updates = records.map(({ update }) => update);
    await journal!.append(updates);
    await applyUpdates(servable, updates);
    await nextTurn();
  }
  return end;
}

async function rebalanceSaved(folder: string): Promise<void> {
  const { servable } = await loadServable(folder, true);
  try {
    await servable.saveRebalanced(folder);
  } finally {
    await servable.dispose();
  }
}

/** Rename, and undo it when it may not be durable: the new version would be found and served without later updates. */
async function renameDurably(from: string, to: string, folder: string): Promise<void> {
  await rename(from, to);
  try {
    await syncFolder(folder);
  } catch (error) {
    await rename(to, from);
    throw error;
  }
}
