/**
 * Features of one vector per row, such as another model's embedding.
 *
 * With `missing: 'own'` one more float is 1 where there is no vector and 0 elsewhere. A vector of zeros has no
 * direction, so with `normalize` it is treated as a missing vector.
 */
import type { FloatColumn } from './contract.ts';
import type { FeatureKind } from './kind.ts';
import { isList } from './list.ts';
import { isMissing, type Values } from './mismatches.ts';
import type { VectorFeatureSpec } from './spec.ts';

/** A vector per row. */
export const VECTOR: FeatureKind<VectorFeatureSpec> = {
  hasWords: false,
  besideField: () => undefined,
  learner: (spec) => ({
    add: (values) => {
      encodeVectors(spec, values);
    },
    finish: () => ({}),
  }),
  encoder: (spec) => ({
    column: 'floats',
    vocabularySize: 0,
    dimensions: widthOf(spec),
    combiner: 'sum',
    encode: (values) => encodeVectors(spec, values),
  }),
  load: () => ({}),
};

function widthOf({ length, missing }: VectorFeatureSpec): number {
  return missing === 'own' ? length + 1 : length;
}

function encodeVectors(spec: VectorFeatureSpec, { values, mismatch }: Values): FloatColumn {
  const { length, missing = 'error', normalize = false } = spec;
  const dimensions = widthOf(spec);
  const out = new Float32Array(values.length * dimensions);
  for (let row = 0; row < values.length; row++) {
    const vector = values[row];
    const at = row * dimensions;
    const norm = isMissing(vector) ? 0 : normOf(vector, length);
    if (norm === undefined) mismatch(row, `a vector of ${length} finite numbers`, vector);
    else if (isMissing(vector) || (normalize && norm === 0)) {
      if (missing === 'own') out[at + length] = 1;
      else mismatch(row, `a vector of ${length} numbers${isMissing(vector) ? '' : ', not all zero'}`, vector);
    } else {
      const scale = normalize ? norm : 1;
      for (let i = 0; i < length; i++) out[at + i] = (vector as ArrayLike<number>)[i]! / scale;
    }
  }
  return { kind: 'floats', dimensions, values: out };
}

/** The length |x| of a vector; undefined where the value is no vector of `length` finite float32 numbers. */
function normOf(value: unknown, length: number): number | undefined {
  if (!isList(value) || value.length !== length) return undefined;
  let square = 0;
  for (let i = 0; i < length; i++) {
    const x = value[i];
    if (typeof x !== 'number' || !Number.isFinite(Math.fround(x))) return undefined;
    square += x * x;
  }
  return Math.sqrt(square);
}
