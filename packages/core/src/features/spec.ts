/**
 * The spec of features: the options of each feature by name, in TypeScript or as JSON. Options have the names that
 * Keras's preprocessing layers give them (StringLookup, Hashing, Normalization, Discretization, TextVectorization), if
 * Keras has the option.
 */
import type { EmbeddingOptions } from '../embeddings/make-table.ts';

/**
 * The way in which the embeddings e of a list with the weights w become one vector, as in TensorFlow's
 * `embedding_lookup_sparse`: sum Σ w·e, mean Σ w·e / Σ w, sqrtn Σ w·e / √(Σ w²). An empty list gives zeros.
 */
export type Combiner = 'sum' | 'mean' | 'sqrtn';

/** Options of every feature. */
interface AnyFeature {
  /** The key of the raw value in a row; default the name of the feature. Several features may read one field. */
  field?: string;
  /**
   * 'error' refuses rows without a value (undefined, null); 'own' gives them an embedding of their own, an empty list,
   * or one more float that is 1 in these rows and 0 in others. Default 'error'.
   */
  missing?: 'error' | 'own';
  /**
   * The width of the feature's vector: the width of its table (default 32), or of the projection of its floats
   * (default: no projection, the floats enter the layers as they are).
   */
  dimensions?: number;
}

/** Options of features that have an embedding table. */
interface EmbeddedFeature extends AnyFeature {
  /** The name of the table; default the name of the feature. Features that name one table share its words and its rows. */
  table?: string;
  /** The table; default full. */
  embedding?: EmbeddingOptions;
}

/** The words that have a row of the table. */
interface WordOptions {
  /** The fewest occurrences of a word with a row of its own; default 1. */
  minCount?: number;
  /**
   * The most rows of the table, including out-of-vocabulary rows and the row of missing values; the most frequent words
   * are kept.
   */
  maxTokens?: number;
  /**
   * The number of rows for words out of vocabulary; a hash of the word chooses its row. Default 1. With 0 such words
   * are left out of lists and refused elsewhere.
   */
  numOovIndices?: number;
  /** Hash all words into this many rows and learn no vocabulary; not together with the options above. */
  numBins?: number;
}

/** A word or an integer per row. */
export interface CategoricalFeatureSpec extends EmbeddedFeature, WordOptions {
  type: 'string' | 'integer';
}

/** The options of attention over a sequence, as in SASRec (Kang and McAuley, ICDM 2018). */
export interface AttentionOptions {
  /** Blocks of self-attention and a feed-forward network, from 1 to 64; default 2. */
  blocks?: number;
  /** Heads of each attention, a divisor of `dimensions`; default 1. */
  heads?: number;
  /** The share of numbers that are 0 while training, from 0 to below 1; default 0.2. */
  dropout?: number;
}

/** A list of words or integers per row. */
export interface ListFeatureSpec extends EmbeddedFeature, WordOptions {
  /** A bag has no order; a sequence has its oldest element first. */
  type: 'bag' | 'sequence';
  /** The type of the elements; default 'string'. */
  of?: 'string' | 'integer';
  /** Default 'mean'. */
  combiner?: Combiner;
  /**
   * The vector of a sequence is the state of its last element after blocks of causal self-attention over the elements and
   * their positions, in place of a sum by `combiner`; `{}` takes all defaults. An empty list gives zeros.
   */
  attention?: AttentionOptions;
  /** The most elements that are kept; default all, with `attention` 50. */
  maxLength?: number;
  /** The end that is kept of a list longer than `maxLength`; default 'first' for a bag, 'last' for a sequence. */
  keep?: 'first' | 'last';
  /** The key, in a row, of a list of weights ≥ 0, one per element. */
  weights?: string;
  /**
   * The weight of an element of a sequence divided by the weight of the next element, above 0 and at most 1; default 1.
   */
  recencyDecay?: number;
}

/** A number per row. */
export interface NumberFeatureSpec extends AnyFeature {
  type: 'number';
  /**
   * 'normalize': (x − mean) / standard deviation. 'log': the same of sign(x)·ln(1 + |x|). 'quantiles': the number of the
   * bucket between learned boundaries, embedded. 'none': as it is. Default 'normalize'.
   */
  transform?: 'normalize' | 'log' | 'quantiles' | 'none';
  /** Buckets of 'quantiles'; default 16. */
  numBins?: number;
  /** The name of the table of 'quantiles'; default the name of the feature. */
  table?: string;
  /** The table of 'quantiles'; default full. */
  embedding?: EmbeddingOptions;
}

/** A time per row: a number, a text in ISO 8601, or a Date. */
export interface TimeFeatureSpec extends AnyFeature {
  type: 'time';
  /** 'hour' (0 to 23) and 'weekday' (Monday is 0) are embedded; 'age' is ln(1 + days before now), normalized. */
  part: 'hour' | 'weekday' | 'age';
  /** The unit of numbers, counted from 1970-01-01 UTC; default 'seconds'. */
  unit?: 'seconds' | 'milliseconds';
  /** Minutes by which the local time of 'hour' and 'weekday' is ahead of UTC; default 0. */
  utcOffsetMinutes?: number;
  /** The key, in a row, of the time that is "now" for 'age'; default the time of the call. */
  now?: string;
  /** The name of the table of 'hour' and 'weekday'; default the name of the feature. */
  table?: string;
  /** The table of 'hour' and 'weekday'; default full. */
  embedding?: EmbeddingOptions;
}

/** A text per row, as a bag of its words and of n-grams of them. */
export interface TextFeatureSpec extends EmbeddedFeature, WordOptions {
  type: 'text';
  /** The most words of an n-gram of words; default 1: single words. */
  ngrams?: number;
  /** The shortest and the longest n-gram of characters of each word; default none. */
  characterNgrams?: readonly [shortest: number, longest: number];
  /** Default 'mean'. */
  combiner?: Combiner;
  /** The most tokens that are kept of a text, the first ones; default all. */
  maxLength?: number;
}

/** A vector per row, such as another model's embedding. */
export interface VectorFeatureSpec extends AnyFeature {
  type: 'vector';
  /** The number of floats of a vector. */
  length: number;
  /** Scale every vector to length 1; a vector of zeros counts as missing. Default false. */
  normalize?: boolean;
}

/** The options of one feature. */
export type FeatureSpec =
  | CategoricalFeatureSpec
  | ListFeatureSpec
  | NumberFeatureSpec
  | TimeFeatureSpec
  | TextFeatureSpec
  | VectorFeatureSpec;

/** The features by name. */
export type FeatureSpecs = Readonly<Record<string, FeatureSpec>>;

/** The type of the raw value of a feature. */
export type RawValue<S extends FeatureSpec> = RawPresent<S> | (S extends { missing: 'own' } ? null | undefined : never);

type RawPresent<S extends FeatureSpec> = S extends { type: 'string' | 'text' }
  ? string
  : S extends { type: 'integer' }
    ? number | bigint
    : S extends { type: 'bag' | 'sequence'; of: 'integer' }
      ? readonly (number | bigint)[]
      : S extends { type: 'bag' | 'sequence' }
        ? readonly string[]
        : S extends { type: 'number' }
          ? number
          : S extends { type: 'time' }
            ? number | string | Date
            : readonly number[] | Float32Array | Float64Array;
