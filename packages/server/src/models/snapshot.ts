/**
 * A snapshot: the newest version of a model with all its updates, as one bundle file, while the model goes on serving.
 *
 * Updates wait while the file is written, so that it is of one moment and holds every update that was acknowledged before.
 * It is written to a temporary folder, which its user removes.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServingError } from '../status/serving-error.ts';
import type { Model } from './model.ts';

/** Folders of snapshots; what a killed server left is removed at start. */
export const SNAPSHOT_PREFIX = '.snapshot-';

/** A bundle file that was written for one use. */
export interface Snapshot {
  version: number;
  file: string;
  /** Remove the file. */
  remove: () => Promise<void>;
}

/** Write a snapshot. @throws {ServingError} NOT_FOUND where no version serves */
export async function snapshot(model: Model): Promise<Snapshot> {
  const record = model.newest;
  if (!record?.served) throw new ServingError('NOT_FOUND', `Servable not found for request: Latest(${model.name})`);
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

/** Beside the versions, where there is room for another; elsewhere when that cannot be written. */
async function temporaryFolder(basePath: string): Promise<string> {
  try {
    return await mkdtemp(join(basePath, SNAPSHOT_PREFIX));
  } catch {
    return mkdtemp(join(tmpdir(), SNAPSHOT_PREFIX.slice(1)));
  }
}
