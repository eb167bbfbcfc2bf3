/**
 * Interactions while they are read: dictionary-encoded and in the narrowest numbers, 13 bytes a row for users, items,
 * half stars and seconds. Twenty million rows take 260 MB, where strings or objects would take gigabytes.
 */
import { CodeColumn, type CompactNumbers } from '../columns/segments.ts';
import { TextDictionary } from '../columns/text-dictionary.ts';

/** Columns of interactions, one entry a row. */
export class InteractionTable {
  readonly userVocabulary: TextDictionary = new TextDictionary();
  readonly itemVocabulary: TextDictionary = new TextDictionary();
  readonly users: CodeColumn = new CodeColumn();
  readonly items: CodeColumn = new CodeColumn();
  values: CompactNumbers | undefined;
  weights: CompactNumbers | undefined;
  /** Seconds since 1970-01-01 UTC, or places in a sequence. */
  times: CompactNumbers | undefined;

  /** Rows. */
  get length(): number {
    return this.users.length;
  }

  /**
   * Typed arrays of the rows that a test lets through, with whole vocabularies, as the library takes them
   * (`InteractionColumns`).
   */
  select(isTaken: (row: number) => boolean = () => true): SelectedInteractions {
    let length = 0;
    for (let row = 0; row < this.length; row++) if (isTaken(row)) length++;
    const take = <A extends Int32Array | Float32Array | Float64Array>(from: { at(row: number): number }, to: A): A => {
      for (let row = 0, i = 0; row < this.length; row++) if (isTaken(row)) to[i++] = from.at(row);
      return to;
    };
    return {
      length,
      users: { codes: take(this.users, new Int32Array(length)), vocabulary: this.userVocabulary.texts() },
      items: { codes: take(this.items, new Int32Array(length)), vocabulary: this.itemVocabulary.texts() },
      ...(this.values && { values: take(this.values, new Float32Array(length)) }),
      ...(this.weights && { weights: take(this.weights, new Float32Array(length)) }),
      ...(this.times && { times: take(this.times, new Float64Array(length)) }),
    };
  }
}

/** A column of words, each held once. */
export interface EncodedColumn {
  /** [length] places in the vocabulary. */
  readonly codes: Int32Array;
  readonly vocabulary: readonly string[];
}

/** Interactions as the library takes them: the same fields as its `InteractionColumns`. */
export interface SelectedInteractions {
  readonly length: number;
  readonly users: EncodedColumn;
  readonly items: EncodedColumn;
  readonly values?: Float32Array | undefined;
  readonly weights?: Float32Array | undefined;
  readonly times?: Float64Array | undefined;
}
