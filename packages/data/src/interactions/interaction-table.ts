/**
 * A table of interactions that grows while files are read. Columns are dictionary-encoded or stored as the narrowest numbers:
 * 13 bytes for each row with a user, an item, a rating in half stars and a time. Twenty million rows take 260 MB, while
 * strings or objects would take gigabytes.
 */
import { CodeColumn, type CompactNumbers } from '../columns/segments.ts';
import { TextDictionary } from '../columns/text-dictionary.ts';

/** The columns of interactions. */
export class InteractionTable {
  readonly userVocabulary: TextDictionary = new TextDictionary();
  readonly itemVocabulary: TextDictionary = new TextDictionary();
  readonly users: CodeColumn = new CodeColumn();
  readonly items: CodeColumn = new CodeColumn();
  values: CompactNumbers | undefined;
  weights: CompactNumbers | undefined;
  /** Seconds since 1970-01-01 UTC, or positions in a sequence. */
  times: CompactNumbers | undefined;

  /** The number of rows. */
  get length(): number {
    return this.users.length;
  }

  /**
   * The rows that pass a test, as typed arrays in the form of the library's `InteractionColumns`. The vocabularies hold all
   * words, also those of other rows.
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

/** A column of words, each stored once. */
export interface EncodedColumn {
  /** [length] positions in the vocabulary. */
  readonly codes: Int32Array;
  readonly vocabulary: readonly string[];
}

/** Interactions with the fields of the library's `InteractionColumns`. */
export interface SelectedInteractions {
  readonly length: number;
  readonly users: EncodedColumn;
  readonly items: EncodedColumn;
  readonly values?: Float32Array | undefined;
  readonly weights?: Float32Array | undefined;
  readonly times?: Float64Array | undefined;
}
