/**
 * Builds a model of the registry from its configuration: it finds the versions, and warms and serves those that are
 * loaded.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { checkArgument, STRING } from 'shortlist/options';
import type { Journal } from '../journal/journal.ts';
import { JournalLocks } from '../journal/lock.ts';
import { BUNDLE_SUFFIX } from '../journal/place.ts';
import { COMPACTING_PREFIX } from '../models/compaction.ts';
import { Model } from '../models/model.ts';
import { REMOVING_PREFIX } from '../models/retention.ts';
import { SNAPSHOT_PREFIX } from '../models/snapshot.ts';
import { singleVersion } from '../models/version-folders.ts';
import type { VersionLoader } from '../models/version-record.ts';
import { type Observers, observedVersion, warmUp } from '../observe/observed-version.ts';
import type { ModelConfig } from './options.ts';

/** The parts of a server that all models share. */
export interface ModelSurroundings extends Observers {
  load: VersionLoader;
  logger: Logger;
}

/** Build a model without loading a version. */
export async function buildModel(config: ModelConfig, surroundings: ModelSurroundings): Promise<Model> {
  const { load, metrics, logger } = surroundings;
  const { name, path } = config;
  const single = await isSingleVersion(path);
  if (!single) await removeUnfinished(path);
  const said = new Map<number, string>();
  return new Model({
    name,
    basePath: single ? dirname(path) : path,
    ...(single ? { list: () => singleVersion(path) } : {}),
    ...(config.policy ? { policy: config.policy } : {}),
    load: async (versionPath, isBeside, lock) => {
      const loaded = await load(versionPath, isBeside, lock);
      await warmUp(loaded.servable, versionPath, metrics);
      for (const remark of loaded.servable.attributes.remarks) logger.warn({ model: name }, remark);
      if (loaded.journal) sayRecovery(logger, name, loaded.journal);
      if (loaded.foreign) {
        logger.warn({ model: name, reason: loaded.foreign.refused.reason }, 'this version is served without updates');
      }
      return loaded;
    },
    serve: (model, version, { servable }) => observedVersion(model, version, servable, surroundings),
    onState: (model, { version, state, errorMessage }) => {
      // A version that fails is tried again every second, but the same reason is logged only once.
      if (errorMessage !== '' && said.get(version) === errorMessage) return;
      if (errorMessage !== '') {
        said.set(version, errorMessage);
        logger.error({ model, version, state, reason: errorMessage }, 'version could not be loaded');
      } else if (state === 'AVAILABLE' || !said.has(version)) {
        said.delete(version);
        logger.info({ model, version, state }, 'version');
      }
    },
    onUpdatable: (model, { version, journal }) => {
      sayRecovery(logger, model, journal!);
      logger.info({ model, version }, 'this version accepts updates now');
    },
    onRefused: (model, { version }, reason) => {
      if (reason === undefined) logger.info({ model, version }, 'this version accepts updates again');
      else logger.error({ model, version, reason }, 'this version accepts no updates any more');
    },
  });
}

function sayRecovery(logger: Logger, model: string, { recovery }: Journal): void {
  const { records, bytesCut, reason, misfits, misfit, damage } = recovery;
  if (damage) {
    logger.error({ model, records, ...damage }, 'the journal is damaged: updates are lost; a copy of it was kept');
  } else if (bytesCut > 0) {
    logger.warn({ model, records, bytesCut, reason }, 'the journal ended in an unfinished write, which was cut off');
  } else if (records > 0) logger.info({ model, records }, 'journal replayed');
  if (misfits > 0) {
    logger.warn({ model, misfits, misfit }, 'attributes in the journal do not fit their columns and were left out');
  }
}

/** The name of a model, derived from its path: both movielens.shortlist and movielens/ give `movielens`. */
export function modelNameOf(path: string): string {
  return basename(checkArgument('path', path, STRING), BUNDLE_SUFFIX);
}

async function isSingleVersion(path: string): Promise<boolean> {
  const entry = await stat(path).catch(() => undefined);
  // A FIFO or a socket is treated like a file here; loading it throws an error that names its kind.
  if (!entry?.isDirectory()) return entry !== undefined;
  return (await readdir(path)).some((name) => name.endsWith(BUNDLE_SUFFIX));
}

/** Prefixes of folders that a killed server may have left. */
const UNFINISHED = [COMPACTING_PREFIX, REMOVING_PREFIX, SNAPSHOT_PREFIX];

async function removeUnfinished(basePath: string): Promise<void> {
  const names = await readdir(basePath).catch(() => []);
  const locks = new JournalLocks();
  for (const name of names.filter((name) => UNFINISHED.some((prefix) => name.startsWith(prefix)))) {
    const folder = join(basePath, name);
    // A folder that another server may still be writing is kept. A failure to remove one is ignored: on a read-only
    // disk the folder does no harm.
    if (!(await locks.isHeld(folder))) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
