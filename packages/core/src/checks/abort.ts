/** Abort signals: every long computation checks its signal between steps. */
import { AbortedError } from '../errors/errors.ts';

/**
 * Throw when the signal was raised.
 *
 * @throws {AbortedError} with the signal's reason as its cause
 */
export function throwIfAborted(what: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError(`${what}: interrupted`, { cause: signal.reason });
}
