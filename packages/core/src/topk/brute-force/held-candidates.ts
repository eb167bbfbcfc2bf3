/**
 * The candidates that an exact index holds: packed rows, their identifiers, the mask of live rows, and coarse codes.
 *
 * A new candidate gets the next row and a replaced one keeps its row, so rows keep their numbers. The row of a deleted
 * candidate stays empty until its identifier is upserted again. Saving leaves empty rows out.
 */
import { finish } from '../../parallel/steps.ts';
import { notFiniteError } from '../../vectors/check-finite.ts';
import type { KeptRows } from '../candidate-vectors.ts';
import type { Identifier } from '../contract.ts';
import type { Identifiers } from '../identifiers.ts';
import { LiveRows } from '../live-rows.ts';
import { areLast, checkUpsert } from '../upsert.ts';
import type { VectorSource } from '../vector-source.ts';
import { DIMENSIONS_MAX } from './coarse-codes.ts';
import { type Layout, oneMemory, type RowCodes, type RowStore } from './layout.ts';

/** Below this many rows coarse codes save nothing: the candidates fit in the processor's cache. */
const COARSE_ROWS_MIN = 65_536;
/** A call of more queries scores four of them with each read of the candidates, which is faster than codes. */
const COARSE_QUERIES_MAX = 3;

/** Candidates in memory. */
export class HeldCandidates<I extends Identifier> implements KeptRows<I> {
  readonly precision = 'float32';
  readonly isUnitLength = false;
  readonly store: RowStore;
  readonly identifiers: Identifiers<I>;
  readonly #live: LiveRows;
  readonly #layout: Layout;
  #coarse: RowCodes | undefined;

  /** @param store finished, of this layout, and owned from now on */
  constructor(store: RowStore, identifiers: Identifiers<I>, layout: Layout = oneMemory) {
    this.store = store;
    this.#layout = layout;
    this.identifiers = identifiers;
    this.#live = new LiveRows(store.rows);
  }

  /** Candidates: rows less those deleted. */
  get size(): number {
    return this.#live.count;
  }

  /** Width of a candidate; 0 while there was none. */
  get dimensions(): number {
    return this.store.dimensions;
  }

  /** Whether a row holds a candidate. */
  readonly isLive = (row: number): boolean => this.#live.isLive(row);

  reader(): (row: number, to: Float32Array) => void {
    return this.store.reader();
  }

  /** Bit words of the live rows; undefined while all are. */
  get liveWords(): Int32Array | undefined {
    return this.#live.words;
  }

  /** The live rows in order; undefined while all are. */
  get liveRows(): Int32Array | undefined {
    return this.#live.rows();
  }

  /** Candidates that can be added before anything is copied. */
  get room(): number {
    return this.store.capacity - this.store.rows;
  }

  /** Bytes of the packed rows and, once they are there, of their coarse codes. */
  get sizeBytes(): number {
    return this.store.sizeBytes + (this.#coarse?.sizeBytes ?? 0);
  }

  /**
   * The coarse codes, for a call of so few queries; they are made at the first such call. Undefined where there is no memory for
   * them: the call scans without.
   */
  coarseFor(queries: number): RowCodes | undefined {
    const { store } = this;
    if (queries > COARSE_QUERIES_MAX || store.rows < COARSE_ROWS_MIN || store.dimensions > DIMENSIONS_MAX)
      return undefined;
    this.#code(() => {
      this.#coarse ??= this.#layout.codes(store);
    });
    return this.#coarse;
  }

  /**
   * Add candidates, or replace those whose identifier is held.
   *
   * @throws as `BruteForce.upsert`, and then nothing has changed
   */
  upsert(identifiers: readonly I[], source: VectorSource): void {
    const { store, identifiers: held } = this;
    const d = store.dimensions;
    checkUpsert(held, d, identifiers, source);
    if (source.rows === 0) return;
    const vectors = new Float32Array(source.rows * d);
    source.copy(0, source.rows, vectors);
    checkFinite(vectors, d);
    const stays = areLast(identifiers);
    this.reserve(identifiers.filter((identifier, i) => stays[i] && this.#rowsOf([identifier]).length === 0).length);
    const changed: number[] = [];
    identifiers.forEach((identifier, i) => {
      if (!stays[i]) return;
      const row = this.#rowFor(identifier);
      store.put(row, vectors, i * d);
      changed.push(row);
    });
    this.#code(() => this.#coarse?.update(changed));
  }

  /** Delete candidates; returns the number of rows deleted. */
  delete(identifiers: readonly I[]): number {
    let gone = 0;
    // All identifiers are looked up first: when one has a wrong type, nothing is deleted.
    for (const row of this.#rowsOf(identifiers)) gone += this.#live.delete(row);
    return gone;
  }

  /** Make room for `candidates` more. */
  reserve(candidates: number): void {
    finish(this.growth(candidates));
  }

  /** `reserve` in short steps, between which anything may change. Where there is no memory, the coarse codes make room. */
  *growth(candidates: number): Generator<void, void> {
    const rows = this.store.rows + candidates;
    try {
      yield* this.store.growth(rows);
    } catch (error) {
      if (!this.#coarse) throw error;
      this.#freeCoarse();
      yield* this.store.growth(rows);
    }
  }

  /** Give the memory back. */
  free(): void {
    this.store.free();
    this.#freeCoarse();
  }

  #freeCoarse(): void {
    this.#coarse?.free();
    this.#coarse = undefined;
  }

  /** The rows of some identifiers, including empty rows. */
  #rowsOf(identifiers: readonly I[]): number[] {
    const rows: number[] = [];
    for (const identifier of identifiers) this.identifiers.forEachRow(identifier, (row) => rows.push(row));
    return rows;
  }

  /** The row for an upserted identifier: its first row, live or empty, or else a new row. Its other rows become empty. */
  #rowFor(identifier: I): number {
    const [first, ...others] = this.#rowsOf([identifier]);
    for (const row of others) this.#live.delete(row);
    if (first !== undefined) {
      this.#live.restore(first);
      return first;
    }
    this.identifiers.add(identifier);
    this.#live.add();
    return this.identifiers.size - 1;
  }

  /** Make or update the coarse codes. Without memory they are dropped, and the next call tries again: codes only save time. */
  #code(change: () => void): void {
    try {
      change();
    } catch {
      this.#freeCoarse();
    }
  }
}

function checkFinite(vectors: Float32Array, d: number): void {
  const at = vectors.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw notFiniteError('candidates', vectors[at]!, Math.floor(at / d), at % d);
}
