/**
 * The base class of the indexes that hold their candidates in memory. Each change has a synchronous method, which
 * throws while a read or another change prevents it, and an asynchronous method, which waits (access.ts).
 */
import { checkArgument, IDENTIFIERS } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import type { VectorsLike } from '../vectors/matrix.ts';
import { IndexAccess } from './access.ts';
import { type CandidateVectors, candidateVectors, type KeptRows, keptCandidate, liveRow } from './candidate-vectors.ts';
import type { Identifier } from './identifiers.ts';
import { copied, type VectorSource, vectorSource } from './vector-source.ts';

/** An index that holds its candidates. */
export abstract class UpdatableIndex<I extends Identifier> {
  readonly access: IndexAccess = new IndexAccess();
  /** Each is called with the identifiers of every upsert, after it. */
  readonly upsertListeners: ((identifiers: readonly I[]) => void)[] = [];

  /** The candidates as they are kept. @throws {StateError} before `index` */
  abstract keptRows(): KeptRows<I>;

  /** Whether updates may run between the steps of `growth`. */
  protected abstract readonly takesUpdatesInGrowth: boolean;
  protected abstract applyUpsert(identifiers: readonly I[], source: VectorSource): void;
  protected abstract applyDelete(identifiers: readonly I[]): number;
  protected abstract applyReserve(candidates: number): void;
  /** `applyReserve` in short steps. */
  protected abstract growth(candidates: number): Generator<void, void>;
  protected abstract release(): void;

  /**
   * Whether there is a candidate with this identifier.
   *
   * @throws {StateError} before `index`
   * @throws {IdentifierError} when the identifier is not of the index's type
   */
  hasCandidate(identifier: I): boolean {
    return liveRow(this.keptRows(), identifier) !== undefined;
  }

  /**
   * The candidate of a row, as a copy of what the index keeps of it (`candidateVectors`).
   *
   * @throws {StateError} before `index`
   * @throws {IdentifierError} when the row holds no candidate
   */
  candidate(row: number): Float32Array {
    return keptCandidate(this.keptRows(), row);
  }

  /**
   * The vectors of candidates, in the order of these identifiers, as the index keeps them: exactly as given, unless a
   * ScaNN index rounds its rows (`reorder: 'bfloat16'`, 'int8') or scales them to length 1 (cosine); `precision` and
   * `isUnitLength` of the result say which. The first lookup builds tables (`prepareLookups`).
   *
   * @throws {StateError} before `index`
   * @throws {IdentifierError} naming the first identifier that no candidate has, or that is not of the index's type
   */
  candidateVectors(identifiers: readonly I[]): CandidateVectors {
    return candidateVectors(this.keptRows(), identifiers);
  }

  /**
   * Add candidates, or replace those with the same identifiers; the next call finds them. A replaced candidate keeps its
   * row, a new one gets the next row.
   *
   * @throws {StateError} before `index`, and while the candidates are read or replaced: `upsertAsync` waits
   * @throws {ShapeError} when rows differ in width from the candidates, or identifiers in number
   * @throws {NotFiniteError} naming row and column of a NaN or an infinity
   * @throws {IdentifierError} when an identifier is of another type; where row numbers are the identifiers, also when one
   * is neither a row nor the next one
   */
  upsert(identifiers: readonly I[], vectors: VectorsLike): void {
    checkArgument('identifiers', identifiers, IDENTIFIERS);
    this.access.checkChange('upsert', 'upsertAsync');
    this.#upsert(identifiers, vectorSource('candidates', vectors));
  }

  /** `upsert` when the reads and changes before it have ended; the vectors are copied at the call. */
  async upsertAsync(identifiers: readonly I[], vectors: VectorsLike): Promise<void> {
    const own = [...checkArgument('identifiers', identifiers, IDENTIFIERS)];
    const source = copied(vectorSource('candidates', vectors));
    return this.access.change('upsertAsync', () => this.#upsert(own, source));
  }

  #upsert(identifiers: readonly I[], source: VectorSource): void {
    this.applyUpsert(identifiers, source);
    for (const listener of this.upsertListeners) listener(identifiers);
  }

  /**
   * Delete candidates; unknown identifiers have no effect. Returns the number of rows deleted.
   *
   * @throws {StateError} before `index`, and while the candidates are read or replaced: `deleteAsync` waits
   * @throws {IdentifierError} when an identifier is not of the index's type; nothing was deleted then
   */
  delete(identifiers: readonly I[]): number {
    checkArgument('identifiers', identifiers, IDENTIFIERS);
    this.access.checkChange('delete', 'deleteAsync');
    return this.applyDelete(identifiers);
  }

  /** `delete` when the reads and changes before it have ended. */
  async deleteAsync(identifiers: readonly I[]): Promise<number> {
    const own = [...checkArgument('identifiers', identifiers, IDENTIFIERS)];
    return this.access.change('deleteAsync', () => this.applyDelete(own));
  }

  /**
   * Allocate memory for `candidates` more, so that upserting that many copies nothing.
   *
   * @throws {StateError} before `index`, and while the candidates are read or replaced: `reserveAsync` waits
   */
  reserve(candidates: number): void {
    checkInteger('reserve', candidates, 0);
    this.access.checkChange('reserve', 'reserveAsync');
    this.applyReserve(candidates);
  }

  /**
   * `reserve` in short steps, when the reads and changes before it have ended. Queries may run between the steps. In a ScaNN
   * index updates may not: an asynchronous one waits, and a synchronous one first runs the remaining steps.
   */
  async reserveAsync(candidates: number): Promise<void> {
    checkInteger('reserve', candidates, 0);
    const begin = (): Generator<void, void> => this.growth(candidates);
    return this.access.changeInSteps('reserveAsync', { begin, letsUpdatesIn: this.takesUpdatesInGrowth });
  }

  /** Free the memory; the index is as before `index`. @throws {StateError} as `upsert`: `freeAsync` waits */
  free(): void {
    this.access.checkChange('free', 'freeAsync');
    this.release();
  }

  /** `free` when the reads and changes before it have ended. */
  freeAsync(): Promise<void> {
    return this.access.change('freeAsync', () => this.release(), { replaces: true });
  }
}
