/**
 * Load a version from its folder (or from a bundle file): the bundle, its attributes, and the journal's updates on top.
 *
 * A folder holds one bundle, the only file whose name ends in `.shortlist`. A version in a folder can be updated; a
 * bundle file alone has no place for a journal and is read only.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from 'shortlist';
import { loadBundle, saveBundle } from 'shortlist/node';
import { columnsOfTable, tableOfColumns } from '../attributes/columns.ts';
import { type FsyncPolicy, Journal } from '../journal/journal.ts';
import { HEAD_BYTES } from '../journal/record.ts';
import type { Servable } from '../servable/contract.ts';
import { checkIdentifiersOf } from '../servable/identifiers.ts';
import { ROOM_SHARE, servedIndex } from '../servable/index-parts.ts';
import { IndexServable } from '../servable/index-servable.ts';
import { replayUpdate } from './apply-updates.ts';
import { JOURNAL_NAME } from './version-folders.ts';
import type { LoadedVersion } from './version-record.ts';

/** How bundle files end. */
export const BUNDLE_SUFFIX = '.shortlist';
/** The name compaction gives a bundle. */
const BUNDLE_NAME = `model${BUNDLE_SUFFIX}`;

/** The bundle file at a path: itself, or the one in the folder. @throws {DataError} when there is not exactly one */
async function bundleFile(path: string): Promise<{ file: string; folder: string | undefined }> {
  if ((await stat(path)).isFile()) return { file: path, folder: undefined };
  const names = (await readdir(path)).filter((name) => name.endsWith(BUNDLE_SUFFIX));
  if (names.length !== 1) throw new DataError(`${path}: expected one ${BUNDLE_SUFFIX} file, got ${names.length}`);
  return { file: join(path, names[0]!), folder: path };
}

/**
 * Load what a version answers with: its bundle, without the journal of its updates.
 *
 * @param isBeside while another serves: one read at a time, for the memory it is read to costs a core as well
 * @throws {FormatError} when the bundle is damaged
 * @throws {DataError} when the folder holds no bundle, its attributes do not fit, or a protocol could not say an identifier
 */
export async function loadServable(path: string, isBeside: boolean): Promise<{ servable: Servable; folder?: string }> {
  const { file, folder } = await bundleFile(path);
  const { index, queryTower, foldIn, candidateTower, metadata } = await loadBundle<never>(file, {
    headroom: ROOM_SHARE,
    ...(isBeside && { reads: 1 }),
  });
  const served = servedIndex(index);
  await checkIdentifiersOf(served.identifiers);
  const servable = new IndexServable({
    index: served,
    queryTower: queryTower ?? foldIn,
    attributes: tableOfColumns(metadata.attributes, served.identifiers?.size ?? 0),
    save: (folder, index, table, rows) =>
      saveBundle(
        join(folder, BUNDLE_NAME),
        {
          index,
          queryTower,
          candidateTower: candidateTower,
          metadata: { ...metadata, attributes: columnsOfTable(table, rows) },
        },
        { nonBlocking: true },
      ),
  });
  return folder === undefined ? { servable } : { servable, folder };
}

/** Load a version with its journal. @throws what `loadServable` does, and {FormatError} when the journal is damaged */
export async function loadVersion(path: string, fsync: FsyncPolicy, isBeside = false): Promise<LoadedVersion> {
  const { servable, folder } = await loadServable(path, isBeside);
  if (folder === undefined) return { servable };
  const journalPath = join(folder, JOURNAL_NAME);
  // Replaying is updating. A version without updates serves sooner.
  const journalBytes = (await stat(journalPath).catch(() => undefined))?.size ?? 0;
  if (journalBytes > HEAD_BYTES) await servable.prepare();
  const journal = await Journal.open(journalPath, fsync, ({ update }) => replayUpdate(servable, update));
  return { servable, journal };
}
