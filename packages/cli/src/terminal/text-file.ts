/** Writes text files: under another name first, so that the path holds the old text or the whole new one. */
import { appendFile, open, rename, rm } from 'node:fs/promises';
import { FileError } from 'shortlist';
import { systemReason } from 'shortlist/node';

/**
 * Replaces the file at a path by a text.
 *
 * @throws {FileError} when the system refuses; the old file is as it was, and no other file is left
 */
export async function replaceText(path: string, text: string): Promise<void> {
  const unfinished = `${path}.writing`;
  try {
    const file = await open(unfinished, 'w');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw refusal(path, error);
  }
}

/** Appends a text to a file. @throws {FileError} when the system refuses; the end of the text may then be missing */
export async function appendText(path: string, text: string): Promise<void> {
  await appendFile(path, text).catch((error: unknown) => {
    throw refusal(path, error);
  });
}

function refusal(path: string, error: unknown): FileError {
  return new FileError(`${path}: cannot be written: ${systemReason(error)}`, { cause: error });
}
