/**
 * The lock of a folder: a file that names the process which uses the folder. A lock whose process has ended is taken over.
 *
 * Limit: whether a process on another machine has ended is not known, so its lock stays until somebody removes the file.
 */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { removeAbandoned } from '../data/unfinished-files.ts';
import { StateError } from '../errors/errors.ts';

/** The name of the file. */
const NAME = 'build.lock';

/** The process that has a lock. */
interface Owner {
  process: number;
  host: string;
}

/** Locks of this process: the process itself may try to take a folder twice. */
let locks = 0;

/**
 * Take the lock of a folder; the result gives it back.
 *
 * @throws {StateError} while another build has it, naming the process and the file
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, NAME);
  const own = `${path}.${process.pid}.${++locks}`;
  // The file gets its name when it is complete, and only if no other file has the name.
  try {
    await writeFile(own, JSON.stringify({ process: process.pid, host: hostname() } satisfies Owner));
    while (!(await isLinked(own, path))) await removeEnded(path, `${own}.ended`);
  } finally {
    await rm(own, { force: true });
  }
  // Files under `own` names of processes that were killed here.
  await removeAbandoned(path, (name) => name.startsWith(`${NAME}.`));
  return () => rm(path, { force: true });
}

async function isLinked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Remove a lock whose process has ended. */
async function removeEnded(path: string, aside: string): Promise<void> {
  checkEnded(path, await ownerOf(path));
  // Another process may have taken the lock over meanwhile: its file is put back.
  if (!(await isRenamed(path, aside))) return;
  const owner = await ownerOf(aside);
  try {
    checkEnded(path, owner);
  } catch (error) {
    await isLinked(aside, path);
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

async function isRenamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch {
    return false;
  }
}

async function ownerOf(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

/** @throws {StateError} unless the owner of a lock has ended */
function checkEnded(path: string, owner: Owner | undefined): void {
  if (!owner) return;
  const isHere = owner.host === hostname();
  if (isHere && !isAlive(owner.process)) return;
  const where = isHere ? '' : ` on ${owner.host}; if it has ended, remove the file`;
  throw new StateError(`${path}: expected no other build in this folder, got one of process ${owner.process}${where}`);
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    // EPERM: a process of another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
