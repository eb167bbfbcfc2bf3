/**
 * The fields of a request from which a tower reads raw features.
 *
 * | feature | datatype, shape per query |
 * |---|---|
 * | word of a tower without a spec; string, text | BYTES [] |
 * | integer, time | INT64 [] (a time in the unit of its spec) |
 * | bag, sequence | BYTES or INT64 [−1] |
 * | weights of a bag or sequence | FP32 [−1] |
 * | number | FP32 [] |
 * | vector | FP32 [length] |
 *
 * In tensors, '' pads lists of words, 0 pads lists of integers (where 0 is no item), and NaN is a missing number. The
 * JSON of `/v1/shortlist` needs no padding, and times may also be in ISO 8601.
 */
import type { Feature } from 'shortlist/features';
import type { EncodedFeatures } from 'shortlist/training';
import type { Features, FeatureValue, RequestField } from './contract.ts';
import type { QueryTower } from './index-parts.ts';
import { featureName } from './unknown-features.ts';

/** The fields that a tower reads, each once. @param plain the name for a single, unnamed feature */
export function fieldsOf({ inputs }: QueryTower, plain?: string): RequestField[] {
  const fields = new Map<string, RequestField>();
  for (const { name, feature } of inputs) {
    const specs: RequestField[] = feature
      ? fieldsOfFeature(feature)
      : [{ name: featureName(name, plain), datatype: 'BYTES', shape: [] }];
    for (const spec of specs) {
      const known = fields.get(spec.name);
      // A field is optional if every feature that reads it accepts a missing value.
      if (known === undefined) fields.set(spec.name, spec);
      else if (known.isOptional && !spec.isOptional) fields.set(spec.name, { ...known, isOptional: false });
    }
  }
  return [...fields.values()];
}

/**
 * Encode raw features of a tower with a spec; undefined for a tower without one, whose words are checked by their datatypes.
 *
 * @throws {FeatureError} with the first ten values that do not fit
 */
export function encodeRawFeatures(tower: QueryTower, rows: readonly Features[]): EncodedFeatures | undefined {
  return tower.features && tower.encode?.(rows as readonly never[]);
}

/** A value that fits a field, for queries that warm a version up; the model need not know the value. */
export function anyValue({ datatype, shape }: RequestField): FeatureValue {
  const [length] = shape;
  if (length === undefined) return datatype === 'BYTES' ? '' : 0;
  // Not zeros, because a spec that normalizes vectors treats a vector of zeros as missing.
  return length < 0 ? [] : new Array<number>(length).fill(1);
}

function fieldsOfFeature({ spec, field, besideField }: Feature): RequestField[] {
  const isOptional = spec.missing === 'own';
  const isRaw = true;
  const own: RequestField = { name: field, ...tensorOf(spec), isOptional, isRaw };
  if (besideField === undefined) return [own];
  const beside: RequestField =
    spec.type === 'time'
      ? { name: besideField, datatype: 'INT64', shape: [], isOptional: true, isRaw }
      : { name: besideField, datatype: 'FP32', shape: [-1], isOptional, isRaw };
  return [own, beside];
}

function tensorOf(spec: Feature['spec']): Pick<RequestField, 'datatype' | 'shape'> {
  switch (spec.type) {
    case 'string':
    case 'text':
      return { datatype: 'BYTES', shape: [] };
    case 'integer':
    case 'time':
      return { datatype: 'INT64', shape: [] };
    case 'bag':
    case 'sequence':
      return { datatype: spec.of === 'integer' ? 'INT64' : 'BYTES', shape: [-1] };
    case 'number':
      return { datatype: 'FP32', shape: [] };
    case 'vector':
      return { datatype: 'FP32', shape: [spec.length] };
  }
}
