/**
 * Starts a fit from the factors of an earlier one: known items start from their rows, so that a few iterations are
 * enough, and users and items without an interaction keep their rows.
 */
import type { StringLookup } from '../embeddings/string-lookup.ts';
import { OptionError } from '../errors/errors.ts';
import type { Matrix } from '../vectors/matrix.ts';
import type { FoldIn } from './fold-in.ts';

/** The rows of an earlier model for the words of a vocabulary. */
export class EarlierRows {
  readonly #factors: Matrix;
  /** [vocabulary] the row of each word; −1 for words that the earlier model does not know. */
  readonly #rows: Int32Array;

  private constructor(words: readonly string[], lookup: StringLookup, factors: Matrix, firstId: number) {
    this.#factors = factors;
    this.#rows = Int32Array.from(words, (word) => {
      const id = lookup.idOf(word);
      return id === lookup.oovId ? -1 : id - firstId;
    });
  }

  /** Rows of users; row 0 of the earlier factors is that of unknown users. */
  static ofUsers(words: readonly string[], { parts }: FoldIn): EarlierRows {
    return new EarlierRows(words, parts.users, parts.userFactors, 0);
  }

  /** Rows of items; the earlier factors have none for unknown items. */
  static ofItems(words: readonly string[], { parts }: FoldIn): EarlierRows {
    return new EarlierRows(words, parts.items, parts.itemFactors, parts.items.oovId + 1);
  }

  /**
   * Copy the rows of known words to factors [vocabulary, width]: of all of them, or only of words whose list in `among`
   * is empty.
   */
  copyTo(out: Matrix, among: 'all' | { readonly starts: Int32Array }): void {
    this.#rows.forEach((row, word) => {
      const isTaken = among === 'all' || among.starts[word] === among.starts[word + 1];
      if (row >= 0 && isTaken) out.row(word).set(this.#factors.row(row));
    });
  }
}

/** @throws {OptionError} when the earlier model has another width */
export function checkWidth(from: FoldIn, dimensions: number): void {
  if (from.dimensions === dimensions) return;
  throw new OptionError(`from: expected a model of ${dimensions} dimensions, got one of ${from.dimensions}`);
}
