/** The error of a process that has no file descriptor left. It imports nothing, because nothing can be loaded then. */

/** The line that is printed in its place. */
export const NO_DESCRIPTOR =
  'shortlist: no file descriptor is left, so that not all files can be opened; raise the limit (ulimit -n) (ERR_IO)\n';

/** True for the error of a system that opens no further file, and for an error that has it as its cause. */
export function lacksDescriptors(error: unknown): boolean {
  const { code, message, cause } = (error ?? {}) as { code?: unknown; message?: unknown; cause?: unknown };
  // EMFILE: none is left to this process; ENFILE: none on the machine.
  return /\bE[MN]FILE\b/.test(`${String(code)} ${String(message)}`) || (cause !== undefined && lacksDescriptors(cause));
}
