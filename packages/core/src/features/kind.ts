/**
 * The interface of the kinds of features. A kind learns from columns of raw values, in one pass, and then encodes such
 * columns by what it learned.
 */
import type { JsonObject, SettingsReader } from '../format/settings.ts';
import type { Generator } from '../random/generator.ts';
import type { FeatureColumn, Vocabulary } from './contract.ts';
import type { Values } from './mismatches.ts';
import type { Combiner, FeatureSpec } from './spec.ts';

/** Everything that a feature learned beside its vocabulary. */
export type Learned = JsonObject;

/** Learns one feature from its columns. */
export interface Learner {
  add(values: Values): void;
  finish(): Learned;
}

/** Encodes columns of one feature. */
export interface Encoder {
  readonly column: FeatureColumn['kind'];
  /** Rows of the table; 0 for floats. */
  readonly vocabularySize: number;
  /** Floats per row; 0 for ids. */
  readonly dimensions: number;
  readonly combiner: Combiner;
  encode(values: Values): FeatureColumn;
}

/** The tools of a learner. */
export interface LearnContext {
  /** Count an occurrence of a word of the feature's table. */
  countWord(word: string): void;
  readonly generator: Generator;
}

/** A kind of features. */
export interface FeatureKind<S extends FeatureSpec> {
  /** Whether the ids of the feature are those of words. */
  readonly hasWords: boolean;
  /** The key of a second value in a row; undefined where the feature reads one value. */
  besideField(spec: S): string | undefined;
  learner(spec: S, context: LearnContext): Learner;
  /** @param vocabulary the words of the table; undefined for a kind without words */
  encoder(spec: S, learned: Learned, vocabulary: Vocabulary | undefined): Encoder;
  /** Read the saved form of `Learned` and check the ranges of its numbers. */
  load(spec: S, learned: SettingsReader): Learned;
}
