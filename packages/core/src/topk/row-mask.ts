/**
 * Masks of the candidate rows that a query may return, as bit words: bit r & 31 of word r >> 5 is 1 when row r is
 * allowed.
 *
 * Include lists and predicates make one mask for all queries; exclusions make one mask for each query. Rows are masked
 * before the best are selected, so an excluded row is never returned and does not take the place of another result.
 */
import { shown } from '../checks/numbers.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import type { CallOptions, CandidatePredicate, Exclusions, Identifier } from './contract.ts';
import type { Identifiers } from './identifiers.ts';

const WORD_BITS = 32;
/** int32 words of a SIMD register: each mask is a whole number of registers long, so that scans may read past the last row. */
const WORDS_MULTIPLE = 4;

/** Rows of a register: a mask can be cut at a multiple of this. */
export const MASK_ROWS: number = WORD_BITS * WORDS_MULTIPLE;

/** int32 words of one mask over `rows` rows. */
export function maskWords(rows: number): number {
  return Math.ceil(rows / MASK_ROWS) * WORDS_MULTIPLE;
}

/** Masks of the queries of a call. */
export interface QueryMasks {
  /** int32 words of one mask. */
  readonly words: number;
  /** True when each query has a mask of its own. */
  readonly isPerQuery: boolean;
  /** Write the masks of queries [begin, end), or the one mask that they share, to `to`. */
  write(begin: number, end: number, to: Int32Array): void;
}

/** Masks of the queries of one call, written piece by piece. */
export class RowMask<I extends Identifier> implements QueryMasks {
  readonly words: number;
  readonly #identifiers: Identifiers<I>;
  readonly #shared: Int32Array | undefined;
  readonly #perQuery: readonly (readonly I[])[] | undefined;

  private constructor(
    identifiers: Identifiers<I>,
    shared: Int32Array | undefined,
    perQuery: readonly (readonly I[])[] | undefined,
  ) {
    this.words = maskWords(identifiers.size);
    this.#identifiers = identifiers;
    this.#shared = shared;
    this.#perQuery = perQuery;
  }

  /**
   * The masks for the options of a call; undefined when every row is allowed.
   *
   * @param live bit words of the rows that hold a candidate; undefined: all rows do
   * @throws {ShapeError} when there are several lists of exclusions but not one per query, or too few filter bits for
   * the rows
   * @throws {IdentifierError} when an identifier is not of the index's type
   */
  static of<I extends Identifier>(
    identifiers: Identifiers<I>,
    queries: number,
    { exclude, include, filter }: CallOptions<I>,
    live?: Int32Array,
  ): RowMask<I> | undefined {
    const lists = exclude === undefined ? [] : exclusionLists(exclude, queries);
    const common = lists.length === 1 ? lists[0]! : [];
    const perQuery = lists.length > 1 && lists.some((list) => list.length > 0) ? lists : undefined;
    let shared = live;
    if (include !== undefined || filter !== undefined || common.length > 0) {
      shared = new Int32Array(maskWords(identifiers.size));
      allow(shared, identifiers, include, filter, live);
      deny(shared, 0, identifiers, common);
    }
    return shared || perQuery ? new RowMask(identifiers, shared, perQuery) : undefined;
  }

  get isPerQuery(): boolean {
    return this.#perQuery !== undefined;
  }

  write(begin: number, end: number, to: Int32Array): void {
    if (!this.#perQuery) {
      to.set(this.#shared!);
      return;
    }
    for (let query = begin; query < end; query++) {
      const at = (query - begin) * this.words;
      if (this.#shared) to.set(this.#shared, at);
      else to.fill(-1, at, at + this.words);
      deny(to, at, this.#identifiers, this.#perQuery[query]!);
    }
  }
}

function allow<I extends Identifier>(
  words: Int32Array,
  identifiers: Identifiers<I>,
  include: readonly I[] | undefined,
  filter: CallOptions<I>['filter'],
  live: Int32Array | undefined,
): void {
  if (include) {
    for (const identifier of include) {
      identifiers.forEachRow(identifier, (row) => {
        words[row >>> 5]! |= 1 << (row & 31);
      });
    }
  } else words.fill(-1);
  if (live) for (let w = 0; w < words.length; w++) words[w]! &= live[w]!;
  if (!filter) return;
  if (typeof filter !== 'function' && !((filter as unknown) instanceof Int32Array)) {
    throw new OptionError(`filter: expected a function or an Int32Array, got ${shown(filter)}`);
  }
  const allows = filter instanceof Int32Array ? bitsOf(filter, identifiers) : filter;
  if (filter instanceof Int32Array && identifiers.firstRow === 0) {
    for (let w = 0; w < words.length; w++) words[w]! &= filter[w] ?? 0;
    return;
  }
  for (let row = 0; row < identifiers.size; row++) {
    const bit = 1 << (row & 31);
    if (!(words[row >>> 5]! & bit)) continue;
    const isAllowed: unknown = allows(identifiers.of(row), identifiers.firstRow + row);
    // A promise is true, so that a filter which is an async function would allow every candidate.
    if (isAllowed instanceof Promise) throw new OptionError('filter: expected true or false, got a promise');
    if (!isAllowed) words[row >>> 5]! &= ~bit;
  }
}

/** Bit words as a predicate. @throws {ShapeError} when there is not one bit per row */
function bitsOf<I extends Identifier>(words: Int32Array, { firstRow, size }: Identifiers<I>): CandidatePredicate<I> {
  const needed = Math.ceil((firstRow + size) / WORD_BITS);
  if (words.length < needed) throw new ShapeError(`filter: expected ${needed} words, got ${words.length}`);
  return (_identifier, row) => ((words[row >>> 5]! >>> (row & 31)) & 1) === 1;
}

function deny<I extends Identifier>(
  words: Int32Array,
  at: number,
  identifiers: Identifiers<I>,
  list: readonly I[],
): void {
  identifiers.forEachRowOf(list, (row) => {
    words[at + (row >>> 5)]! &= ~(1 << (row & 31));
  });
}

/**
 * One list for all queries, or one per query; none for an empty list.
 *
 * @throws {OptionError} when they are no lists
 * @throws {ShapeError} when there are several lists but not one per query
 */
export function exclusionLists<I extends Identifier>(
  exclude: Exclusions<I>,
  queries: number,
): readonly (readonly I[])[] {
  if (!Array.isArray(exclude)) {
    throw new OptionError(`exclude: expected a list of identifiers or one list per query, got ${shown(exclude)}`);
  }
  if (exclude.length === 0) return [];
  if (!Array.isArray(exclude[0])) return [exclude as readonly I[]];
  if (exclude.length !== 1 && exclude.length !== queries) {
    throw new ShapeError(`exclude: expected one list for each of the ${queries} queries, got ${exclude.length} lists`);
  }
  return exclude as readonly (readonly I[])[];
}
