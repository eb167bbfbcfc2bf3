/**
 * Factors of an earlier fit as the beginning of the next: items that were known begin with their rows, so that a few iterations
 * are enough, and users and items that have no interaction any more keep theirs.
 */
import type { StringLookup } from '../embeddings/string-lookup.ts';
import { OptionError } from '../errors/errors.ts';
import type { Matrix } from '../vectors/matrix.ts';
import type { FoldIn } from './fold-in.ts';

/** The rows that an earlier model has for the words of a vocabulary. */
export class EarlierRows {
  readonly #factors: Matrix;
  /** [vocabulary] the row, −1 for words that it does not know. */
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

  /** Copy rows into factors [vocabulary, width]: of all words that are known, or of those without an interaction. */
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
