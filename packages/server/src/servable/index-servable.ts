/** A servable made of the query tower and the index of a bundle, with attributes and updates. */
import { type Identifier, Matrix, OptionError, SeenItems } from 'shortlist';
import type { Identifiers } from 'shortlist/topk';
import type { EncodedFeatures } from 'shortlist/training';
import { AttributeTable } from '../attributes/table.ts';
import type { AttributeValues } from '../attributes/values.ts';
import { readEach } from '../status/read-each.ts';
import { invalidArgument, ServingError } from '../status/serving-error.ts';
import { CandidateFeatures } from './candidate-features.ts';
import type { Drift, Features, Query, QueryResult, RequestField, ScanCounts, Servable, Update } from './contract.ts';
import { DriftWatch, rowsBefore } from './drift.ts';
import { encodeRawFeatures, fieldsOf } from './feature-fields.ts';
import { heldIdentifier, type IdentifierType } from './identifiers.ts';
import { type IndexServableParts, isNearlyFull, makeRoom, rebalanced, type ServedIndex } from './index-parts.ts';
import { IndexSearch } from './index-search.ts';

/** Serves an index. */
export class IndexServable implements Servable {
  readonly identifierDatatype: 'BYTES' | 'INT64';
  readonly features: readonly RequestField[];
  readonly candidateFeatures: readonly RequestField[];
  readonly dimensions: number;
  readonly k: number;
  readonly attributes: AttributeTable;
  readonly seenItems: SeenItems<Identifier>;
  readonly #parts: IndexServableParts;
  readonly #candidateFeatures: CandidateFeatures;
  readonly #index: ServedIndex;
  readonly #identifiers: Identifiers<Identifier>;
  readonly #identifierType: IdentifierType;
  readonly #search: IndexSearch;
  readonly #drift: DriftWatch | undefined;
  #prepared: Promise<void> | undefined;

  /**
   * @throws {OptionError} when the index never had a candidate, so that its dimensions and the type of its identifiers
   * are unknown
   */
  constructor(parts: IndexServableParts) {
    const { index, queryTower, attributes = new AttributeTable() } = parts;
    if (!index.identifiers?.columnType || index.dimensions === 0)
      throw new OptionError('index: expected candidates, got none');
    this.#parts = parts;
    this.#index = index;
    this.#identifiers = index.identifiers;
    this.#identifierType = index.identifiers.columnType;
    this.identifierDatatype = this.#identifierType === 'string' ? 'BYTES' : 'INT64';
    this.features = queryTower ? fieldsOf(queryTower) : [];
    // An age is counted to the time of the request, not to the newest time of the training data.
    for (const tower of [queryTower, parts.candidateTower]) if (tower?.features) tower.features.clock = Date.now;
    this.dimensions = index.dimensions;
    this.#candidateFeatures = new CandidateFeatures(parts.candidateTower, index.dimensions);
    this.candidateFeatures = this.#candidateFeatures.specs;
    this.k = index.k;
    this.attributes = attributes;
    this.seenItems = parts.seenItems ?? SeenItems.empty({ itemType: this.#identifierType, excludeSeen: false });
    this.#search = new IndexSearch(index, queryTower, attributes, this.seenItems);
    const drifting = rebalanced(index);
    this.#drift = drifting && new DriftWatch(drifting);
  }

  get size(): number {
    return this.#index.size;
  }

  isExact(): boolean {
    return this.#index.isExact();
  }

  encodeFeatures(features: readonly Features[]): EncodedFeatures | undefined {
    const { queryTower } = this.#parts;
    return queryTower && encodeRawFeatures(queryTower, features);
  }

  embed(features: readonly Features[]): Float32Array {
    return this.#search.embed(features);
  }

  embedCandidates(features: readonly Features[]): Float32Array {
    return this.#candidateFeatures.embed(features);
  }

  unknownCandidateFeatures(features: Features): readonly string[] | undefined {
    return this.#candidateFeatures.unknown(features);
  }

  search(queries: readonly Query[]): QueryResult[] | Promise<QueryResult[]> {
    return this.#search.search(queries);
  }

  searchExactly(queries: readonly Query[]): Promise<QueryResult[]> {
    return this.#search.searchAsync(queries, true);
  }

  isHeavy(query: Query): boolean {
    return this.#search.isHeavy(query);
  }

  prepare(): Promise<void> {
    this.#prepared ??= this.#index.prepareLookups().then(() => this.seenItems.prepare());
    return this.#prepared;
  }

  isNearlyFull(): boolean {
    return isNearlyFull(this.#index);
  }

  makeRoom(): Promise<void> {
    return makeRoom(this.#index);
  }

  check(updates: readonly Update[]): () => void {
    // The updates of a request are of one kind.
    const list = updates[0]?.kind === 'seen' ? 'events' : 'candidates';
    return this.attributes.check(readEach(list, updates, (update) => this.#checkOne(update)));
  }

  /** Check an update but for its attributes, and return these; a candidate without any keeps its place in messages. */
  #checkOne(update: Update): AttributeValues {
    if (update.kind === 'delete') return {};
    const { kind, identifier } = update;
    if (heldIdentifier(this.#identifierType, identifier) === undefined) {
      throw invalidArgument(
        `${kind === 'seen' ? 'item' : 'id'}: expected an integer that a double holds exactly, ` +
          `as the identifiers of this index are doubles, got ${identifier}`,
      );
    }
    if (kind === 'seen') return {};
    const { embedding, attributes = {} } = update;
    if (embedding.length !== this.dimensions) {
      throw invalidArgument(`embedding: expected ${this.dimensions} numbers, got ${embedding.length}`);
    }
    const at = embedding.findIndex((number) => !Number.isFinite(number));
    if (at >= 0) throw invalidArgument(`embedding[${at}]: expected a finite number, got ${embedding[at]}`);
    return attributes;
  }

  change<T>(change: () => T): Promise<T> {
    return this.#index.access.change('update', change);
  }

  apply(update: Update): void {
    const identifier = heldIdentifier(this.#identifierType, update.identifier);
    if (identifier === undefined) return;
    if (update.kind === 'seen') {
      this.seenItems.add(update.user, [identifier]);
      return;
    }
    this.#drift?.updated();
    if (update.kind === 'delete') {
      this.#index.delete([identifier]);
      // If the same identifier is upserted again, it gets this row, so the old attributes must go.
      this.#identifiers.forEachRow(identifier, (row) => this.attributes.clear(row));
      return;
    }
    if (!isRowNumber(identifier, this.#identifiers.size)) this.#identifiers.keepNumbers();
    const vector = new Matrix(1, this.dimensions);
    vector.data.set(update.embedding);
    try {
      this.#index.upsert([identifier], vector);
    } finally {
      vector.free();
    }
    // An attribute that the update does not name keeps its value.
    const { attributes } = update;
    if (attributes) this.#identifiers.forEachRow(identifier, (row) => this.attributes.set(row, attributes));
  }

  scanCounts(): ScanCounts {
    const { leaves, codes, reorders } = this.#search.work;
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
    const after = index.identifiers!;
    return this.#parts.save(folder, index, this.attributes.select(rowsBefore(before, after)), after.size);
  }

  save(folder: string): Promise<void> {
    const rows = this.#index.savedRows();
    const attributes = rows ? this.attributes.select([...rows]) : this.attributes;
    return this.#parts.save(folder, this.#index, attributes, rows?.length ?? this.#identifiers.size);
  }

  async dispose(): Promise<void> {
    await this.change(() => this.#search.clear());
  }
}

/** An index whose identifiers are row numbers stores none. The first other identifier makes the index store them. */
function isRowNumber(identifier: Identifier, rows: number): boolean {
  return typeof identifier !== 'number' || (Number.isInteger(identifier) && identifier >= 0 && identifier <= rows);
}
