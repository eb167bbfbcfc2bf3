/**
 * Files on disk: replaced atomically and durably, and read piece by piece into the memory that uses them.
 *
 * At every moment the path holds either the complete old file or the complete new one. The bytes go to a new file with
 * an unpredictable name in the same folder and are flushed to the disk; then one rename puts the file at the path, and
 * the rename is flushed too. A failure removes the new file; what a killed process left (`data/unfinished-files.ts`) is
 * removed when the file is written again.
 */
import * as nodeFiles from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { removeUnfinished, unfinishedPath } from '../data/unfinished-files.ts';
import { FileError } from '../errors/errors.ts';
import { kindOfEntry, systemReason } from '../errors/system-errors.ts';
import type { FileSource, OpenFile, Source } from '../format/source.ts';
import type { AsyncSink, Sink } from '../format/writer.ts';

/** The file-system calls that writing needs; tests pass calls that fail. */
export interface WriteCalls {
  openSync(path: string, flags: string, mode?: number): number;
  writeSync(descriptor: number, bytes: Uint8Array, at: number, length: number): number;
  write(
    descriptor: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    position: null,
    done: (error: Error | null, written: number) => void,
  ): void;
  fsync(descriptor: number, done: (error: Error | null) => void): void;
  closeSync(descriptor: number): void;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
}

/** Bytes handed to the system at once: below the 2 GiB that a call may take. */
const WRITE_BYTES_MAX = 1 << 26;
/** Permissions of a new file, before the process's mask. */
const NEW_FILE_MODE = 0o666;

/**
 * Replace the file at `path` by what `write` writes. `write` runs before the function returns, so the
 * data that it reads may change as soon as the promise is returned.
 *
 * @throws {FileError} when the system refuses; the old file is as it was
 * @throws whatever `write` throws
 */
export function replaceFile(path: string, write: (sink: Sink) => void, calls: WriteCalls = nodeFiles): Promise<void> {
  return replaceBy(path, calls, (descriptor) => {
    write({ write: (bytes) => writeAll(calls, descriptor, bytes) });
  });
}

/** `replaceFile` with an asynchronous `write`, which waits for each of its writes; rejects with what `replaceFile` throws. */
export function replaceFileAsync(
  path: string,
  write: (sink: AsyncSink) => Promise<void>,
  calls: WriteCalls = nodeFiles,
): Promise<void> {
  return replaceBy(path, calls, (descriptor) => write({ write: (bytes) => writeAllAsync(calls, descriptor, bytes) }));
}

async function replaceBy(
  path: string,
  calls: WriteCalls,
  write: (descriptor: number) => Promise<void> | void,
): Promise<void> {
  let temporary: string | undefined;
  let descriptor: number | undefined;
  try {
    const { target, mode } = existing(path);
    temporary = unfinishedPath(target);
    const opened = calls.openSync(temporary, 'wx', mode);
    descriptor = opened;
    await write(opened);
    await promisify(calls.fsync)(opened);
    descriptor = undefined;
    calls.closeSync(opened);
    calls.renameSync(temporary, target);
    temporary = undefined;
    await flushFolder(dirname(target), calls);
    await removeUnfinished(target);
  } catch (error) {
    if (descriptor !== undefined) ignoreErrors(() => calls.closeSync(descriptor!));
    if (temporary !== undefined) ignoreErrors(() => calls.unlinkSync(temporary!));
    throw fileError(error, 'written', path);
  }
}

/**
 * Open a file as a source for as long as `use` takes.
 *
 * @throws {FileError} when it cannot be opened or read
 */
export async function withFile<T>(path: string, use: (source: Source) => Promise<T>): Promise<T> {
  let handle: FileHandle | undefined;
  try {
    // Checked before it is opened: opening a FIFO waits until another process writes to it.
    checkIsFile(path, await stat(path));
    handle = await open(path, 'r');
    const stats = await handle.stat();
    checkIsFile(path, stats);
    const opened = handle;
    return await use(positionedSource(path, stats.size, (...given) => opened.read(...given)));
  } catch (error) {
    throw fileError(error, 'read', path);
  } finally {
    await handle?.close();
  }
}

/**
 * Open a file as a source that may stay open: who uses it closes `source.file`, unless `use` throws.
 *
 * @throws {FileError} when it cannot be opened or read
 */
export async function withOpenFile<T>(path: string, use: (source: Source) => Promise<T>): Promise<T> {
  let file: OpenFile | undefined;
  try {
    checkIsFile(path, await stat(path));
    const opened = openFile(path);
    file = opened;
    const stats = nodeFiles.fstatSync(opened.descriptor);
    checkIsFile(path, stats);
    const read = promisify(nodeFiles.read) as ReadAt;
    const readAt: ReadAt = (...given) => read(...given);
    const source: FileSource = {
      ...positionedSource(path, stats.size, (...given) => readAt(opened.descriptor, ...given)),
      file: opened,
    };
    return await use(source);
  } catch (error) {
    file?.close();
    throw fileError(error, 'read', path);
  }
}

/** `read` of `node:fs` as a promise. */
type ReadAt = (
  descriptor: number,
  to: Uint8Array,
  at: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number }>;

function openFile(path: string): OpenFile {
  const descriptor = nodeFiles.openSync(path, 'r');
  let isOpen = true;
  const close = (): void => {
    if (isOpen) nodeFiles.closeSync(descriptor);
    isOpen = false;
  };
  return { path, descriptor, close };
}

function checkIsFile(path: string, stats: nodeFiles.Stats): void {
  if (stats.isFile()) return;
  throw new FileError(`${path}: expected a file, got ${kindOfEntry(stats)}`);
}

function positionedSource(
  path: string,
  sizeBytes: number,
  readAt: (to: Uint8Array, at: number, length: number, position: number) => Promise<{ bytesRead: number }>,
): Source {
  return {
    sizeBytes,
    async read(offset, target) {
      for (let at = 0; at < target.length; ) {
        const { bytesRead } = await readAt(target, at, target.length - at, offset + at);
        if (bytesRead === 0)
          throw new FileError(`${path}: expected ${sizeBytes} bytes, got fewer: it was shortened while it was read`);
        at += bytesRead;
      }
    },
  };
}

/** The path that a link leads to, and the permissions of the file there. */
export function existing(path: string): { target: string; mode: number } {
  const stats = nodeFiles.statSync(path, { throwIfNoEntry: false });
  if (!stats) return { target: path, mode: NEW_FILE_MODE };
  if (!stats.isFile()) throw new FileError(`${path}: expected a file to replace, got a folder or a device`);
  return { target: nodeFiles.realpathSync(path), mode: stats.mode & 0o777 };
}

function writeAll(calls: WriteCalls, descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    at += calls.writeSync(descriptor, bytes, at, Math.min(WRITE_BYTES_MAX, bytes.length - at));
  }
}

async function writeAllAsync(calls: WriteCalls, descriptor: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(WRITE_BYTES_MAX, bytes.length - at);
    at += await new Promise<number>((resolve, reject) => {
      calls.write(descriptor, bytes, at, length, null, (error, written) => (error ? reject(error) : resolve(written)));
    });
  }
}

/** Make the rename durable. Windows has no such call and does it with the rename. */
export async function flushFolder(folder: string, calls: WriteCalls = nodeFiles): Promise<void> {
  if (process.platform === 'win32') return;
  const descriptor = calls.openSync(folder, 'r');
  try {
    await promisify(calls.fsync)(descriptor);
  } finally {
    calls.closeSync(descriptor);
  }
}

/** Call a function that cleans up after a failure; its own error is dropped, as it would hide the failure. */
function ignoreErrors(call: () => void): void {
  try {
    call();
  } catch {}
}

/** A system's error as a FileError; any other error as it is. */
export function fileError(error: unknown, verb: 'read' | 'written', path: string): unknown {
  const { syscall, code } = (error ?? {}) as { syscall?: unknown; code?: unknown };
  if (code === 'ERR_INVALID_ARG_VALUE' && path.includes('\0')) {
    return new FileError(`${JSON.stringify(path)}: expected a path without NUL characters`, { cause: error });
  }
  if (typeof syscall !== 'string') return error;
  return new FileError(`${path}: cannot be ${verb}: ${systemReason(error)}`, { cause: error });
}
