/** Several pieces of identifiers, one after the other, as one piece. */
import type { IdentifierPiece } from './identifier-pieces.ts';
import type { Identifier } from './identifier-values.ts';

/** Pieces of any lengths. */
export class JoinedPieces<I extends Identifier> implements IdentifierPiece<I> {
  readonly pieces: readonly IdentifierPiece<I>[];
  readonly length: number;

  /** @param pieces few, because the piece of a row is sought from the first one on */
  constructor(pieces: readonly IdentifierPiece<I>[]) {
    this.pieces = pieces;
    this.length = pieces.reduce((rows, piece) => rows + piece.length, 0);
  }

  at(row: number): I {
    const { piece, local } = this.#find(row);
    return piece.at(local);
  }

  hashAt(row: number): number {
    const { piece, local } = this.#find(row);
    return piece.hashAt(local);
  }

  isAt(row: number, identifier: I): boolean {
    const { piece, local } = this.#find(row);
    return piece.isAt(local, identifier);
  }

  #find(row: number): { piece: IdentifierPiece<I>; local: number } {
    let local = row;
    for (const piece of this.pieces) {
      if (local < piece.length) return { piece, local };
      local -= piece.length;
    }
    throw new RangeError(`row: expected 0 to ${this.length - 1}, got ${row}`);
  }
}
