/**
 * Turns the arguments of `query` into a search request: the queries for the index, which are raw features, an embedding or the
 * vector of a history, and the identifiers that are excluded from the results.
 *
 * For a user whom the model does not know, the query is made from a history: that of --history, or the seen items of the user
 * in the bundle.
 */
import { type Bundle, DataError, historyVectors, type Identifier, type Matrix } from 'shortlist';
import { isUnknownValue } from 'shortlist/features';
import { HISTORY_FIELD, splitHistory, USER_FIELD } from 'shortlist/recommenders';
import { isUpdatable } from 'shortlist/topk';
import { plural } from '../terminal/format-numbers.ts';

/** Raw features or an embedding. */
export type Query = string | Readonly<Record<string, unknown>> | readonly number[];
type QueriedBundle = Bundle<Query, Identifier>;

/** The options of the command that a search request depends on. */
export interface Flags {
  readonly history?: string | undefined;
  readonly exclude?: string | undefined;
  readonly 'exclude-seen'?: boolean | undefined;
}

/** A search of an index. */
export interface SearchRequest {
  readonly queries: readonly [Query] | Matrix;
  readonly exclude: readonly Identifier[];
  /** Lines for the user about decisions of the command, such as ignored options and excluded items. */
  readonly notes: readonly string[];
}

/** The search request for a query, for a history, or for both. @throws {DataError} when the bundle does not accept such a query */
export function searchRequestOf(text: string | undefined, flags: Flags, bundle: QueriedBundle): SearchRequest {
  const notes: string[] = [];
  const { seenItems, index } = bundle;
  const query = text === undefined ? undefined : readQuery(text, bundle);
  const isUnknown = query !== undefined && isUnknownTo(query, bundle);
  // The features of a user were made of the identifier.
  const isOfUser = typeof query === 'object' && !Array.isArray(query) && !isJson(text);
  const user = seenItems && isOfUser ? text : seenItems?.userOf(query);
  const given = flags.history === undefined ? undefined : identifiersOf('--history', flags.history, bundle);
  const history = given ?? (user === undefined ? [] : seenItems!.historyOf(user, !isUnknown));
  const { known, unknown } = splitHistory(index, history);
  if (unknown.length > 0 && given)
    notes.push(`left out of the history, because the model does not know them: ${unknown.join(', ')}`);
  const isMade = known.length > 0 && (query === undefined || isUnknown || !given);
  if (query === undefined && !isMade) throw new DataError('--history: expected an item that the model knows, got none');
  if (isMade && query !== undefined) {
    const source = given ? 'the given history' : 'the items that the user has seen';
    notes.push(`the query is made from ${source} (${plural(known.length, 'item')}) instead of ${JSON.stringify(text)}`);
  } else if (isUnknown) {
    notes.push(`${JSON.stringify(text)} is not known to the model: these are its results for any unknown user`);
  } else if (query !== undefined && unknownFields(query, bundle).length > 0) {
    const fields = unknownFields(query, bundle).join(', ');
    notes.push(`not known to the model: the value of ${fields}; the results are those for any unknown value`);
  } else if (given && !isMade) notes.push('the history is ignored, because the model knows the user');
  if (isOfUser && !isMade && isEmptyHistory(query)) {
    notes.push(
      `the bundle has no items that ${JSON.stringify(text)} has seen: these are the results of an empty history`,
    );
  }
  const seen = seenBy(user, given, flags['exclude-seen'], bundle);
  if (seen.length > 0)
    notes.push(`${plural(seen.length, 'item')} that the user has seen ${seen.length === 1 ? 'is' : 'are'} left out`);
  const excluded = flags.exclude === undefined ? [] : identifiersOf('--exclude', flags.exclude, bundle);
  const queries = isMade ? historyVectors(index, [known]).vectors : ([query!] as const);
  return { queries, exclude: [...excluded, ...seen], notes };
}

function isEmptyHistory(features: Query): boolean {
  const history = (features as Readonly<Record<string, unknown>>)[HISTORY_FIELD];
  return Array.isArray(history) && history.length === 0;
}

/** True for text that begins as JSON. */
function isJson(text: string | undefined): boolean {
  return text !== undefined && /^\s*[[{]/.test(text);
}

/**
 * The features of a user whose identifier is given: the identifier, and the items that the user has seen.
 *
 * @throws {DataError} when the model needs other features
 */
function featuresOfUser(user: string, fields: readonly string[], { queryTower, seenItems }: QueriedBundle): Query {
  const own: Readonly<Record<string, unknown>> = {
    [USER_FIELD]: user,
    [HISTORY_FIELD]: seenItems?.itemsOf(user) ?? [],
  };
  const features = (queryTower?.inputs ?? []).flatMap(({ feature }) => feature ?? []);
  const others = features.filter(({ field, spec }) => !Object.hasOwn(own, field) && spec.missing !== 'own');
  if (others.length > 0) {
    throw new DataError(`query: expected features as JSON with ${fields.join(', ')}, got ${JSON.stringify(user)}`);
  }
  return Object.fromEntries(Object.entries(own).filter(([field]) => fields.includes(field)));
}

function readQuery(text: string, bundle: QueriedBundle): Query {
  const { queryModel, dimensions } = bundle.index;
  if (queryModel === undefined) {
    const expected = `query: expected an embedding, ${dimensions} numbers with commas, because the bundle has no query tower`;
    return vectorOf(text, dimensions, expected);
  }
  const { features } = bundle.queryTower ?? {};
  if (features) features.clock = Date.now;
  // A feature may be a list. The identifier of a user may look like JSON where features are words.
  if (features && !isJson(text)) {
    const { fields } = features;
    const isValue = fields.length === 1 && fields[0] !== HISTORY_FIELD;
    return isValue ? text : featuresOfUser(text, fields, bundle);
  }
  if (!features && (!text.trim().startsWith('{') || !isUnknownTo(text, bundle))) return text;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new DataError(`query: expected features as JSON, got ${JSON.stringify(text.slice(0, 40))}`);
  }
}

/** Numbers with commas. @throws {DataError} that begins with `expected`, when there are more or fewer, or other words */
export function vectorOf(text: string, dimensions: number, expected: string): number[] {
  const numbers = text
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .map(Number);
  if (numbers.length === dimensions && numbers.every(Number.isFinite)) return numbers;
  const got = numbers.some(Number.isNaN) ? JSON.stringify(text.slice(0, 40)) : `${numbers.length} numbers`;
  throw new DataError(`${expected}; got ${got}`);
}

/** The items that are left out because the user has seen them; the items of a history count as seen. */
function seenBy(
  user: string | undefined,
  history: readonly Identifier[] | undefined,
  exclude: boolean | undefined,
  { seenItems }: QueriedBundle,
): Identifier[] {
  if (exclude && !seenItems && !history) {
    throw new DataError('--exclude-seen: expected a bundle that holds what users have seen, got one without');
  }
  if (exclude && user === undefined && !history) {
    throw new DataError('--exclude-seen: expected a query that names its user, got one that names none');
  }
  if (!(exclude ?? seenItems?.excludeSeen ?? false)) return [];
  const seen = user === undefined ? [] : seenItems!.itemsOf(user);
  return [...new Set([...seen, ...(history ?? [])])];
}

/** The identifiers in the value of an option, in the type that the index uses. @throws {DataError} when one is of another type */
export function identifiersOf(flag: string, list: string, bundle: Pick<QueriedBundle, 'index'>): Identifier[] {
  return list.split(',').map((word) => identifierOf(flag, word, bundle));
}

/** An identifier in the type that the index uses. @throws {DataError} naming the argument, when it is of another type */
export function identifierOf(argument: string, word: string, { index }: Pick<QueriedBundle, 'index'>): Identifier {
  const type = isUpdatable(index) ? index.identifiers?.columnType : 'string';
  if (type === 'string') return word;
  const number = word.trim() === '' ? Number.NaN : Number(word);
  if (type === 'number' && Number.isFinite(number)) return number;
  if (type === 'bigint' && /^-?\d+$/.test(word)) return BigInt(word);
  throw new DataError(
    `${argument}: expected identifiers that are ${type}s as in the bundle, got ${JSON.stringify(word)}`,
  );
}

/** The fields of a query of named features whose words the model does not know. */
function unknownFields(query: Query, { queryTower }: QueriedBundle): string[] {
  if (typeof query === 'string' || Array.isArray(query)) return [];
  const values = query as Readonly<Record<string, unknown>>;
  const features = (queryTower?.inputs ?? []).flatMap(({ feature }) => feature ?? []);
  const unknown = features.filter((feature) => {
    const { field } = feature;
    return Object.hasOwn(values, field) && isUnknownValue(feature, values[field]);
  });
  return [...new Set(unknown.map(({ field }) => field))];
}

/** True if no feature of the query is in a vocabulary of the model. */
function isUnknownTo(query: Query, { foldIn, queryTower }: QueriedBundle): boolean {
  if (typeof query !== 'string') return false;
  if (foldIn !== undefined) return foldIn.parts.users.idOf(query) === foldIn.parts.users.oovId;
  return queryTower?.inputs.every(({ lookup }) => lookup !== undefined && lookup.idOf(query) === lookup.oovId) ?? false;
}
