/** The check of ids that a table is given: whole numbers from 0 to vocabularySize − 1. */
import { OptionError } from '../errors/errors.ts';

/**
 * Refuse an id that no row belongs to.
 *
 * @throws {OptionError} naming the id and where it stands
 */
export function checkIds(ids: Int32Array, vocabularySize: number): void {
  for (let i = 0; i < ids.length; i++) {
    if (ids[i]! < 0 || ids[i]! >= vocabularySize) {
      throw new OptionError(`ids: expected integers from 0 to ${vocabularySize - 1}, got ${ids[i]} at position ${i}`);
    }
  }
}
