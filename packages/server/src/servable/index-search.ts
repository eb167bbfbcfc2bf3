/**
 * The scans of an index for the queries of requests.
 *
 * Queries of one call share a scan if they differ only in their features or embedding and in their exclusions; their
 * filters and other settings must be equal. A query with rules may take several scans (`shortlist/rules`). Short scans
 * run on the thread of the event loop, long ones on the worker threads.
 */
import { type Identifier, Matrix, ScaNN, type SeenItems, type TopKResult } from 'shortlist';
import { bySimilarity, callWithRules, callWithRulesAsync, type Rules } from 'shortlist/rules';
import type { IndexAccess, Reading, SearchWork } from 'shortlist/topk';
import { FilterCache } from '../attributes/filter-cache.ts';
import type { AttributeTable } from '../attributes/table.ts';
import { invalidArgument } from '../status/serving-error.ts';
import type { Features, HistoryUse, Query, QueryResult } from './contract.ts';
import { excludedOf } from './exclusions.ts';
import { Histories } from './histories.ts';
import { heldIdentifier } from './identifiers.ts';
import type { QueryTower, ScanOptions, ServedIndex } from './index-parts.ts';
import { heldRules } from './query-rules.ts';
import { scanGroups } from './scan-groups.ts';
import { type ScanPlace, ScanTimes } from './scan-times.ts';
import { isHeavySimilar, similarVector } from './similar-queries.ts';
import { unknownFeatures } from './unknown-features.ts';

/**
 * Work above which a query counts as heavy, some milliseconds: floats of an exact scan, leaves searched, candidates
 * reordered.
 */
const HEAVY_FLOATS = 4_000_000;
const HEAVY_LEAVES = 500;
const HEAVY_REORDER = 5_000;

/** One scan of the index, for the queries that share it. */
interface Scan {
  vectors: Matrix;
  options: ScanOptions;
  rules: Rules<Identifier> | undefined;
  /** Whether candidates are compared with candidates. */
  isSimilar: boolean;
  take: (result: TopKResult<Identifier>) => void;
}

/** Query embeddings, row-major, and the histories of the queries that have one. */
interface Embedded {
  rows: Float32Array;
  histories: readonly (HistoryUse | undefined)[];
}

/** Searches one index. */
export class IndexSearch {
  /** Work of the scans; an exact index counts none. */
  readonly work: SearchWork = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
  readonly #index: ServedIndex;
  readonly #tower: QueryTower | undefined;
  readonly #seenItems: SeenItems<Identifier>;
  readonly #attributes: AttributeTable;
  readonly #filters: FilterCache;
  readonly #histories: Histories;
  readonly #times = new ScanTimes();

  constructor(
    index: ServedIndex,
    tower: QueryTower | undefined,
    attributes: AttributeTable,
    seenItems: SeenItems<Identifier>,
  ) {
    this.#index = index;
    this.#tower = tower;
    this.#seenItems = seenItems;
    this.#attributes = attributes;
    this.#filters = new FilterCache(attributes);
    this.#histories = new Histories(index, tower, seenItems);
  }

  get #access(): IndexAccess {
    return this.#index.access;
  }

  /** Query embeddings of raw features: [queries, dimensions], row-major. */
  embed(features: readonly Features[]): Float32Array {
    if (features.length === 0) return new Float32Array(0);
    if (!this.#tower) throw invalidArgument('this model has no query tower, send embeddings');
    // The output of the tower is valid only until its next call, so it is copied.
    return this.#tower.embed(features as readonly never[]).data.slice();
  }

  /** The best candidates of each query; a promise if the scan is long and runs on the worker threads. */
  search(queries: readonly Query[]): QueryResult[] | Promise<QueryResult[]> {
    const { pool } = this.#index.runtime;
    const started = performance.now();
    const isHeavy = this.isHeavy(queries[0]!);
    const ended = (place: ScanPlace, results: QueryResult[]): QueryResult[] => {
      if (!isHeavy) this.#times.took(place, queries.length, performance.now() - started);
      return results;
    };
    const isLong = isHeavy || this.#times.placeOf(queries.length) === 'workers';
    // If the worker threads are busy, or updates wait, a light scan is done sooner on this thread.
    const isFree = !pool.isBusy && !this.#access.isContended;
    // A search for similar candidates runs in short steps on this thread.
    const isPass = isHeavy && queries[0]!.similarTo !== undefined;
    if (isPass || (isLong && pool.threads > 1 && (isHeavy || isFree)))
      return this.searchAsync(queries).then((results) => ended('workers', results));
    const results = pool.withoutWorkers(() => this.#search(queries));
    return ended('here', results);
  }

  /**
   * Whether a query is heavy: an exact scan of many candidates, or a search with many times the usual leaves or
   * reordered candidates, whether by its own settings or by its k.
   */
  isHeavy({ k, similarTo, ...asked }: Query): boolean {
    if (similarTo !== undefined && isHeavySimilar(this.#index)) return true;
    if (this.#index.isExact()) return this.#index.size * this.#index.dimensions > HEAVY_FLOATS;
    const effort = this.#index instanceof ScaNN ? this.#index.effort(k) : { leavesToSearch: 0, reorder: 0 };
    const { leavesToSearch = effort.leavesToSearch, reorder = effort.reorder } = asked;
    return leavesToSearch > HEAVY_LEAVES || reorder > HEAVY_REORDER;
  }

  /** `search` on the worker threads. It is one read of the candidates, which do not change until it has ended. */
  searchAsync(queries: readonly Query[], exact?: boolean): Promise<QueryResult[]> {
    const { pool } = this.#index.runtime;
    return this.#access.read('search', async (reading) => {
      const embeddings = pool.withoutWorkers(() => this.#embeddings(queries));
      const results: QueryResult[] = new Array(queries.length);
      for (const group of scanGroups(queries)) {
        const scan = this.#prepare(queries, group, embeddings, results, exact);
        try {
          scan.take(await this.#scanAsync(scan, reading));
        } finally {
          scan.vectors.free();
        }
      }
      return results;
    });
  }

  /** Clear the cache of filters. */
  clear(): void {
    this.#filters.clear();
  }

  #search(queries: readonly Query[]): QueryResult[] {
    const embeddings = this.#embeddings(queries);
    const results: QueryResult[] = new Array(queries.length);
    for (const group of scanGroups(queries)) {
      const scan = this.#prepare(queries, group, embeddings, results);
      try {
        scan.take(this.#scan(scan));
      } finally {
        scan.vectors.free();
      }
    }
    return results;
  }

  #scan({ vectors, options, rules, isSimilar }: Scan): TopKResult<Identifier> {
    const index = isSimilar ? bySimilarity(this.#index) : this.#index;
    return rules ? callWithRules(index, vectors, rules, options) : index.call(vectors, options);
  }

  #scanAsync({ vectors, options, rules, isSimilar }: Scan, reading: Reading): Promise<TopKResult<Identifier>> {
    const index = isSimilar ? bySimilarity(this.#index) : this.#index;
    if (rules) return callWithRulesAsync(index, vectors, rules, options, reading);
    return index.callAsync(vectors, options, reading);
  }

  /** Query embeddings of all queries, row-major; one call of the tower computes those of raw features. */
  #embeddings(queries: readonly Query[]): Embedded {
    const histories = queries.map((query) => this.#histories.of(query));
    return { rows: this.#rows(queries, histories), histories };
  }

  #rows(queries: readonly Query[], histories: readonly (HistoryUse | undefined)[]): Float32Array {
    const d = this.#index.dimensions;
    const withFeatures = queries.filter(({ features }, at) => features !== undefined && !histories[at]?.isUsed);
    const embedded = this.#embedQueries(withFeatures);
    if (withFeatures.length === queries.length) return embedded;
    const all = new Float32Array(queries.length * d);
    let at = 0;
    queries.forEach(({ embedding, similarTo }, row) => {
      if (similarTo) all.set(similarVector(this.#index, this.#seenItems.itemType, similarTo), row * d);
      else if (histories[row]?.isUsed) all.set(this.#histories.vectorOf(histories[row]), row * d);
      else if (!embedding) {
        all.set(embedded.subarray(at, at + d), row * d);
        at += d;
      } else if (embedding.length !== d)
        throw invalidArgument(`embedding: expected ${d} numbers, got ${embedding.length}`);
      else all.set(embedding, row * d);
    });
    return all;
  }

  /** Query embeddings of queries with features; those that were encoded are not encoded again. */
  #embedQueries(queries: readonly Query[]): Float32Array {
    const encoded = queries.flatMap((query) => query.encoded ?? []);
    const [first] = encoded;
    if (first === undefined || encoded.length < queries.length) {
      return this.embed(queries.map(({ features }) => features!));
    }
    const { features } = first;
    const isWhole =
      features.rows === queries.length && encoded.every((each, i) => each.features === features && each.row === i);
    const [row, ...rows] = encoded.map((each) => each.features.slice(each.row, each.row + 1));
    return this.#tower!.embedEncoded!(isWhole ? features : row!.concat(...rows)).data.slice();
  }

  /** The scan that answers a group of queries. */
  #prepare(
    queries: readonly Query[],
    group: readonly number[],
    { rows, histories }: Embedded,
    results: QueryResult[],
    exact?: boolean,
  ): Scan {
    const d = this.#index.dimensions;
    const { k, leavesToSearch, reorder, filter, include, rules, similarTo } = queries[group[0]!]!;
    const excluded = group.map((at) => excludedOf(this.#seenItems, queries[at]!));
    const vectors = new Matrix(group.length, d);
    const { data } = vectors;
    if (group.length === queries.length) data.set(rows);
    else group.forEach((at, row) => data.set(rows.subarray(at * d, (at + 1) * d), row * d));
    const options: ScanOptions = {
      k,
      include: include && this.#held(include),
      exclude: excluded.some(({ length }) => length > 0) ? excluded : undefined,
      filter: filter && this.#filters.words(filter, this.#index.identifiers!.size),
      // An exact index refuses these settings. The work of a query of the recall canary is not counted.
      ...(!this.#index.isExact() && { leavesToSearch, reorder, ...(exact ? { exact } : { work: this.work }) }),
    };
    const take = (result: TopKResult<Identifier>): void => {
      group.forEach((at, row) => {
        const { features } = queries[at]!;
        results[at] = {
          identifiers: result.identifiers(row),
          scores: result.scoresOf(row),
          rows: result.rowsOf(row),
          unknown: features === undefined ? undefined : unknownFeatures(this.#tower!, features),
          history: histories[at],
        };
      });
    };
    const held = rules && heldRules(rules, this.#attributes, this.#seenItems);
    return { vectors, options, rules: held, isSimilar: similarTo !== undefined, take };
  }

  /** Identifiers of a request in the type that the index holds, without those that no candidate can have. */
  #held(identifiers: readonly Identifier[]): Identifier[] {
    return identifiers.flatMap((identifier) => heldIdentifier(this.#seenItems.itemType, identifier) ?? []);
  }
}
