/** Bundles as commands load them: a refusal names the file. */
import { type Bundle, FormatError, type Identifier } from 'shortlist';
import { loadBundle } from 'shortlist/node';

/**
 * Load the bundle at `path`.
 *
 * @throws {FormatError} naming the file, when it is no bundle, is damaged or of a newer version
 * @throws {FileError} when the system refuses
 */
export async function openBundle<Q = string, I extends Identifier = Identifier>(path: string): Promise<Bundle<Q, I>> {
  try {
    return await loadBundle<Q, I>(path);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { section, offset, message } = error;
    throw new FormatError(`${path}: ${section}`, offset, message.slice(`${section} at byte ${offset}: `.length));
  }
}
