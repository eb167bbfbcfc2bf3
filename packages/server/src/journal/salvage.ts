/**
 * Salvages a damaged journal: keeps a copy of the file next to it, then replaces it by one that holds only its whole
 * requests.
 *
 * Both files are complete and on the disk before they get their names, so that a crash leaves the damaged journal
 * unchanged, perhaps with a copy.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { encodeHead, HEAD_BYTES, SEEN_VERSION } from './record.ts';

/** Copies are named after the journal, followed by this suffix and a number from 1 on. */
export const DAMAGED_SUFFIX = '.damaged-';
const REPLACEMENT_SUFFIX = '.new';

/** Write the bytes of a journal to a copy next to it. Returns the copy's name. */
export async function keepCopy(path: string, bytes: Buffer): Promise<string> {
  for (let number = 1; ; number++) {
    const copy = `${path}${DAMAGED_SUFFIX}${number}`;
    let file: FileHandle;
    try {
      file = await open(copy, 'wx');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    try {
      await writeAndClose(file, [bytes]);
    } catch (error) {
      await rm(copy, { force: true });
      throw error;
    }
    return basename(copy);
  }
}

/** Replace a journal by a file of the given pieces of it. Returns the new size. */
export async function replaceBy(path: string, pieces: readonly Buffer[]): Promise<number> {
  const replacement = path + REPLACEMENT_SUFFIX;
  try {
    await writeAndClose(await open(replacement, 'w'), [encodeHead(SEEN_VERSION), ...pieces]);
    await rename(replacement, path);
  } catch (error) {
    await rm(replacement, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
  return HEAD_BYTES + pieces.reduce((sum, { length }) => sum + length, 0);
}

async function writeAndClose(file: FileHandle, pieces: readonly Buffer[]): Promise<void> {
  try {
    for (const piece of pieces) {
      for (let done = 0; done < piece.length; ) done += (await file.write(piece, done)).bytesWritten;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Force a folder to the disk, which makes new names in it durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
