/**
 * Compaction: write the newest version, with all its updates applied, as the next version, and serve that one.
 *
 * The new version is built in a hidden folder next to the others. While its file is written, in pieces between queries,
 * updates wait, so that the file shows one point in time. While the new version is loaded, updates go to the old
 * version; they are then copied from its journal and applied to the new one. Updates wait again only while the last few
 * are copied. Then the folder is renamed to its version number, and further updates go to the new version. To
 * rebalance, the saved version is loaded, its index is rebuilt, it is saved over the first file, and it is loaded again
 * before it serves. If the process is killed before the rename, the old version and its whole journal remain; after the
 * rename the new version is complete.
 */
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Journal } from '../journal/journal.ts';
import { JournalLock, JournalLocks } from '../journal/lock.ts';
import { HEAD_BYTES } from '../journal/record.ts';
import { readRequestsOf } from '../journal/record-reader.ts';
import { syncFolder } from '../journal/salvage.ts';
import { ServingError, servableNotFound } from '../status/serving-error.ts';
import { applyUpdates } from './apply-updates.ts';
import { loadServable } from './load-version.ts';
import type { Model } from './model.ts';
import { updatesRefused } from './updates-refused.ts';
import { JOURNAL_NAME, listVersions } from './version-folders.ts';
import type { LoadedVersion, VersionLoader } from './version-record.ts';

/** Prefix of the folders in which a compaction builds; those that a killed server left are removed at start. */
export const COMPACTING_PREFIX = '.compacting-';

/**
 * Most bytes of updates that are left for the last step, in which updates wait; they take some tens of milliseconds.
 */
const REST_BYTES = 1 << 17;
/**
 * Most passes of copying without a wait. If updates still arrive faster than they can be copied, they wait from then
 * on.
 */
const PASSES_MAX = 8;

/** Options of a compaction. */
export interface CompactOptions {
  /** Also rebuild the index from its candidates; default false. */
  rebalance?: boolean;
}

/**
 * Compact the newest version of a model. Returns the number of the version that now serves. A version without updates
 * is left as it is.
 *
 * @throws {ServingError} ABORTED while another compaction runs, FAILED_PRECONDITION if there is nothing to compact or
 * rebalance, what `Journal.check` does if the version's updates are refused
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
  if (!source) throw servableNotFound(`Latest(${model.name})`);
  if (!source.journal) throw updatesRefused(model.name, source);
  const { journal } = source;
  // A new version would otherwise take the place of a folder that was put here meanwhile, or be written where no server
  // looks.
  await journal.check('The compaction', false);
  if (rebalance && !source.served!.servable.drift()) {
    throw new ServingError('FAILED_PRECONDITION', `Model ${model.name} has no leaves to rebalance`);
  }
  // There are no updates, so a copy would equal the version's file.
  if (!rebalance && journal.sizeBytes <= HEAD_BYTES) return source.version;
  const existing = await listVersions(model.basePath);
  const version = 1 + Math.max(source.version, ...existing.map((folder) => folder.version));
  const building = join(model.basePath, `${COMPACTING_PREFIX}${version}`);
  await rm(building, { recursive: true, force: true });
  let lock: JournalLock | undefined;
  try {
    await mkdir(building, { recursive: true });
    // The lock shows a server that starts now that this folder is in use, not a leftover of a killed server.
    lock = await lockOf(building);
    // No update is under way, so every record of the journal is applied and will be in the saved file.
    const savedTo = await model.withoutUpdates(async () => {
      const end = journal.sizeBytes;
      await source.served!.hold(({ servable }) => servable.save(building));
      return end;
    });
    if (rebalance) await rebalanceSaved(building);
    await takeOver(model, journal, savedTo, building, version, await load(building, true, lock));
  } catch (error) {
    await lock?.release();
    // Removing the folder frees space on a full disk.
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

/**
 * Apply to a loaded version the updates that the old version's journal has gained since the save, and serve it. If that
 * fails, the version is disposed.
 */
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
      // No fsync is needed: the journal that this one replaces is on the disk already.
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

/**
 * Copy the requests of a journal from a byte on to the journal of a version, and apply them. Returns the byte after the
 * last one.
 */
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

/**
 * Rename the folder, and undo it if the rename may not be durable: a restart could otherwise find the new version
 * without its later updates.
 */
async function renameDurably(from: string, to: string, folder: string): Promise<void> {
  await rename(from, to);
  try {
    await syncFolder(folder);
  } catch (error) {
    await rename(to, from);
    throw error;
  }
}
