/** Checks ids of a table: integers from 0 to vocabularySize − 1. */
import { OptionError } from '../errors/errors.ts';

/**
 * Check that all ids are in range.
 *
 * @throws {OptionError} naming the first bad id and its position
 */
export function checkIds(ids: Int32Array, vocabularySize: number): void {
  for (let i = 0; i < ids.length; i++) {
    if (ids[i]! < 0 || ids[i]! >= vocabularySize) {
      throw new OptionError(`ids: expected integers from 0 to ${vocabularySize - 1}, got ${ids[i]} at position ${i}`);
    }
  }
}
