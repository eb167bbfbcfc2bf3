/** The kind of each type of feature. A new type is one line here, one in check-spec.ts, and its options in spec.ts. */
import { CATEGORICAL } from './categorical.ts';
import type { FeatureKind } from './kind.ts';
import { LIST_KIND } from './list.ts';
import { NUMBER_KIND } from './number.ts';
import type { FeatureSpec } from './spec.ts';
import { TEXT } from './text.ts';
import { TIME } from './time.ts';
import { VECTOR } from './vector.ts';

const KINDS: { readonly [T in FeatureSpec['type']]: FeatureKind<Extract<FeatureSpec, { type: T }>> } = {
  string: CATEGORICAL,
  integer: CATEGORICAL,
  bag: LIST_KIND,
  sequence: LIST_KIND,
  number: NUMBER_KIND,
  time: TIME,
  text: TEXT,
  vector: VECTOR,
};

/** The kind of a feature. */
export function kindOf<S extends FeatureSpec>(spec: S): FeatureKind<S> {
  // The table above gives each type the kind of its own options.
  return KINDS[spec.type] as FeatureKind<FeatureSpec> as FeatureKind<S>;
}
