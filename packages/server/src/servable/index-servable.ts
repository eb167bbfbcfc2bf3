/**
 * A servable made of a query tower and an index, as a bundle holds them, with attributes and live updates.
 *
 * Queries of one call that differ only in their features or embedding share one scan; exclusions may differ within it, filters and the
 * other settings may not. An index that can be updated is (its rows keep their numbers); updates of an exact one go to
 * a delta beside it (delta.ts), whose hits are merged with the index's.
 */
import { BruteForce, type Identifier, type Identifiers, Matrix, OptionError, type TopKResult } from 'shortlist';
import { FilterCache } from '../attributes/filter-cache.ts';
import { AttributeTable, type AttributeValues } from '../attributes/table.ts';
import { invalidArgument, ServingError } from '../status/serving-error.ts';
import type { Drift, FeatureSpec, Features, Query, QueryResult, ScanCounts, Servable, Update } from './contract.ts';
import { Delta } from './delta.ts';
import { DriftWatch, rowsBefore } from './drift.ts';
import { heldIdentifier } from './identifiers.ts';
import {
  type IndexServableParts,
  isNearlyFull,
  makeRoom,
  rebalanced,
  type ServedIndex,
  type UpdatableIndex,
  updatable,
} from './index-parts.ts';
import { scanGroups } from './scan-groups.ts';
import { ScansAside } from './scans-aside.ts';

/** The feature of a tower that has a single one without a name. */
const PLAIN_FEATURE = 'query';

/** Scans expected to be longer run on the worker threads: below, handing one over and back costs more than it saves. */
const ASIDE_MS = 2;
/** Work from which on a query is heavy, some milliseconds: floats of an exact scan, leaves, candidates reordered. */
const HEAVY_FLOATS = 4_000_000;
const HEAVY_LEAVES = 500;
const HEAVY_REORDER = 5_000;
/** Weight of the newest scan in the running mean. */
const NEWEST = 0.1;

/** A scan of the index for queries that share one. */
interface Scan {
  vectors: Matrix;
  options: never;
  take: (result: TopKResult<Identifier>) => void;
}

/** Serves an index. */
export class IndexServable implements Servable {
  readonly identifierDatatype: 'BYTES' | 'INT64';
  readonly features: readonly FeatureSpec[];
  readonly dimensions: number;
  readonly k: number;
  readonly attributes: AttributeTable;
  readonly #parts: IndexServableParts;
  readonly #index: ServedIndex;
  readonly #identifiers: Identifiers<Identifier>;
  readonly #identifierType: 'string' | 'number' | 'bigint';
  readonly #updatable: UpdatableIndex | undefined;
  readonly #delta: Delta;
  readonly #filters: FilterCache;
  /** Scans on the worker threads. */
  readonly #scans: ScansAside = new ScansAside();
  readonly #drift: DriftWatch | undefined;
  #prepared: Promise<void> | undefined;
  /** Running mean of the time a query takes. */
  #queryMs = 0;
  /** What an approximate index counts its work into; an exact one leaves it as it is. */
  readonly #work = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };

  /** @throws {OptionError} when the index is empty: nothing would tell the type of its identifiers */
  constructor(parts: IndexServableParts) {
    const { index, queryTower, attributes = new AttributeTable() } = parts;
    if (!index.identifiers || index.size === 0) throw new OptionError('index: expected candidates, got none');
    this.#parts = parts;
    this.#index = index;
    this.#identifiers = index.identifiers;
    this.#identifierType = typeof index.identifiers.of(0) as 'string' | 'number' | 'bigint';
    this.identifierDatatype = this.#identifierType === 'string' ? 'BYTES' : 'INT64';
    this.features = (queryTower?.inputs ?? []).map(({ name }) => ({
      name: name || PLAIN_FEATURE,
      datatype: 'BYTES',
      shape: [],
    }));
    this.dimensions = index.dimensions;
    this.k = index.k;
    this.attributes = attributes;
    this.#updatable = updatable(index);
    const drifting = rebalanced(index);
    this.#drift = drifting && new DriftWatch(drifting);
    this.#delta = new Delta(index.identifiers.size, index.dimensions);
    this.#filters = new FilterCache(attributes);
  }

  get size(): number {
    return this.#updatable?.size ?? this.#delta.size;
  }

  /** Rows that a filter has a bit for. */
  get #rows(): number {
    return this.#updatable ? this.#identifiers.size : this.#delta.rows;
  }

  isExact(): boolean {
    return this.#index.isExact();
  }

  embed(features: readonly Features[]): Float32Array {
    if (features.length === 0) return new Float32Array(0);
    const { queryTower } = this.#parts;
    if (!queryTower) throw invalidArgument('this model has no query tower, send embeddings');
    // Valid until the next call, so it is copied.
    return queryTower.embed(features as readonly never[]).data.slice();
  }

  search(queries: readonly Query[]): QueryResult[] | Promise<QueryResult[]> {
    const { pool } = this.#index.runtime;
    const started = performance.now();
    const isHeavy = this.isHeavy(queries[0]!);
    const ended = (results: QueryResult[]): QueryResult[] => {
      if (!isHeavy) this.#queryMs += NEWEST * ((performance.now() - started) / queries.length - this.#queryMs);
      return results;
    };
    const isLong = isHeavy || this.#queryMs * queries.length > ASIDE_MS;
    // When the workers are at something longer, a light scan is sooner done here than theirs is over.
    const isFree = !pool.isBusy && !this.#scans.areAwaited;
    if (isLong && pool.threads > 1 && (isHeavy || isFree)) return this.#aside(queries).then(ended);
    return ended(pool.alone(() => this.#search(queries)));
  }

  searchExactly(queries: readonly Query[]): Promise<QueryResult[]> {
    return this.#aside(queries, true);
  }

  /** Exact scans of many candidates, and those for which a request asks for many times the usual leaves or reordering. */
  isHeavy({ leavesToSearch = 0, reorder = 0 }: Query): boolean {
    if (this.#index instanceof BruteForce) return this.#index.size * this.dimensions > HEAVY_FLOATS;
    return leavesToSearch > HEAVY_LEAVES || reorder > HEAVY_REORDER;
  }

  whenIdle(): Promise<void> | undefined {
    return this.#scans.ended();
  }

  #search(queries: readonly Query[]): QueryResult[] {
    const embeddings = this.#embeddings(queries);
    const results: QueryResult[] = new Array(queries.length);
    for (const group of scanGroups(queries)) {
      const scan = this.#prepare(queries, group, embeddings, results);
      try {
        scan.take(this.#index.call(scan.vectors, scan.options));
      } finally {
        scan.vectors.free();
      }
    }
    return results;
  }

  /** `#search` on the worker threads. */
  #aside(queries: readonly Query[], exact?: boolean): Promise<QueryResult[]> {
    return this.#scans.run(() => this.#searchAside(queries, exact));
  }

  async #searchAside(queries: readonly Query[], exact: boolean | undefined): Promise<QueryResult[]> {
    const { pool } = this.#index.runtime;
    const embeddings = pool.alone(() => this.#embeddings(queries));
    const results: QueryResult[] = new Array(queries.length);
    for (const group of scanGroups(queries)) {
      const scan = this.#prepare(queries, group, embeddings, results, exact);
      try {
        scan.take(await this.#index.callAsync!(scan.vectors, scan.options));
      } finally {
        scan.vectors.free();
      }
    }
    return results;
  }

  /** Query embeddings of all queries, row after row; those of raw features by one call of the tower. */
  #embeddings(queries: readonly Query[]): Float32Array {
    const d = this.dimensions;
    const withFeatures = queries.filter(({ features }) => features !== undefined);
    const embedded = this.embed(withFeatures.map(({ features }) => features!));
    if (withFeatures.length === queries.length) return embedded;
    const all = new Float32Array(queries.length * d);
    let at = 0;
    queries.forEach(({ embedding }, row) => {
      if (!embedding) {
        all.set(embedded.subarray(at, at + d), row * d);
        at += d;
      } else if (embedding.length !== d)
        throw invalidArgument(`embedding: expected ${d} numbers, got ${embedding.length}`);
      else all.set(embedding, row * d);
    });
    return all;
  }

  /** The scan that results a group of queries. */
  #prepare(
    queries: readonly Query[],
    group: readonly number[],
    embeddings: Float32Array,
    results: QueryResult[],
    exact?: boolean,
  ): Scan {
    const d = this.dimensions;
    const { k, leavesToSearch, reorder, filter, include } = queries[group[0]!]!;
    const words = filter && this.#filters.words(filter, this.#rows);
    const excludes = group.some((at) => queries[at]!.exclude?.length);
    const vectors = new Matrix(group.length, d);
    const { data } = vectors;
    if (group.length === queries.length) data.set(embeddings);
    else group.forEach((at, row) => data.set(embeddings.subarray(at * d, (at + 1) * d), row * d));
    const options = {
      k,
      leavesToSearch,
      reorder,
      include: include && this.#own(include),
      exclude: excludes ? group.map((at) => this.#own(queries[at]!.exclude ?? [])) : undefined,
      filter: this.#delta.mask(words),
      // The canary's work is not the users'.
      ...(exact ? { exact } : { work: this.#work }),
    } as never;
    const take = (result: TopKResult<Identifier>): void => {
      group.forEach((at, row) => {
        const found: QueryResult = {
          identifiers: result.identifiers(row),
          scores: result.scoresOf(row),
          rows: result.rowsOf(row),
        };
        const { rows, baseRows } = this.#delta;
        results[at] =
          rows === baseRows
            ? found
            : this.#merged(found, queries[at]!, words, embeddings.subarray(at * d, (at + 1) * d));
      });
    };
    return { vectors, options, take };
  }

  #merged(found: QueryResult, query: Query, words: Int32Array | undefined, embedding: Float32Array): QueryResult {
    const delta = this.#delta;
    const exclude = new Set(this.#own(query.exclude ?? []));
    const include = query.include && new Set(this.#own(query.include));
    const hits = delta.score(
      embedding,
      (identifier, row) =>
        !exclude.has(identifier) &&
        (!include || include.has(identifier)) &&
        (!words || ((words[row >>> 5]! >>> (row & 31)) & 1) === 1),
    );
    for (let i = 0; i < found.rows.length; i++) hits.push({ row: found.rows[i]!, score: found.scores[i]! });
    hits.sort((a, b) => b.score - a.score || a.row - b.row);
    const best = hits.slice(0, query.k);
    return {
      identifiers: best.map(({ row }) => (row < delta.baseRows ? this.#identifiers.of(row) : delta.identifierOf(row))),
      scores: Float32Array.from(best, ({ score }) => score),
      rows: Int32Array.from(best, ({ row }) => row),
    };
  }

  /** Identifiers of a request as the index holds them, without those that no candidate can have. */
  #own(identifiers: readonly Identifier[]): Identifier[] {
    return identifiers.flatMap((identifier) => heldIdentifier(this.#identifierType, identifier) ?? []);
  }

  prepare(): Promise<void> {
    this.#prepared ??= this.#index.prepareLookups();
    return this.#prepared;
  }

  isNearlyFull(): boolean {
    return isNearlyFull(this.#updatable);
  }

  makeRoom(): Promise<void> {
    return makeRoom(this.#updatable);
  }

  check(updates: readonly Update[]): () => void {
    if (!this.#updatable && !(this.#index instanceof BruteForce)) {
      throw new ServingError('FAILED_PRECONDITION', 'This index has row numbers for identifiers and cannot be updated');
    }
    const attributes: AttributeValues[] = [];
    for (const update of updates) {
      if (update.kind === 'delete') continue;
      const { embedding, identifier } = update;
      if (heldIdentifier(this.#identifierType, identifier) === undefined) {
        throw invalidArgument(
          `id: expected an integer that a double holds, as those of this index are, got ${identifier}`,
        );
      }
      if (embedding.length !== this.dimensions) {
        throw invalidArgument(`embedding: expected ${this.dimensions} numbers, got ${embedding.length}`);
      }
      if (!embedding.every(Number.isFinite)) throw invalidArgument('embedding: expected finite numbers');
      if (update.attributes) attributes.push(update.attributes);
    }
    return this.attributes.check(attributes);
  }

  apply(update: Update): void {
    const identifier = heldIdentifier(this.#identifierType, update.identifier);
    if (identifier === undefined) return;
    this.#drift?.updated();
    if (this.#updatable) this.#applyTo(this.#updatable, identifier, update);
    else this.#applyToDelta(identifier, update);
  }

  #applyTo(index: UpdatableIndex, identifier: Identifier, update: Update): void {
    if (update.kind === 'delete') {
      index.delete([identifier]);
      // The row is given to the same identifier when it comes again, as another candidate.
      this.#identifiers.forEachRow(identifier, (row) => this.attributes.clear(row));
      return;
    }
    const vector = new Matrix(1, this.dimensions);
    vector.data.set(update.embedding);
    try {
      index.upsert([identifier], vector);
    } finally {
      vector.free();
    }
    // An attribute that the update does not name keeps its value.
    const { attributes } = update;
    if (attributes) this.#identifiers.forEachRow(identifier, (row) => this.attributes.set(row, attributes));
  }

  #applyToDelta(identifier: Identifier, update: Update): void {
    const delta = this.#delta;
    let before = delta.rowOf(identifier);
    this.#identifiers.forEachRow(identifier, (row) => {
      if (delta.isAlive(row)) before ??= row;
      delta.kill(row);
    });
    if (update.kind === 'delete') {
      delta.remove(identifier);
      return;
    }
    const row = delta.put(identifier, update.embedding);
    // An attribute that the update does not name keeps its value.
    if (before !== undefined && before !== row) this.attributes.move(before, row);
    if (update.attributes) this.attributes.set(row, update.attributes);
  }

  scanCounts(): ScanCounts {
    const { leaves, codes, reorders } = this.#work;
    return { leavesVisited: leaves, codesScored: codes, rowsReordered: reorders };
  }

  drift(): Drift | undefined {
    return this.#drift?.now();
  }

  async saveRebalanced(folder: string): Promise<void> {
    const index = rebalanced(this.#index);
    if (!index) throw new ServingError('FAILED_PRECONDITION', 'This index has no leaves to rebalance');
    const before = index.identifiers!;
    await index.rebalance();
    return this.#parts.save(folder, index, this.attributes.select(rowsBefore(before, index.identifiers!)));
  }

  async save(folder: string): Promise<void> {
    const { save } = this.#parts;
    if (this.#delta.isEmpty) return save(folder, this.#index, this.attributes);
    const rows: number[] = [];
    for (let row = 0; row < this.#delta.rows; row++) if (this.#delta.isAlive(row)) rows.push(row);
    const attributes = this.attributes.select(rows);
    const index = this.#rebuilt(rows);
    return save(folder, index, attributes);
  }

  /** A fresh index over rows of this one. */
  #rebuilt(rows: readonly number[]): ServedIndex {
    const base = this.#index;
    if (!(base instanceof BruteForce)) throw new OptionError('index: expected one that can be rebuilt');
    const { baseRows } = this.#delta;
    const candidates = new Matrix(rows.length, this.dimensions);
    const identifiers = rows.map((row, i) => {
      candidates.row(i).set(row < baseRows ? base.candidate(row) : this.#delta.vectorOf(row));
      return row < baseRows ? this.#identifiers.of(row) : this.#delta.identifierOf(row);
    });
    const index = new BruteForce<never, Identifier>({ queryModel: base.queryModel, k: base.k });
    index.index(candidates, identifiers);
    candidates.free();
    return index;
  }

  dispose(): void {
    this.#filters.clear();
  }
}
