/**
 * `shortlist restore BUNDLE FOLDER`: put a bundle, such as a snapshot of `GET /v1/bundle`, into a folder of versions as its
 * newest version. A server that serves the folder loads it, beside what it serves, within a second.
 *
 * The bundle is read and checked first, copied beside the versions and renamed, so that no server finds half of it.
 */
import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FileError } from 'shortlist';
import { openBundle } from '../input/bundle.ts';
import { type Command, UsageError } from '../terminal/command.ts';

/** The prefix of the folder that a restore writes, which servers do not read. */
const UNFINISHED = '.restoring-';

/** Restore a bundle. */
export const restore: Command = async (argv, { stdout }) => {
  const { positionals } = parseArgs({ args: [...argv], options: {}, allowPositionals: true });
  const [bundle, folder, ...more] = positionals;
  if (bundle === undefined || folder === undefined || more.length > 0) {
    throw new UsageError(`restore: expected a bundle and a folder of versions, got ${positionals.length} arguments`);
  }
  // What cannot be loaded would replace nothing, and stay as a version that every server fails to load.
  await openBundle(bundle);
  const version = await putVersion(bundle, folder).catch((error: NodeJS.ErrnoException) => {
    throw new FileError(`${folder}: cannot be written to: ${error.message}`, { cause: error });
  });
  stdout.write(`${bundle} is version ${version} of ${folder}\n`);
  return 0;
};

/** Copy a bundle into a folder as the version after its newest; the version's number. */
async function putVersion(bundle: string, folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const versions = (await readdir(folder)).filter((name) => /^(0|[1-9]\d{0,14})$/.test(name)).map(Number);
  const version = 1 + Math.max(0, ...versions);
  const building = join(folder, `${UNFINISHED}restore-${process.pid}`);
  await mkdir(building);
  try {
    const file = join(building, 'model.shortlist');
    await copyFile(bundle, file);
    await synced(file);
    await rename(building, join(folder, String(version)));
    await synced(folder);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    throw error;
  }
  return version;
}

/** Wait until a file's bytes, or a folder's names, are on the disk. */
async function synced(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
