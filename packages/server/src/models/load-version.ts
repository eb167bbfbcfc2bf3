/**
 * Loads a version from its folder or from a bundle file: the bundle, its attributes, and the updates of the journal.
 *
 * A folder holds one bundle, the only file whose name ends in `.shortlist`. A version in a folder can be updated. A
 * bundle file alone has no folder for a journal and is read-only.
 */
import { constants, copyFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from 'shortlist';
import { kindOfEntry, loadBundle, saveBundle } from 'shortlist/node';
import { columnsOfTable, kindsOfTable, tableOfColumns } from '../attributes/columns.ts';
import { FollowedJournal, type UpdatesRefused } from '../journal/followed-journal.ts';
import { type FsyncPolicy, Journal } from '../journal/journal.ts';
import { JournalLock, type JournalLocks, ownerText } from '../journal/lock.ts';
import { BUNDLE_SUFFIX, FolderPlace, REMOVED } from '../journal/place.ts';
import { HEAD_BYTES, type JournalRecord } from '../journal/record.ts';
import type { DamagePolicy } from '../journal/recovery.ts';
import type { Servable, Update } from '../servable/contract.ts';
import { checkIdentifiersOf } from '../servable/identifiers.ts';
import { ROOM_SHARE, servedIndex } from '../servable/index-parts.ts';
import { IndexServable } from '../servable/index-servable.ts';
import { isDiskFull, ServingError } from '../status/serving-error.ts';
import { withoutPaths } from '../status/without-paths.ts';
import { applyUpdates, replayUpdate } from './apply-updates.ts';
import { JOURNAL_NAME } from './version-folders.ts';
import type { ForeignJournal, LoadedVersion } from './version-record.ts';

/** The name of the bundle files that compaction writes. */
const BUNDLE_NAME = `model${BUNDLE_SUFFIX}`;

/**
 * The bundle file of a path: the path itself, or the only bundle file in that folder.
 *
 * @throws {DataError} when there is not exactly one
 */
async function bundleFile(path: string): Promise<string> {
  if (!(await stat(path)).isDirectory()) return path;
  const names = (await readdir(path)).filter((name) => name.endsWith(BUNDLE_SUFFIX));
  if (names.length !== 1) throw new DataError(`${path}: expected one ${BUNDLE_SUFFIX} file, got ${names.length}`);
  return join(path, names[0]!);
}

/** The place of the rows with which a ScaNN index scores its best candidates again. */
export interface RowOptions {
  /** 'file': they are read from the bundle, which stays open, and the version takes no updates; default 'memory'. */
  rows?: 'memory' | 'file' | undefined;
  /** Bytes of rows from the file that are kept in memory; default 64 MiB. */
  rowCacheBytes?: number | undefined;
}

/**
 * Load the bundle of a version, without the journal of its updates.
 *
 * @param isBeside whether another version serves at the same time: the file is then read with one read at a time,
 * because even allocating the memory for it takes a core
 * @throws {FormatError} when the bundle is damaged
 * @throws {DataError} when the folder holds no bundle, its attributes do not fit, or an identifier cannot be sent by
 * every protocol
 */
export async function loadServable(
  path: string,
  isBeside: boolean,
  { rows = 'memory', rowCacheBytes }: RowOptions = {},
): Promise<{ servable: Servable }> {
  const file = await bundleFile(path);
  await checkIsFile(file);
  const { index, queryTower, foldIn, candidateTower, seenItems, metadata } = await loadBundle<never>(file, {
    headroom: rows === 'file' ? 0 : ROOM_SHARE,
    rows,
    ...(rowCacheBytes !== undefined && { rowCacheBytes }),
    ...(isBeside && { reads: 1 }),
  });
  const served = servedIndex(index);
  await checkIdentifiersOf(served.identifiers);
  const servable: IndexServable = new IndexServable({
    index: served,
    queryTower: queryTower ?? foldIn,
    candidateTower,
    attributes: tableOfColumns(metadata.attributes, served.identifiers?.size ?? 0, metadata.attributeKinds),
    seenItems,
    save: (folder, index, table, rowCount) => {
      const path = join(folder, BUNDLE_NAME);
      // A version whose rows stay in the file has no updates.
      if (rows === 'file') return copyFile(file, path, constants.COPYFILE_FICLONE);
      const attributes = columnsOfTable(table, rowCount);
      return saveBundle(
        path,
        {
          index,
          queryTower,
          candidateTower: candidateTower,
          seenItems: seenItems || servable.seenItems.pairCount > 0 ? servable.seenItems : undefined,
          metadata: { ...metadata, attributes, attributeKinds: kindsOfTable(table, attributes) },
        },
        { nonBlocking: true },
      );
    },
  });
  return { servable };
}

/** @throws {DataError} when the path is a FIFO, a device or a socket, of which a read may never end */
async function checkIsFile(path: string): Promise<void> {
  const entry = await stat(path);
  if (entry.isFile()) return;
  throw new DataError(`${path}: expected a file, got ${kindOfEntry(entry)}`);
}

/** Options of loading a version with its journal. */
export interface LoadOptions extends RowOptions {
  fsync: FsyncPolicy;
  locks: JournalLocks;
  /** Handling of a damaged journal. */
  onDamage: DamagePolicy;
  /**
   * Handling of a version whose updates another server accepts: serve it without accepting updates, or wait until the
   * other server has ended.
   */
  whenLocked: 'serve' | 'wait';
}

/**
 * Load a version with its journal.
 *
 * @throws what `loadServable` does
 * @throws {FormatError} when the journal is damaged and `onDamage` is 'refuse'
 * @throws {ServingError} UNAVAILABLE when another server holds the lock and this one is to wait
 * @throws {DataError} when the rows are to stay in the file, and the version has updates
 */
export async function loadVersion(
  path: string,
  options: LoadOptions,
  isBeside = false,
  held?: JournalLock,
): Promise<LoadedVersion> {
  if (!(await stat(path)).isDirectory()) return loadServable(path, isBeside, options);
  if (options.rows === 'file') return loadWithoutUpdates(path, options, isBeside);
  const lock = held ?? (await takeLock(path, options.locks));
  if (!(lock instanceof JournalLock) && lock.isLocked && options.whenLocked === 'wait') {
    throw new ServingError('UNAVAILABLE', `This version does not serve yet: ${lock.reason}`);
  }
  let servable: Servable | undefined;
  try {
    ({ servable } = await loadServable(path, isBeside, options));
    return await withJournal(path, servable, lock, options);
  } catch (error) {
    await servable?.dispose();
    if (lock instanceof JournalLock && !held) await lock.release();
    throw error;
  }
}

/** Load a version whose rows stay in the file; its index can take no updates. */
async function loadWithoutUpdates(folder: string, options: RowOptions, isBeside: boolean): Promise<LoadedVersion> {
  const path = join(folder, JOURNAL_NAME);
  const journalBytes = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (journalBytes > HEAD_BYTES) {
    throw new DataError(
      `${path}: expected no updates for an index whose rows stay in the file, got ${journalBytes} bytes of them; ` +
        'compact the version while its rows are in memory',
    );
  }
  const { servable } = await loadServable(folder, isBeside, options);
  const refused: UpdatesRefused = { isLocked: false, reason: "its rows stay in the file (rows: 'file')" };
  return { servable, foreign: { refused, sizeBytes: 0, advance: async () => undefined } };
}

async function withJournal(
  folder: string,
  servable: Servable,
  lock: JournalLock | UpdatesRefused,
  options: LoadOptions,
): Promise<LoadedVersion> {
  const path = join(folder, JOURNAL_NAME);
  const entry = await stat(path).catch(() => undefined);
  if (entry) await checkIsFile(path);
  // Only a version with updates needs this preparation; one without updates serves sooner.
  if ((entry?.size ?? 0) > HEAD_BYTES) await servable.prepare();
  if (!(lock instanceof JournalLock)) return { servable, foreign: await follow(folder, servable, lock, options) };
  try {
    const replay = ({ update }: JournalRecord): string | undefined => replayUpdate(servable, update);
    return { servable, journal: await Journal.open(path, options.fsync, replay, { onDamage: options.onDamage, lock }) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!READ_ONLY.includes(code ?? '')) throw error;
    await lock.release();
    // Clients and the status show the reason.
    const reason = withoutPaths(message, folder);
    return { servable, foreign: await follow(folder, servable, { isLocked: false, reason }, options) };
  }
}

/** System errors that mean that a folder or a file in it may not be written. */
const READ_ONLY: readonly string[] = ['EROFS', 'EACCES', 'EPERM'];

async function takeLock(folder: string, locks: JournalLocks): Promise<JournalLock | UpdatesRefused> {
  const taken = await locks.take(folder);
  if (taken instanceof JournalLock) return taken;
  if ('holder' in taken) return { isLocked: true, reason: `${ownerText(taken.holder)} accepts its updates` };
  const { code = '' } = taken.refusal;
  if (READ_ONLY.includes(code)) return { isLocked: false, reason: `its folder cannot be written (${code})` };
  if (code === 'ENOENT') return { isLocked: false, reason: REMOVED };
  // There may be room for the lock file soon.
  if (isDiskFull(taken.refusal)) return { isLocked: false, isFull: true, reason: `the disk is full (${code})` };
  throw taken.refusal;
}

/** Follow a journal that this server cannot append to; the updates in it are applied. */
async function follow(
  folder: string,
  servable: Servable,
  refused: UpdatesRefused,
  { fsync, locks, onDamage }: LoadOptions,
): Promise<ForeignJournal> {
  const path = join(folder, JOURNAL_NAME);
  const followed = new FollowedJournal(path, refused);
  const place = await FolderPlace.of(folder);
  await applyUpdates(servable, updatesOf(await followed.news()), (update) => void replayUpdate(servable, update));
  return {
    get refused() {
      return followed.refused;
    },
    get sizeBytes() {
      return followed.sizeBytes;
    },
    async advance(apply) {
      // A journal of another folder holds the updates of another bundle.
      const change = await place.look();
      if (change !== undefined) {
        followed.refused = { isLocked: false, reason: change };
        return undefined;
      }
      const lock = await takeLock(folder, locks);
      if (!(lock instanceof JournalLock)) {
        followed.refused = lock;
        const news = updatesOf(await followed.news());
        if (news.length > 0) await apply(news);
        return undefined;
      }
      let journal: Journal | undefined;
      try {
        const news: JournalRecord[] = [];
        const seen = followed.sequence;
        const see = (record: JournalRecord): undefined => {
          if (record.sequence > seen) news.push(record);
        };
        journal = await Journal.open(path, fsync, see, { onDamage, lock });
        if (news.length > 0) await apply(updatesOf(news));
        return journal;
      } catch (error) {
        if (journal) await journal.close();
        else await lock.release();
        throw error;
      }
    },
  };
}

const updatesOf = (records: readonly JournalRecord[]): Update[] => records.map(({ update }) => update);
