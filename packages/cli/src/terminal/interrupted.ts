/** The error with which Ctrl-C ends a command: it says what is kept of the work. */
import { AbortedError } from 'shortlist';

/**
 * A handler of rejections, for `catch`, that rewrites an interruption and rethrows every other error. An interruption of
 * which a part of the work says already what is kept is not rewritten.
 *
 * @param kept the words for what is kept, as in `nothing was written`; called at the interruption
 * @throws {AbortedError} `<command>: interrupted, <kept>`; or the error
 */
export function whenInterrupted(command: string, kept: () => string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof AbortedError)) throw error;
    const interrupted = `${command}: interrupted`;
    if (error.message.startsWith(interrupted) && error.message !== interrupted) throw error;
    throw new AbortedError(`${interrupted}, ${kept()}`, { cause: error });
  };
}
