/** A feature of any kind: its spec, everything that it learned, and the encoder of its kind. */
import type { EncodeContext, Feature, FeatureColumn, Vocabulary } from './contract.ts';
import type { Encoder, Learned } from './kind.ts';
import { kindOf } from './kinds.ts';
import { Mismatches, valuesOf } from './mismatches.ts';
import type { Combiner, FeatureSpec } from './spec.ts';

/** The parts of a feature. */
export interface FeatureParts {
  name: string;
  spec: FeatureSpec;
  learned: Learned;
  vocabulary: Vocabulary | undefined;
}

/** The name of a feature's table. */
export function tableOf(name: string, spec: FeatureSpec): string {
  return ('table' in spec ? spec.table : undefined) ?? name;
}

/** A feature of any kind. */
export class LearnedFeature implements Feature {
  readonly spec: FeatureSpec;
  readonly name: string;
  readonly field: string;
  readonly besideField: string | undefined;
  readonly table: string;
  readonly vocabulary: Vocabulary | undefined;
  /** Everything that the feature learned beside the vocabulary, as JSON. */
  readonly learned: Learned;
  readonly #encoder: Encoder;

  constructor({ name, spec, learned, vocabulary }: FeatureParts) {
    const kind = kindOf(spec);
    this.spec = spec;
    this.name = name;
    this.field = spec.field ?? name;
    this.besideField = kind.besideField(spec);
    this.table = tableOf(name, spec);
    this.vocabulary = vocabulary;
    this.learned = learned;
    this.#encoder = kind.encoder(spec, learned, vocabulary);
  }

  get column(): FeatureColumn['kind'] {
    return this.#encoder.column;
  }

  get vocabularySize(): number {
    return this.#encoder.vocabularySize;
  }

  get dimensions(): number {
    return this.#encoder.dimensions;
  }

  get combiner(): Combiner {
    return this.#encoder.combiner;
  }

  /** @throws {FeatureError} with the first ten values that do not fit the spec */
  encode(values: ArrayLike<unknown>, context: EncodeContext = {}): FeatureColumn {
    const mismatches = new Mismatches();
    const column = this.encodeInto(mismatches, values, context);
    mismatches.throwIfAny();
    return column;
  }

  /** `encode` that adds mismatches to `mismatches` in place of throwing; if there are any, the column is of no use. */
  encodeInto(
    mismatches: Mismatches,
    values: ArrayLike<unknown>,
    { beside, nowMs, firstRow = 0 }: EncodeContext,
  ): FeatureColumn {
    return this.#encoder.encode(valuesOf(this.name, { values, beside, nowMs }, firstRow, mismatches));
  }
}
