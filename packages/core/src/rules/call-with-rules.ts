/** Calls of an index whose results obey rules, on the caller's thread or on worker threads. */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger, shown } from '../checks/numbers.ts';
import { OBJECT, objectWith } from '../checks/options.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import type { Reading } from '../topk/access.ts';
import type {
  CallOptions,
  DistanceMeasure,
  Exclusions,
  Identifier,
  Queries,
  QueryModel,
  UpdatableTopK,
} from '../topk/contract.ts';
import { joinedLists } from '../topk/long-lists.ts';
import { resolveQueries } from '../topk/queries.ts';
import { TopKResult } from '../topk/result.ts';
import { maskWords } from '../topk/row-mask.ts';
import { Matrix } from '../vectors/matrix.ts';
import { checkRules } from './check.ts';
import type { MmrOptions, Rules } from './contract.ts';
import { lengthOf, MarginalRelevance, mmrCandidates } from './marginal-relevance.ts';
import { type Relevance, type Retrieval, type Retrieved, type Selected, select } from './selection.ts';
import { ValueLimits } from './value-limits.ts';

/**
 * Candidates that the first retrieval takes per result where values are limited. The best k rarely obey the limits, and
 * a second retrieval has to test every row for full values.
 */
const RETRIEVED_A_RESULT = 4;

/** The members of an index that searches with rules use. `BruteForce` and `ScaNN` have them. */
export type RuledIndex<Q, I extends Identifier, O extends CallOptions<I>> = Pick<
  UpdatableTopK<Q, I, O>,
  'call' | 'callAsync' | 'access' | 'identifiers' | 'candidate' | 'dimensions' | 'k'
> & {
  readonly queryModel?: QueryModel<Q> | undefined;
  readonly settings?: { readonly distanceMeasure: DistanceMeasure } | undefined;
};

/**
 * `call` of an index with results that obey rules. There are k results if k candidates obey the rules.
 *
 * Pinned candidates come first, then the others by score or by marginal relevance. On an approximate index the rules
 * also hold exactly; only the choice of the best candidates is approximate, as in `call`.
 *
 * @param options of `call`; `filter` must be a predicate or bit words
 * @throws {OptionError} when a rule is unknown, out of range, or names an unknown attribute
 * @throws {ShapeError} when an attribute does not have one value per row
 * @throws what `call` throws
 */
export function callWithRules<Q, I extends Identifier, O extends CallOptions<I>>(
  index: RuledIndex<Q, I, O>,
  queries: Queries<Q>,
  rules: Rules<I>,
  options?: O,
): TopKResult<I> {
  checkArgument('index', index, objectWith('an index with `identifiers` and `call`', 'identifiers', 'call'));
  const call = new RuledCall(index, queries, rules, options);
  const found = call.queries.map((vector, query) => {
    const selection = call.selection(query);
    let next = selection.next();
    while (!next.done) {
      const retrieval = next.value;
      const matrix = matrixOf(vector);
      try {
        next = selection.next(retrievedOf(index.call(matrix, call.optionsOf(query, retrieval))));
      } finally {
        matrix.free();
      }
    }
    return next.value;
  });
  return call.result(found);
}

/**
 * `callWithRules` with the searches on the worker threads. The result is that of the candidates at the time of the
 * call.
 *
 * @param within the read of the index's `access` that this search is a part of; default: a read of its own
 */
export async function callWithRulesAsync<Q, I extends Identifier, O extends CallOptions<I>>(
  index: RuledIndex<Q, I, O>,
  queries: Queries<Q>,
  rules: Rules<I>,
  options?: O,
  within?: Reading,
): Promise<TopKResult<I>> {
  checkArgument('index', index, objectWith('an index with `identifiers` and `call`', 'identifiers', 'call'));
  const call = new RuledCall(index, queries, rules, options);
  const search = async (reading: Reading): Promise<TopKResult<I>> => {
    const found: Selected[] = [];
    for (const [query, vector] of call.queries.entries()) {
      const selection = call.selection(query);
      let next = selection.next();
      while (!next.done) {
        const retrieval = next.value;
        const matrix = matrixOf(vector);
        try {
          next = selection.next(retrievedOf(await index.callAsync(matrix, call.optionsOf(query, retrieval), reading)));
        } finally {
          matrix.free();
        }
      }
      found.push(next.value);
    }
    return call.result(found);
  };
  return within ? search(within) : index.access.read('callWithRulesAsync', search);
}

function matrixOf(vector: Float32Array): Matrix {
  const matrix = new Matrix(1, vector.length);
  matrix.data.set(vector);
  return matrix;
}

const retrievedOf = <I extends Identifier>(result: TopKResult<I>): Retrieved => ({
  // These are copies, because the next search may reuse the memory of the results.
  rows: result.rowsOf().slice(),
  scores: result.scoresOf().slice(),
});

/** One call with checked arguments. */
class RuledCall<Q, I extends Identifier, O extends CallOptions<I>> {
  /** Embeddings of the queries. */
  readonly queries: readonly Float32Array[];
  readonly #index: RuledIndex<Q, I, O>;
  readonly #rules: Rules<I>;
  readonly #options: O | undefined;
  readonly #k: number;
  readonly #limits: ReturnType<typeof checkRules>;
  /** The place of each pinned identifier. Identifiers that `include` leaves out are not pinned. */
  readonly #pins: ReadonlyMap<I, number>;

  constructor(index: RuledIndex<Q, I, O>, queries: Queries<Q>, rules: Rules<I>, options: O | undefined) {
    if (options !== undefined) checkArgument('options', options, OBJECT);
    this.#index = index;
    this.#rules = rules;
    this.#options = options;
    this.#limits = checkRules(rules, this.#rows);
    this.#k = checkInteger('k', options?.k ?? index.k, 0);
    const filter: unknown = options?.filter;
    if (filter !== undefined && typeof filter !== 'function' && !(filter instanceof Int32Array)) {
      throw new OptionError(`filter: expected a predicate or bit words, as there are rules, got ${shown(filter)}`);
    }
    const included = options?.include && new Set(options.include);
    const pins = (rules.pin ?? []).filter((identifier) => included?.has(identifier) ?? true);
    this.#pins = new Map([...new Set(pins)].map((identifier, place) => [identifier, place]));
    const source = resolveQueries(queries, index.queryModel, index.dimensions);
    this.queries = Array.from({ length: source.rows }, (_, query) => {
      const vector = new Float32Array(source.dimensions);
      source.copy(query, query + 1, vector);
      return vector;
    });
    checkExclusions(options?.exclude, this.queries.length);
  }

  get #rows(): number {
    return this.#index.identifiers?.size ?? 0;
  }

  /** The generator that chooses the results of a query. */
  selection(query: number): Generator<Retrieval, Selected, Retrieved> {
    const { mmr, scoreThreshold = Number.NEGATIVE_INFINITY } = this.#rules;
    const k = this.#k;
    const { identifiers } = this.#index;
    let pins = 0;
    for (const identifier of this.#pins.keys()) identifiers?.forEachRow(identifier, () => pins++);
    return select({
      ...{ k, pins, scoreThreshold },
      limits: new ValueLimits(this.#limits),
      pinOf: (row) => this.#pins.get(identifiers!.of(row)) ?? 0,
      candidates: mmr ? (mmr.candidates ?? mmrCandidates(k)) : this.#limits.length > 0 ? RETRIEVED_A_RESULT * k : k,
      relevanceOf: mmr && ((pool, chosen) => this.#relevance(mmr, this.queries[query]!, pool, chosen)),
    });
  }

  #relevance({ weight }: MmrOptions, query: Float32Array, pool: Retrieved, chosen: readonly number[]): Relevance {
    const index = this.#index;
    const { settings } = index;
    const vectors = Array.from(pool.rows, (row) => index.candidate(row));
    const measure = settings?.distanceMeasure ?? 'dot_product';
    const options = { weight, measure, queryLength: lengthOf(query) };
    const relevance = new MarginalRelevance(options, { scores: pool.scores, vectors });
    for (const row of chosen) relevance.chosen(index.candidate(row));
    return { of: (i) => relevance.of(i), chosen: (i) => relevance.chosen(vectors[i]!) };
  }

  /** The options of the search for a retrieval. */
  optionsOf(query: number, { k, pinned, leavesOut }: Retrieval): O {
    const { exclude, include, filter } = this.#options ?? ({} as O);
    const excluded = joinedLists(exclusionsOf(exclude, query), this.#rules.block ?? []);
    return Object.assign({}, this.#options ?? ({} as O), {
      k,
      include: pinned ? [...this.#pins.keys()] : include,
      exclude: pinned ? excluded : joinedLists(excluded, [...this.#pins.keys()]),
      filter: leavesOut ? without(filter, leavesOut, this.#rows) : filter,
    });
  }

  /** The results of all queries. */
  result(found: readonly Selected[]): TopKResult<I> {
    const k = found.reduce((most, { rows }) => Math.max(most, rows.length), 0);
    const scores = new Float32Array(found.length * k);
    const rows = new Int32Array(found.length * k);
    found.forEach((selected, query) => {
      scores.set(selected.scores, query * k);
      rows.set(selected.rows, query * k);
    });
    const counts = Int32Array.from(found, (selected) => selected.rows.length);
    const { identifiers } = this.#index;
    return new TopKResult<I>(k, counts, scores, rows, (row) => identifiers!.of(row));
  }
}

/** A filter that also rejects some rows. */
function without<I extends Identifier>(
  filter: CallOptions<I>['filter'],
  leavesOut: (row: number) => boolean,
  rows: number,
): NonNullable<CallOptions<I>['filter']> {
  if (typeof filter === 'function') return (identifier, row) => !leavesOut(row) && filter(identifier, row);
  const words = new Int32Array(maskWords(rows)).fill(-1);
  if (filter) words.set(filter.subarray(0, words.length));
  for (let row = 0; row < rows; row++) if (leavesOut(row)) words[row >>> 5]! &= ~(1 << (row & 31));
  return words;
}

function isPerQuery<I extends Identifier>(exclude: Exclusions<I>): exclude is readonly (readonly I[])[] {
  return Array.isArray(exclude[0]);
}

function checkExclusions<I extends Identifier>(exclude: Exclusions<I> | undefined, queries: number): void {
  if (exclude === undefined || !isPerQuery(exclude) || exclude.length === 1 || exclude.length === queries) return;
  throw new ShapeError(`exclude: expected one list for each of the ${queries} queries, got ${exclude.length} lists`);
}

/** The excluded identifiers of a query. */
function exclusionsOf<I extends Identifier>(exclude: Exclusions<I> | undefined, query: number): readonly I[] {
  if (exclude === undefined) return [];
  if (!isPerQuery(exclude)) return exclude as readonly I[];
  return exclude.length === 1 ? exclude[0]! : exclude[query]!;
}
