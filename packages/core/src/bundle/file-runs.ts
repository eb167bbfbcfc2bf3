/** Keeps the runs of `indexStreamed` as files in a folder, so that a build that was killed can continue. */
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../errors/errors.ts';
import type { RunStore } from '../topk/scann/streamed/run-store.ts';
import { fileError } from './file.ts';
import { lockFolder } from './folder-lock.ts';

/** The extension of the files of runs; other files of the folder are not touched. */
const ENDING = '.run';

/**
 * Runs in a folder, which is created if it does not exist. A folder belongs to one build at a time: the file `build.lock`
 * there names its process.
 *
 * @throws {FileError} from each method when the operating system refuses, or a run is shorter than the bytes to be read
 */
export function fileRuns(folder: string): RunStore {
  const pathOf = (name: string): string => join(folder, `${name}${ENDING}`);
  const withFile = async (path: string, flags: string, use: (file: FileHandle) => Promise<void>): Promise<void> => {
    await withPath(path, flags === 'r' ? 'read' : 'written', async () => {
      if (flags !== 'r') await mkdir(folder, { recursive: true });
      const file = await open(path, flags);
      try {
        await use(file);
      } finally {
        await file.close();
      }
    });
  };
  const appended = new Set<string>();
  /** Flush what was appended: a manifest must not count bytes that a power failure can still lose. */
  const flush = async (): Promise<void> => {
    for (const path of appended) await withFile(path, 'r+', (file) => file.datasync());
    appended.clear();
  };
  return {
    lock: () => lockRuns(folder),
    async sizeOf(name) {
      return (await stat(pathOf(name)).catch(() => undefined))?.size ?? 0;
    },
    async append(name, bytes) {
      appended.add(pathOf(name));
      await withFile(pathOf(name), 'a', (file) => file.appendFile(bytes));
    },
    async truncate(name, sizeBytes) {
      const path = pathOf(name);
      if ((await stat(path).catch(() => undefined)) === undefined) return;
      await withPath(path, 'written', () => truncate(path, sizeBytes));
    },
    async read(name, offset, to) {
      const path = pathOf(name);
      await withFile(path, 'r', async (file) => {
        for (let at = 0; at < to.length; ) {
          const { bytesRead } = await file.read(to, at, to.length - at, offset + at);
          if (bytesRead === 0) {
            throw new FileError(`${path}: expected ${to.length} bytes from byte ${offset}, got the file's end`);
          }
          at += bytesRead;
        }
      });
    },
    async replace(name, bytes) {
      const path = pathOf(name);
      const temporary = `${path}.tmp`;
      await flush();
      await withFile(temporary, 'w', async (file) => {
        await file.writeFile(bytes);
        await file.datasync();
      });
      await withPath(path, 'written', () => rename(temporary, path));
    },
    async clear() {
      appended.clear();
      const names = await readdir(folder).catch(() => []);
      for (const name of names) {
        if (name.endsWith(ENDING) || name.endsWith(`${ENDING}.tmp`)) await rm(join(folder, name), { force: true });
      }
    },
  };
}

async function lockRuns(folder: string): Promise<() => Promise<void>> {
  let release: (() => Promise<void>) | undefined;
  await withPath(join(folder, 'build.lock'), 'written', async () => {
    const made = await mkdir(folder, { recursive: true });
    // A folder that this build made, and in which nothing is left, goes too.
    const removeMade = async (): Promise<void> => {
      if (made !== undefined) await rmdir(folder).catch(() => undefined);
    };
    try {
      const unlock = await lockFolder(folder);
      release = () => unlock().then(removeMade);
    } catch (error) {
      await removeMade();
      throw error;
    }
  });
  return release!;
}

/** Run a call of the file system; if it fails, throw a FileError that names the path. */
async function withPath(path: string, verb: 'read' | 'written', call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    throw fileError(error, verb, path);
  }
}
