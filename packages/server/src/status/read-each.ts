/** Reads the elements of a list in a request; a refusal names the element, as in `candidates[3].id: expected text, got 5`. */
import { ServingError } from './serving-error.ts';

/**
 * The elements of a list as `read` returns them.
 *
 * @throws {ServingError} what `read` throws; the message of an INVALID_ARGUMENT begins with the place of the element, and a message
 * of the element itself begins with a colon
 */
export function readEach<T, R>(name: string, list: readonly T[], read: (element: T) => R): R[] {
  let at = 0;
  try {
    return list.map((element, i) => {
      at = i;
      return read(element);
    });
  } catch (error) {
    if (!(error instanceof ServingError) || error.code !== 'INVALID_ARGUMENT') throw error;
    const { message } = error;
    throw new ServingError(error.code, `${name}[${at}]${message.startsWith(':') ? '' : '.'}${message}`, {
      cause: error,
    });
  }
}
