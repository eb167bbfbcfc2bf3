/**
 * Finds the features of a query whose value is not in the query tower's vocabulary. All unknown values share one row of
 * the embedding table.
 */
import type { Features } from './contract.ts';
import type { QueryTower } from './index-parts.ts';

/** The name in requests for the feature of a query tower that has a single, unnamed one. */
const PLAIN_FEATURE = 'query';

/** The name in requests for a feature of a tower. @param plain the name for a single, unnamed feature */
export function featureName(name: string, plain: string = PLAIN_FEATURE): string {
  return name || plain;
}

/**
 * Names of the features whose value is not in the vocabulary; undefined if all values are, or if there is no
 * vocabulary.
 */
export function unknownFeatures({ inputs }: QueryTower, features: Features, plain?: string): string[] | undefined {
  let unknown: string[] | undefined;
  for (const { name, lookup } of inputs) {
    const value = featureValue(features, name, inputs.length);
    if (lookup && typeof value === 'string' && lookup.idOf(value) === lookup.oovId) {
      unknown ??= [];
      unknown.push(featureName(name, plain));
    }
  }
  return unknown;
}

function featureValue(features: Features, name: string, width: number): unknown {
  if (width === 1 && (typeof features !== 'object' || features === null)) return features;
  const values = features as Readonly<Record<string, unknown>>;
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
