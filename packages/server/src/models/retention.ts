/**
 * Removes old versions of a model. Compaction and publishing add a folder for each new version, and nothing else
 * removes the old ones.
 *
 * These versions are kept: the newest `keep`, those that serve or have a label, those that the policy names, and those
 * newer than the one that serves, which may not have loaded yet. A folder is renamed before its files are removed, so
 * that no server finds half of a version.
 */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Model } from './model.ts';
import { listVersions } from './version-folders.ts';

/** Prefix of folders that are being removed; those that a killed server left are removed at start. */
export const REMOVING_PREFIX = '.removing-';

/**
 * Remove the versions of a model that need not be kept, and return their numbers. Removes none while no version serves.
 */
export function removeOldVersions(model: Model, keep: number): Promise<number[]> {
  return model.exclusively(async () => {
    const { newest, policy } = model;
    if (!newest) return [];
    const folders = (await listVersions(model.basePath)).sort((a, b) => b.version - a.version);
    const kept = new Set([
      ...folders.slice(0, keep).map(({ version }) => version),
      ...model.records.filter(({ state }) => state !== 'END').map(({ version }) => version),
      ...model.labels.values(),
      ...('specific' in policy ? policy.specific : []),
    ]);
    const old = folders.filter(({ version }) => version < newest.version && !kept.has(version));
    for (const { version, path } of old) {
      const removing = join(model.basePath, `${REMOVING_PREFIX}${version}`);
      await rm(removing, { recursive: true, force: true });
      await rename(path, removing);
      await rm(removing, { recursive: true, force: true });
    }
    return old.map(({ version }) => version);
  });
}
