/** Which features of a query have a value that the query tower does not know: they share one row of its table. */
import type { Features } from './contract.ts';
import type { QueryTower } from './index-parts.ts';

/** The feature of a tower that has a single one without a name. */
const PLAIN_FEATURE = 'query';

/** The name that requests give a feature of a tower. @param plain that of a single one without a name */
export function featureName(name: string, plain: string = PLAIN_FEATURE): string {
  return name || plain;
}

/** Names of the features whose value is not in the vocabulary; undefined where all are, or there is no vocabulary. */
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
