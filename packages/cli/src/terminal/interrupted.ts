/** The error with which Ctrl-C ends a command: it says what is kept of the work. */
import { AbortedError } from 'shortlist';

/**
 * A handler of rejections, for `catch`, that rewrites an interruption and rethrows every other error.
 *
 * @param kept the words for what is kept, as in `nothing was written`; called at the interruption
 * @throws {AbortedError} `<command>: interrupted, <kept>`; or the error
 */
export function whenInterrupted(command: string, kept: () => string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof AbortedError)) throw error;
    throw new AbortedError(`${command}: interrupted, ${kept()}`, { cause: error });
  };
}
