/**
 * The learned pointers of a CQR table: for each id and column the row of the codebook. With `minCount`, only some ids have
 * learned pointers, and the state also counts the batches in which each id occurred. Hash functions are not part of it: they
 * follow from the table's seed and its number of clusterings.
 *
 * Letters: V ids, c columns. In memory a pointer is 2 bytes.
 */
import { ShapeError, StateError } from '../errors/errors.ts';
import type { Part } from '../format/part.ts';
import type { Block, Heap } from '../memory/heap.ts';
import { areWithin, LearnedIds } from './learned-ids.ts';
import { loadPointers } from './packed-pointers.ts';

/** The pointer state of a table: all of its state but the trained matrices. */
export interface LearnedPointers {
  clusterings: number;
  /** Rows added for each column: 2 with the helper table M', 1 without it. */
  sums: number;
  /** [V, c], or [learned ids, c]; empty before the first clustering. */
  pointers: Uint16Array;
  /** With `minCount`: one bit per id, set where the id has learned pointers, and for each id the number of batches with it. */
  counts?: { learned: Uint32Array; seen: Uint8Array };
}

/** The pointers of one table, from none to those of its latest clustering. */
export class PointerState {
  readonly vocabularySize: number;
  readonly columns: number;
  /** Batches in which an id must have occurred before its pointers are learned; 1: every id has learned pointers. */
  readonly minCount: number;
  readonly #heap: Heap;
  /** [V, c] uint16, or [learned ids, c]; undefined before the first clustering, when all pointers are hashes. */
  #pointers: Block | undefined;
  /** The ids that have learned pointers; present with `minCount`, from the first clustering on. */
  #learned: LearnedIds | undefined;
  /** [V] batches with the id, counted up to `minCount`; empty without `minCount`. */
  readonly #seen: Uint8Array;
  #clusterings = 0;

  constructor(vocabularySize: number, columns: number, minCount: number, heap: Heap) {
    this.vocabularySize = vocabularySize;
    this.columns = columns;
    this.minCount = minCount;
    this.#heap = heap;
    this.#seen = new Uint8Array(minCount > 1 ? vocabularySize : 0);
  }

  /**
   * Take the state that was saved after `clusterings` clusterings. Batches counted since the latest clustering are not saved.
   *
   * @param rows rows of the codebook that a pointer may name; every pointer must be below it
   * @throws {FormatError} when a pointer or a learned id is too large
   */
  load(part: Part, clusterings: number, rows: number): void {
    if (clusterings === 0) return;
    const learned = this.minCount > 1 ? LearnedIds.load(part, this.vocabularySize) : undefined;
    this.adopt(loadPointers(part, learned?.count ?? this.vocabularySize, this.columns, rows), learned);
    this.#clusterings = clusterings;
    for (const id of learned?.ids() ?? []) this.#seen[id] = this.minCount;
  }

  /** Clusterings so far. */
  get clusterings(): number {
    return this.#clusterings;
  }

  /** The ids that have learned pointers; undefined where every id has, or none. */
  get learned(): LearnedIds | undefined {
    return this.#learned;
  }

  /** Byte offset of the learned pointers; undefined before the first clustering. */
  get offset(): number | undefined {
    return this.#pointers?.offset;
  }

  /** Learned pointers [V, c], or [learned ids, c], as a view; undefined before the first clustering. */
  get pointers(): Uint16Array | undefined {
    if (!this.#pointers) return undefined;
    const ids = this.#learned?.count ?? this.vocabularySize;
    return new Uint16Array(this.#heap.memory.memory.buffer, this.#pointers.offset, ids * this.columns);
  }

  /** Count a batch of distinct ids. */
  count(ids: Int32Array): void {
    if (this.minCount === 1) return;
    for (const id of ids) if (this.#seen[id]! < this.minCount) this.#seen[id]!++;
  }

  /**
   * The ids whose pointers the next clustering learns; undefined for all ids.
   *
   * @throws {StateError} when no id has occurred in `minCount` batches
   */
  idsToLearn(): LearnedIds | undefined {
    if (this.minCount === 1) return undefined;
    const seen = this.#seen;
    const ids = LearnedIds.where(this.vocabularySize, (id) => seen[id] === this.minCount, this.#heap);
    if (ids.count > 0) return ids;
    ids.free();
    throw new StateError(`cluster: expected ids in at least ${this.minCount} batches (minCount), got none`);
  }

  /** Take over the pointers of a finished clustering. */
  adopt(pointers: Block, learned: LearnedIds | undefined): void {
    this.#pointers?.free();
    this.#learned?.free();
    this.#pointers = pointers;
    this.#learned = learned;
    this.#clusterings++;
  }

  /** A copy of the state, for a checkpoint. */
  take(sums: number): LearnedPointers {
    const pointers = this.pointers?.slice() ?? new Uint16Array(0);
    const taken = { clusterings: this.#clusterings, sums, pointers };
    if (this.minCount === 1) return taken;
    return { ...taken, counts: { learned: this.#learned?.words() ?? new Uint32Array(0), seen: this.#seen.slice() } };
  }

  /**
   * Restore a state from `take`.
   *
   * @param rows rows of the codebook that a pointer may name; every pointer must be below it
   * @throws {ShapeError} when the state is of a table of another shape; this table is then unchanged
   */
  restore({ clusterings, pointers, counts }: LearnedPointers, rows: number): void {
    const { columns, vocabularySize } = this;
    if (this.minCount > 1 !== (counts !== undefined)) {
      throw new ShapeError(
        `pointers: expected those of a table with minCount ${this.minCount}, got those of a table with another minCount`,
      );
    }
    const learned = counts && this.#restoredIds(counts, clusterings);
    const wanted = clusterings === 0 ? 0 : (learned?.count ?? vocabularySize) * columns;
    if (pointers.length !== wanted || pointers.some((pointer) => pointer >= rows)) {
      learned?.free();
      throw new ShapeError(`pointers: expected ${wanted} below ${rows}, got ${pointers.length} or larger ones`);
    }
    // Allocated first: without memory this table must not keep a freed block.
    const block = clusterings > 0 ? this.#heap.allocate(2 * wanted) : undefined;
    this.#pointers?.free();
    this.#learned?.free();
    this.#pointers = block;
    this.#learned = learned;
    this.#clusterings = clusterings;
    this.pointers?.set(pointers);
    if (counts) this.#seen.set(counts.seen);
  }

  #restoredIds({ learned, seen }: NonNullable<LearnedPointers['counts']>, clusterings: number): LearnedIds | undefined {
    const { vocabularySize } = this;
    const fits = clusterings === 0 ? learned.length === 0 : areWithin(learned, vocabularySize);
    if (!fits || seen.length !== vocabularySize) {
      throw new ShapeError(`pointers: expected counts of ${vocabularySize} ids, got those of another table`);
    }
    return clusterings === 0 ? undefined : new LearnedIds(learned, this.#heap);
  }
}
