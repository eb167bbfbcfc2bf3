/**
 * The names of files while they are written, and the removal of those that killed processes left.
 *
 * A file is written beside its final name as `<name>.<16 hex digits>.tmp` and then renamed. Whoever writes the same file
 * again removes those that have not changed for a while. Age decides instead of a process number: a number means
 * nothing in a folder that containers or machines share, and may be that of another process by now. Node only.
 */
import { randomBytes } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkArgument } from '../checks/arguments.ts';
import { FUNCTION, STRING } from '../checks/options.ts';

/**
 * Time without a change after which nobody writes any more, in milliseconds: six hours. No write pauses for hours, and a
 * nightly job finds what the one of the night before left.
 */
const ABANDONED_MS = 6 * 3_600_000;
/** The end of the name of an unfinished file. */
const ENDING = /^\.[0-9a-f]{16}\.tmp$/;

/** A new name for a file while it is written, in the folder of the file itself. */
export function unfinishedPath(path: string): string {
  return `${checkArgument('path', path, STRING)}.${randomBytes(8).toString('hex')}.tmp`;
}

/** Remove the unfinished files that killed processes left of a file which was just written. */
export function removeUnfinished(path: string): Promise<void> {
  const name = basename(checkArgument('path', path, STRING));
  return removeAbandoned(path, (each) => each.startsWith(name) && ENDING.test(each.slice(name.length)));
}

/**
 * Remove the files and folders beside `fresh` whose name is accepted and in which nothing has changed for six hours. One
 * that cannot be removed stays; it does no harm.
 *
 * @param fresh a file or folder that was just written: its time is the present by the clock of the file system
 */
export async function removeAbandoned(fresh: string, accepts: (name: string) => boolean): Promise<void> {
  const folder = dirname(checkArgument('fresh', fresh, STRING));
  checkArgument('accepts', accepts, FUNCTION);
  try {
    const present = await lastChangeMs(fresh);
    for (const name of (await readdir(folder)).filter(accepts)) {
      const path = join(folder, name);
      if (present - (await lastChangeMs(path)) > ABANDONED_MS) await rm(path, { recursive: true, force: true });
    }
  } catch {
    // Another process has removed something, or this one may not.
  }
}

/** The time of the last change of a file, or of a folder or anything directly in it. */
async function lastChangeMs(path: string): Promise<number> {
  const entry = await lstat(path);
  if (!entry.isDirectory()) return entry.mtimeMs;
  const inside = (await readdir(path)).map(async (name) => (await lstat(join(path, name))).mtimeMs);
  return Math.max(entry.mtimeMs, ...(await Promise.all(inside)));
}
