/** Makes a folder for files that are about to be written, and takes it away again if they cannot be. */
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname, relative, sep } from 'node:path';

/**
 * Make a folder, and those above it that do not exist, and run `write`. If that fails, the folders that were made are
 * removed, unless there is something in them.
 */
export async function inFolder<T>(folder: string, write: () => Promise<T>): Promise<T> {
  // The highest folder that was made; undefined if all were there.
  const highest = await mkdir(folder, { recursive: true });
  try {
    return await write();
  } catch (error) {
    if (highest !== undefined) await removeEmpty(folder, highest);
    throw error;
  }
}

/** Remove empty folders from the lowest to the highest; ends at the first that cannot be removed. */
async function removeEmpty(lowest: string, highest: string): Promise<void> {
  try {
    for (let folder = lowest; relative(highest, folder).split(sep)[0] !== '..'; folder = dirname(folder))
      await rmdir(folder);
  } catch {
    // Another process has put something into it.
  }
}
