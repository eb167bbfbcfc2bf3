/** Reasons for which the system refuses a file, in words; Node gives only a code and the name of a call. */

/** The reasons that files are refused for; https://man7.org/linux/man-pages/man3/errno.3.html has all. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file or folder'],
  ['ENOTDIR', 'a part of the path is a file and no folder'],
  ['EISDIR', 'it is a folder'],
  ['EEXIST', 'it exists already'],
  ['EACCES', 'permission is missing'],
  ['EPERM', 'permission is missing'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the quota of the disk is used up'],
  ['EFBIG', 'it would be larger than the system allows'],
  ['EMFILE', 'the process has too many files open'],
  ['ENFILE', 'the system has too many files open'],
  ['ENAMETOOLONG', 'the path is too long'],
  ['ELOOP', 'its links lead in a circle'],
  ['EIO', 'the device failed'],
  ['EBUSY', 'it is in use'],
]);

/** True for the error of a call of the system, such as the opening of a file. */
export function isSystemError(error: unknown): error is Error & { code: string; syscall: string; path?: string } {
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
  return typeof code === 'string' && typeof syscall === 'string';
}

/**
 * The reason of a system error with its code, `there is no such file or folder (ENOENT)`; the message of any other
 * error.
 */
export function systemReason(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code !== 'string') return String(message ?? error);
  return `${REASONS.get(code) ?? 'the system refused'} (${code})`;
}

/** The kind of an entry that is not a file, from the result of `stat`. */
export function kindOfEntry(stats: { isDirectory(): boolean; isFIFO(): boolean; isSocket(): boolean }): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
}
