/** Identifiers, and lists of them by row. */

/** The caller's name of a candidate, returned as it was given. All identifiers of an index have one type. */
export type Identifier = string | number | bigint;

/** Identifiers by row: an array, or a column that decodes a value when it is read. */
export interface IdentifierValues<I extends Identifier> {
  readonly length: number;
  at(row: number): I | undefined;
}

/** The type of all identifiers of an index. */
export type IdentifierType = 'string' | 'number' | 'bigint';

/** Row numbers: nothing is stored. */
export class RowNumberValues implements IdentifierValues<number> {
  readonly firstRow: number;
  readonly length: number;

  constructor(firstRow: number, length: number) {
    this.firstRow = firstRow;
    this.length = length;
  }

  at(row: number): number {
    return this.firstRow + row;
  }
}
