/** Bundles as commands load them: of a folder of versions the newest one; a refusal names the file. */
import { type Bundle, FormatError, type Identifier } from 'shortlist';
import { loadBundle } from 'shortlist/node';
import { bundleAt } from './versions.ts';

/**
 * Load the bundle at a path, or of the newest version where that is a folder of versions.
 *
 * @throws {DataError} when a folder holds no version
 * @throws {FormatError} naming the file, when it is no bundle, is damaged or of a newer version
 * @throws {FileError} when the system refuses
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
