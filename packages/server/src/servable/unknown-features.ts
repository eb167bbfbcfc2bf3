/**
 * Finds the features of a query whose value is not in the query tower's vocabulary. All unknown values share one row of
 * the embedding table. Also makes the text that names these features in protocols without a field for them.
 */
import { isUnknownValue } from 'shortlist/features';
import type { Features, QueryResult } from './contract.ts';
import type { QueryTower } from './index-parts.ts';

/** The name in requests for the feature of a query tower that has a single, unnamed one. */
const PLAIN_QUERY = 'query';

/** The name in requests for a feature of a tower. @param plain the name for a single, unnamed feature */
export function featureName(name: string, plain: string = PLAIN_QUERY): string {
  return name || plain;
}

/**
 * Names of the features whose value is not in the vocabulary; undefined if all values are, or if there is no
 * vocabulary.
 */
export function unknownFeatures({ inputs }: QueryTower, features: Features, plain?: string): string[] | undefined {
  let unknown: string[] | undefined;
  for (const { name, lookup, feature } of inputs) {
    const value = featureValue(features, feature?.field ?? name, inputs.length);
    const isOov = lookup && typeof value === 'string' && lookup.idOf(value) === lookup.oovId;
    if (isOov || (feature && isUnknownValue(feature, value))) {
      unknown ??= [];
      unknown.push(featureName(name, plain));
    }
  }
  return unknown;
}

/**
 * The HTTP header or gRPC trailer, and the response parameter, that name unknown features in protocols without a field
 * for them.
 */
export const UNKNOWN_FEATURES_HEADER = 'x-shortlist-unknown-features';
export const UNKNOWN_FEATURES_PARAMETER = 'unknown_features';

/**
 * Most queries that are listed per feature. With their count they take some hundred bytes, far below the limits of
 * clients on headers.
 */
const NAMED_QUERIES_MAX = 100;
const NOT_PRINTABLE = /[^ -~]/g;

/**
 * The unknown features of a request as JSON in ASCII, which headers require: `{"user": {"count": 2, "queries": [0,
 * 3]}}`. It lists the first 100 queries of the request with each unknown feature. Undefined if no query has any.
 */
export function unknownFeaturesText(results: readonly QueryResult[]): string | undefined {
  const queriesOf = new Map<string, number[]>();
  results.forEach(({ unknown = [] }, query) => {
    for (const name of unknown) {
      const queries = queriesOf.get(name);
      if (queries) queries.push(query);
      else queriesOf.set(name, [query]);
    }
  });
  if (queriesOf.size === 0) return undefined;
  const entries = Array.from(queriesOf, ([name, queries]) => [
    name,
    { count: queries.length, queries: queries.slice(0, NAMED_QUERIES_MAX) },
  ]);
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(Object.fromEntries(entries)).replace(NOT_PRINTABLE, escaped);
}

function featureValue(features: Features, name: string, width: number): unknown {
  if (width === 1 && (typeof features !== 'object' || features === null)) return features;
  const values = features as Readonly<Record<string, unknown>>;
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
