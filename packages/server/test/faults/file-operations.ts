/**
 * Watches the operations by which this process changes files, so that a test can stop the process at any one of them.
 *
 * The functions of node:fs and node:fs/promises and the methods of file handles are replaced for the whole process, so
 * the program that calls this needs a process of its own.
 */
import fs from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** Functions of node:fs/promises that change files; the first argument of each is a path. */
const BY_PATH = ['mkdir', 'rename', 'rm', 'rmdir', 'unlink', 'link', 'copyFile', 'writeFile', 'truncate'] as const;
/** Functions of node:fs that change files; the first argument of each is a path. */
const BY_PATH_AT_ONCE = ['renameSync', 'unlinkSync', 'mkdirSync', 'rmSync'] as const;
/** Functions of node:fs that change files; the first argument of each is a descriptor. */
const BY_DESCRIPTOR = ['write', 'writeSync', 'fsync', 'ftruncate'] as const;
/** Methods of file handles that change a file, or make a change durable. */
const BY_HANDLE = ['write', 'writev', 'writeFile', 'truncate', 'datasync', 'sync'] as const;

type Call = (this: unknown, ...args: unknown[]) => unknown;
type Calls = Record<string, Call>;

/** Call `before` with the name and the path of each operation, just before it is done. */
export async function watchFileOperations(before: (operation: string, path: string) => void): Promise<void> {
  const paths = new Map<unknown, string>();
  const watch = (calls: Calls, names: readonly string[], pathOf: (self: unknown, first: unknown) => string): void => {
    for (const name of names) {
      const call = calls[name]!;
      calls[name] = function (...args) {
        before(name, pathOf(this, args[0]));
        return call.apply(this, args);
      };
    }
  };
  const [atOnce, later] = [fs as unknown as Calls, promises as unknown as Calls];
  watch(later, BY_PATH, (_, path) => String(path));
  watch(atOnce, BY_PATH_AT_ONCE, (_, path) => String(path));
  watch(atOnce, BY_DESCRIPTOR, (_, descriptor) => paths.get(descriptor) ?? '');
  const { open } = promises;
  const { openSync } = fs;
  const opening = (path: unknown, flags: unknown = 'r'): void => {
    if (flags !== 'r') before('open', String(path));
  };
  later.open = async (path, ...rest) => {
    opening(path, rest[0]);
    const handle = await (open as Call)(path, ...rest);
    paths.set(handle, String(path));
    return handle;
  };
  atOnce.openSync = (path, ...rest) => {
    opening(path, rest[0]);
    const descriptor = (openSync as Call)(path, ...rest);
    paths.set(descriptor, String(path));
    return descriptor;
  };
  syncBuiltinESMExports();
  const handle: FileHandle = await open(import.meta.filename, 'r');
  watch(Object.getPrototypeOf(handle) as Calls, BY_HANDLE, (self) => paths.get(self) ?? '');
  await handle.close();
}
