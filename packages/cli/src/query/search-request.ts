/**
 * The queries that `query` sends to an index: raw features, an embedding, or the vector of a history, and what is left out of the answer.
 *
 * A history stands for a user whom the model does not know: --history, or what the bundle says that the user has seen.
 */
import { type Bundle, DataError, historyVectors, type Identifier, type Matrix } from 'shortlist';
import { splitHistory } from 'shortlist/recommenders';
import { isUpdatable } from 'shortlist/topk';
import { count } from '../terminal/format-numbers.ts';

/** Raw features or an embedding. */
export type Query = string | Readonly<Record<string, string>> | readonly number[];
type QueriedBundle = Bundle<Query, Identifier>;

/** Flags of the command. */
export interface Flags {
  readonly history?: string | undefined;
  readonly exclude?: string | undefined;
  readonly 'exclude-seen'?: boolean | undefined;
}

/** The queries of an index. */
export interface SearchRequest {
  readonly queries: readonly [Query] | Matrix;
  readonly exclude: readonly Identifier[];
  /** Lines that say what was guessed or left out. */
  readonly notes: readonly string[];
}

/** The question of a query, of a history, or of both. @throws {DataError} when the bundle cannot be asked so */
export function searchRequestOf(text: string | undefined, flags: Flags, bundle: QueriedBundle): SearchRequest {
  const notes: string[] = [];
  const { seenItems, index } = bundle;
  const asked = text === undefined ? undefined : readQuery(text, bundle);
  const isUnknown = asked !== undefined && isUnknownTo(asked, bundle);
  const user = seenItems?.userOf(asked);
  const said = flags.history === undefined ? undefined : identifiersOf('--history', flags.history, bundle);
  const history = said ?? (user === undefined ? [] : seenItems!.historyOf(user, !isUnknown));
  const { known, unknown } = splitHistory(index, history);
  if (unknown.length > 0 && said)
    notes.push(`not known to the model and left out of the history: ${unknown.join(', ')}`);
  const isMade = known.length > 0 && (asked === undefined || isUnknown || !said);
  if (asked === undefined && !isMade) throw new DataError('--history: expected an item that the model knows, got none');
  if (isMade && asked !== undefined) {
    const whose = said ? 'the history' : 'what the user has seen';
    notes.push(`asked with ${whose}, ${count(known.length)} items, in the place of ${JSON.stringify(text)}`);
  } else if (isUnknown) {
    notes.push(`${JSON.stringify(text)} is not known to the model: this is what it answers to anybody unknown`);
  } else if (said && !isMade) notes.push('the history is ignored, as the user is known to the model');
  const seen = seenBy(user, said, flags['exclude-seen'], bundle);
  if (seen.length > 0) notes.push(`${count(seen.length)} items that the user has seen are left out`);
  const excluded = flags.exclude === undefined ? [] : identifiersOf('--exclude', flags.exclude, bundle);
  const queries = isMade ? historyVectors(index, [known]).vectors : ([asked!] as const);
  return { queries, exclude: [...excluded, ...seen], notes };
}

function readQuery(text: string, { index }: QueriedBundle): Query {
  if (index.queryModel === undefined) {
    const numbers = text
      .split(/[\s,]+/)
      .filter((word) => word !== '')
      .map(Number);
    if (numbers.length !== index.dimensions || !numbers.every(Number.isFinite)) {
      throw new DataError(
        `query: expected an embedding, ${index.dimensions} numbers with commas, as the bundle has no query tower; got ` +
          (numbers.some(Number.isNaN) ? JSON.stringify(text.slice(0, 40)) : `${numbers.length} numbers`),
      );
    }
    return numbers;
  }
  if (!text.trim().startsWith('{')) return text;
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch {
    throw new DataError(`query: expected features as JSON, got ${JSON.stringify(text.slice(0, 40))}`);
  }
}

/** The seen items of a query's user, where they are to be left out; the items of a history count as seen. */
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

/** Identifiers of a flag as the index holds them. @throws {DataError} when one is of another type */
export function identifiersOf(flag: string, list: string, bundle: Pick<QueriedBundle, 'index'>): Identifier[] {
  return list.split(',').map((word) => identifierOf(flag, word, bundle));
}

/** An identifier as the index holds it. @throws {DataError} naming the argument, when it is of another type */
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

/** True where no part of the query is in a vocabulary of the model. */
function isUnknownTo(asked: Query, { foldIn, queryTower }: QueriedBundle): boolean {
  if (typeof asked !== 'string') return false;
  if (foldIn !== undefined) return foldIn.parts.users.idOf(asked) === foldIn.parts.users.oovId;
  return queryTower?.inputs.every(({ lookup }) => lookup !== undefined && lookup.idOf(asked) === lookup.oovId) ?? false;
}
