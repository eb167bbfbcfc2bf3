/** A model of the registry from its configuration: where its versions are, and how a loaded one is warmed and served. */
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { COMPACTING_PREFIX } from '../models/compaction.ts';
import { BUNDLE_SUFFIX } from '../models/load-version.ts';
import { Model } from '../models/model.ts';
import { REMOVING_PREFIX } from '../models/retention.ts';
import { SNAPSHOT_PREFIX } from '../models/snapshot.ts';
import { singleVersion } from '../models/version-folders.ts';
import type { VersionLoader } from '../models/version-record.ts';
import { type Observers, observedVersion, warmUp } from '../observe/observed-version.ts';
import type { ModelConfig } from './options.ts';

/** What models share. */
export interface ModelSurroundings extends Observers {
  load: VersionLoader;
  logger: Logger;
}

/** Build a model; nothing is loaded yet. */
export async function buildModel(config: ModelConfig, surroundings: ModelSurroundings): Promise<Model> {
  const { load, metrics, logger } = surroundings;
  const { name, path } = config;
  const single = await isSingleVersion(path);
  if (!single) await removeUnfinished(path);
  return new Model({
    name,
    basePath: single ? dirname(path) : path,
    ...(single ? { list: () => singleVersion(path) } : {}),
    ...(config.policy ? { policy: config.policy } : {}),
    load: async (versionPath, isBeside) => {
      const loaded = await load(versionPath, isBeside);
      await warmUp(loaded.servable, versionPath, metrics);
      const recovery = loaded.journal?.recovery;
      if (recovery && recovery.bytesCut > 0)
        logger.warn({ model: name, ...recovery }, 'the journal had a damaged tail, it was cut');
      else if (recovery && recovery.records > 0)
        logger.info({ model: name, records: recovery.records }, 'journal replayed');
      if (recovery && recovery.misfits > 0) {
        const { misfits, misfit } = recovery;
        logger.warn({ model: name, misfits, misfit }, 'attributes in the journal do not fit, they were left out');
      }
      return loaded;
    },
    serve: (model, version, { servable }) => observedVersion(model, version, servable, surroundings),
    onState: (model, { version, state, errorMessage }) => {
      if (errorMessage === '') logger.info({ model, version, state }, 'version');
      else logger.error({ model, version, state, reason: errorMessage }, 'version could not be loaded');
    },
  });
}

/** The name a path gives a model: movielens.shortlist and movielens/ are both `movielens`. */
export function modelNameOf(path: string): string {
  return basename(path, BUNDLE_SUFFIX);
}

async function isSingleVersion(path: string): Promise<boolean> {
  const entry = await stat(path).catch(() => undefined);
  if (!entry?.isDirectory()) return entry?.isFile() ?? false;
  return (await readdir(path)).some((name) => name.endsWith(BUNDLE_SUFFIX));
}

/** Prefixes of folders that a killed server may have left. */
const UNFINISHED = [COMPACTING_PREFIX, REMOVING_PREFIX, SNAPSHOT_PREFIX];

async function removeUnfinished(basePath: string): Promise<void> {
  const names = await readdir(basePath).catch(() => []);
  for (const name of names.filter((name) => UNFINISHED.some((prefix) => name.startsWith(prefix)))) {
    await rm(join(basePath, name), { recursive: true, force: true });
  }
}
