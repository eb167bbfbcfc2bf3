/**
 * A snapshot: the newest version of a model with all its updates, written as one bundle file while the model keeps
 * serving.
 *
 * Updates wait while the file is written, so that it shows one point in time and contains every update that was
 * acknowledged before. The file is in a temporary folder, which the caller removes.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { servableNotFound } from '../status/serving-error.ts';
import type { Model } from './model.ts';

/** Prefix of the folders of snapshots; those that a killed server left are removed at start. */
export const SNAPSHOT_PREFIX = '.snapshot-';

/** A temporary bundle file. */
export interface Snapshot {
  version: number;
  file: string;
  /** Remove the file. */
  remove: () => Promise<void>;
}

/** Write a snapshot. @throws {ServingError} NOT_FOUND when no version serves */
export async function snapshot(model: Model): Promise<Snapshot> {
  const record = model.newest;
  if (!record?.served) throw servableNotFound(`Latest(${model.name})`);
  const { served, version } = record;
  const folder = await temporaryFolder(model.basePath);
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await model.withoutUpdates(() => served.hold(({ servable }) => servable.save(folder)));
    const [name] = await readdir(folder);
    return { version, file: join(folder, name!), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * Make a folder next to the versions, where there should be space for another one; in the system's temporary folder if
 * that cannot be written.
 */
async function temporaryFolder(basePath: string): Promise<string> {
  try {
    return await mkdtemp(join(basePath, SNAPSHOT_PREFIX));
  } catch {
    return mkdtemp(join(tmpdir(), SNAPSHOT_PREFIX.slice(1)));
  }
}
