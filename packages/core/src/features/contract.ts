/**
 * The interface of all features. A feature turns raw values (words, lists, numbers, times, texts, vectors) into a column
 * that a tower embeds, and everything that it learned from data (vocabulary, mean, boundaries) is fixed.
 *
 * Letters: n rows.
 */
import type { Savable } from '../format/saved.ts';
import type { Combiner, FeatureSpec } from './spec.ts';

/** One id per row. */
export interface IdColumn {
  readonly kind: 'ids';
  /** [n] */
  readonly ids: Int32Array;
}

/** A list of ids per row, without padding. Row r has the ids offsets[r] … offsets[r + 1] − 1; it may have none. */
export interface BagColumn {
  readonly kind: 'bags';
  /** [n + 1] ascending from 0 */
  readonly offsets: Int32Array;
  /** [offsets[n]] */
  readonly ids: Int32Array;
  /** [offsets[n]] one weight per id; undefined where all weights are 1. */
  readonly weights: Float32Array | undefined;
}

/** Some floats per row. */
export interface FloatColumn {
  readonly kind: 'floats';
  readonly dimensions: number;
  /** [n, dimensions] row-major */
  readonly values: Float32Array;
}

/** The encoded values of one feature in n rows. */
export type FeatureColumn = IdColumn | BagColumn | FloatColumn;

/** The ids of words: rows of an embedding table. Features that share a table share this object. */
export interface Vocabulary extends Savable {
  /** The number of ids, that is rows of the table. */
  readonly size: number;
  /** The id of a missing value; undefined where missing values are refused. */
  readonly missingId: number | undefined;
  /** The id of a word; −1 for a word out of vocabulary where there is no row for such words. */
  idOf(word: string): number;
  /** True for a word that has a row of its own; false for words out of vocabulary and for hashed words. */
  has(word: string): boolean;
}

/** The inputs of `Feature.encode` other than the values of the feature itself. */
export interface EncodeContext {
  /** The values of the feature's `besideField`. */
  readonly beside?: ArrayLike<unknown> | undefined;
  /** The present time in milliseconds since 1970; default the newest time that the feature learned from. */
  readonly nowMs?: number | undefined;
  /** The number of the first row, for messages; default 0. */
  readonly firstRow?: number | undefined;
}

/** A feature that has learned all that it needs to encode values. */
export interface Feature {
  /** The options as they were written, without defaults. */
  readonly spec: FeatureSpec;
  readonly name: string;
  /** The key of the raw value in a row; the name, unless the spec says otherwise. */
  readonly field: string;
  /** The key of a second raw value, that of weights or of the time of the row. */
  readonly besideField: string | undefined;
  /**
   * The kind of its column. 'ids' and 'bags' are rows of a table; 'floats' enter the layers, through a projection if
   * the spec gives `dimensions`.
   */
  readonly column: FeatureColumn['kind'];
  /** The name of its embedding table: equal names mean one table. */
  readonly table: string;
  /** The words of its ids; undefined for floats and for ids that are no words, such as hours. */
  readonly vocabulary: Vocabulary | undefined;
  /** Rows of its table; 0 for floats. */
  readonly vocabularySize: number;
  /** Floats per row; 0 for ids. */
  readonly dimensions: number;
  readonly combiner: Combiner;
  /**
   * Encode raw values as a column.
   *
   * @throws {FeatureError} with the first ten values that do not fit the spec
   */
  encode(values: ArrayLike<unknown>, context?: EncodeContext): FeatureColumn;
}
