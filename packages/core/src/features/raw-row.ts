/**
 * The type of a raw row of features, inferred from their specs: `{ age: { type: 'number', missing: 'own' } }` reads rows of the
 * type `{ age?: number | null }`. Specs that are known only at run time, such as those of a JSON file, read any row.
 */
import type { FeatureSpec, FeatureSpecs, RawValue } from './spec.ts';

/** The key of a feature's value in a row. */
type FieldOf<Name, S> = S extends { field: infer Field extends string } ? Field : Name;
type IsOptional<S> = S extends { missing: 'own' } ? true : false;

/** Fields that a row must have. */
type NeededFields<S extends FeatureSpecs> = {
  readonly [Name in keyof S as IsOptional<S[Name]> extends true ? never : FieldOf<Name, S[Name]>]: RawValue<S[Name]>;
};
/** Fields of features with `missing: 'own'`, which a row may lack. */
type OptionalFields<S extends FeatureSpecs> = {
  readonly [Name in keyof S as IsOptional<S[Name]> extends true ? FieldOf<Name, S[Name]> : never]?: RawValue<S[Name]>;
};
/** Fields that features read beside their own: lists of weights, and times that are "now". */
type BesideFields<S extends FeatureSpecs> = {
  readonly [Name in keyof S as S[Name] extends { weights: infer Field extends string }
    ? Field
    : never]?: readonly number[];
} & {
  readonly [Name in keyof S as S[Name] extends { now: infer Field extends string } ? Field : never]?: RawValue<
    Extract<FeatureSpec, { type: 'time' }>
  >;
};

/** A raw row of features with these specs. */
export type RawRowOf<S extends FeatureSpecs> = (
  string extends keyof S
    ? Readonly<Record<string, unknown>>
    : NeededFields<S> & OptionalFields<S> & BesideFields<S>
) extends infer Row extends Readonly<Record<string, unknown>>
  ? Row
  : never;
