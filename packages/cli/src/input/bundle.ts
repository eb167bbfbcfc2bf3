/** Loads a bundle for a command: a file, or the newest version of a folder. Errors name the file. */
import { type Bundle, FormatError, type Identifier } from 'shortlist';
import { loadBundle } from 'shortlist/node';
import { bundleAt } from './versions.ts';

/**
 * Load the bundle at a path; if the path is a folder of versions, the bundle of the newest version.
 *
 * @throws {DataError} when a folder holds no version
 * @throws {FormatError} naming the file, when it is not a bundle, is damaged, or has a newer format version
 * @throws {FileError} when the file cannot be read
 */
export async function openBundle<Q = string, I extends Identifier = Identifier>(at: string): Promise<Bundle<Q, I>> {
  const path = await bundleAt(at);
  try {
    return await loadBundle<Q, I>(path);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { section, offset, message } = error;
    throw new FormatError(`${path}: ${section}`, offset, message.slice(`${section} at byte ${offset}: `.length));
  }
}
