/**
 * Compaction: write what the newest version has become under its updates as the next version, and serve that.
 *
 * The new version is built in a hidden folder beside the others. While it is written and loaded, updates go on in the
 * old one; they are idempotent, so those that came after the save began are applied again on top. Only the last step
 * holds updates back: the rest of the journal is copied, the folder gets its number by a rename, and updates go there.
 * To rebalance, the saved version is loaded, built anew, saved over itself and loaded again before it serves.
 * A kill before the rename leaves the old version with its whole journal; after it, the new one is complete.
 */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecords } from '../journal/record-reader.ts';
import { ServingError } from '../status/serving-error.ts';
import type { Model } from './model.ts';
import { JOURNAL_NAME, listVersions } from './version-folders.ts';
import type { VersionLoader } from './version-record.ts';

/** Folders that a compaction builds in; what a killed one left is removed at start. */
export const COMPACTING_PREFIX = '.compacting-';

/** How to compact. */
export interface CompactOptions {
  /** Build the index anew from its candidates, too; default false. */
  rebalance?: boolean;
}

/**
 * Compact the newest version of a model; the number of the version that now serves.
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
  const work = async (): Promise<number> => {
    const source = model.newest;
    if (!source?.journal) throw new ServingError('FAILED_PRECONDITION', `Model ${model.name} cannot be compacted`);
    const { journal } = source;
    if (rebalance && !source.served!.servable.drift()) {
      throw new ServingError('FAILED_PRECONDITION', `Model ${model.name} has no leaves to rebalance`);
    }
    const existing = await listVersions(model.basePath);
    const version = 1 + Math.max(source.version, ...existing.map((folder) => folder.version));
    const building = join(model.basePath, `${COMPACTING_PREFIX}${version}`);
    await rm(building, { recursive: true, force: true });
    await mkdir(building, { recursive: true });
    // With no update under way, every record up to here is applied, so the save has it; later ones are copied.
    const savedUpTo = await model.withoutUpdates(async () => journal.sequence);
    await source.served!.hold(({ servable }) => servable.save(building));
    if (rebalance) await rebalanceSaved(building, load);
    const loaded = await load(building);
    const target = loaded.journal!;
    let copiedUpTo = savedUpTo;
    const copyRest = async (): Promise<void> => {
      const rest = [...readRecords(await readFile(journal.path))].filter(({ sequence }) => sequence > copiedUpTo);
      for (const { sequence, update } of rest) {
        copiedUpTo = sequence;
        await target.append([update]);
        loaded.servable.apply(update);
      }
    };
    await copyRest();
    await model.withoutUpdates(async () => {
      await copyRest();
      const path = join(model.basePath, String(version));
      await rename(building, path);
      await syncFolder(model.basePath);
      target.moved(join(path, JOURNAL_NAME));
      await model.adopt((await listVersions(model.basePath)).find((folder) => folder.version === version)!, loaded);
    });
    return version;
  };
  return model.exclusively(work).finally(() => {
    model.isCompacting = false;
  });
}

async function rebalanceSaved(folder: string, load: VersionLoader): Promise<void> {
  const { servable, journal } = await load(folder);
  try {
    await servable.saveRebalanced(folder);
  } finally {
    await journal?.close();
    servable.dispose();
  }
}

/** A rename is durable when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
