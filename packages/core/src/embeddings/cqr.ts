/**
 * CQR, clustered QR (published as CCE): a compressed table that learns where its ids point while it trains.
 *
 *   vector(i) = [ M_1[h_1(i)] + M'_1[h'_1(i)] | … | M_c[h_c(i)] + M'_c[h'_c(i)] ],   rows of d/c floats
 *
 * h and h' begin as hashes. `cluster()` materialises each column for a sample of ids, runs k-means, points every id at
 * its nearest centroid (h becomes learned), makes the centroids M, draws a fresh h', and sets M' to zero; training goes on.
 * With `helper: false` the helper goes and all rows become centroids, the one-step form of the CQR manuscripts.
 *
 * Source: Tsang and Ahle, "Clustering the sketch", NeurIPS 2023, algorithm 3; the CQR manuscripts, section 3.
 * Letters: V ids, d dimensions, c columns, k rows of one M. Never holds V × d: ids stream through in blocks. In memory a
 * learned pointer is 2 bytes, saved ⌈log2 k⌉ bits; k is at most 65,536. With `minCount` only ids that enough batches had get
 * learned pointers, and one bit more an id says which; the others stay hashed.
 */
import { checkInteger } from '../checks/numbers.ts';
import { ShapeError, StateError } from '../errors/errors.ts';
import type { Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import type { Block } from '../memory/heap.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { affordRows, type Budget, sliceWidth } from './budget.ts';
import { ComposedTable } from './composed.ts';
import { HASH_WORDS_BYTES, HashFamily } from './hash-family.ts';
import { initialRows } from './initial.ts';
import { areWithin, LearnedIds, learnedWords } from './learned-ids.ts';
import { loadPointers, packedBytes, packPointers, pointerBits } from './packed-pointers.ts';
import type { TableContext } from './table-context.ts';

/** Pointers are uint16 in memory. */
const ROWS_MAX = 65_536;
/** Batches that had an id are counted in a byte. */
const COUNT_MAX = 255;
/** Ids a work item gathers: some microseconds. */
const GATHER_IDS = 128;
/** Ids a work item reads pointers of. */
const GRAIN_IDS = 1024;

/** Options of a CQR table. */
export type CqrOptions = Budget & {
  /** Columns, each with pointers of its own; a divisor of the dimensions; default 4, the paper's. */
  columns?: number;
  /**
   * Batches that must have had an id before a clustering learns its pointers, from 1 to 255; default 1: all are learned,
   * whether trained or not. More saves the pointers of rare ids, which stay hashed and so can serve newcomers. Counting
   * takes a byte an id while training; a budget in bytes still pays for a pointer of every id.
   */
  minCount?: number;
};

/** What a clustering found: the next state of a table, complete before the table changes. */
export interface Clustering {
  /** Ids whose pointers were learned; absent where those of all were. */
  learned?: LearnedIds | undefined;
  /** [V, c], or [learned ids, c]. */
  pointers: Block;
  /** c matrices [k, d/c]. */
  centroids: readonly Matrix[];
  helper: boolean;
}

/** All of a table's state that is no trained matrix: where its ids point. */
export interface LearnedPointers {
  clusterings: number;
  /** 2 with the helper, 1 without. */
  sums: number;
  /** [V, c], or [learned ids, c]; empty before the first clustering. */
  pointers: Uint16Array;
  /** With `minCount`: a bit an id that has learned pointers, and for each id the batches that had it. */
  counts?: { learned: Uint32Array; seen: Uint8Array };
}

/** A table that clusters itself. */
export class Cqr extends ComposedTable {
  readonly method = 'cqr';
  readonly seed: number;
  readonly minCount: number;
  #hashes: HashFamily;
  /** [V, c] uint16, or [learned ids, c]; undefined until the first clustering, while h is still a hash. */
  #pointers: Block | undefined;
  /** With `minCount` from the first clustering on. */
  #learned: LearnedIds | undefined;
  /** [V] batches that had an id, up to `minCount`; empty without. */
  readonly #seen: Uint8Array;
  #clusterings: number;

  private constructor(vocabularySize: number, columns: number, sums: number, codebook: Matrix, state: CqrState) {
    super(vocabularySize, columns * codebook.dimensions, columns, sums, codebook);
    this.seed = state.seed;
    this.#hashes = state.hashes;
    this.#pointers = state.pointers;
    this.#clusterings = state.clusterings;
    this.minCount = state.minCount;
    this.#learned = state.learned;
    this.#seen = new Uint8Array(this.minCount > 1 ? vocabularySize : 0);
    for (const id of this.#learned?.ids() ?? []) this.#seen[id] = this.minCount;
  }

  /**
   * A new table; half the rows are M, half M'. A budget in bytes pays for the learned pointers too.
   *
   * @throws {OptionError} when the budget is below two rows a column, or columns do not divide the dimensions
   */
  static create(options: CqrOptions, { vocabularySize, dimensions, seed, runtime }: TableContext): Cqr {
    const columns = options.columns ?? 4;
    const width = sliceWidth(dimensions, columns);
    const minCount = checkInteger('minCount', options.minCount ?? 1, 1, COUNT_MAX);
    const rows = pairsOfRows(options, vocabularySize, dimensions, columns);
    const generator = new Generator(seed);
    const codebook = initialRows(2 * columns * rows, width, 2, generator.fork('rows'), runtime);
    const hashes = drawHashes(2 * columns, rows, generator.fork('hashes', 0), codebook);
    const state = { seed, minCount, hashes, pointers: undefined, learned: undefined, clusterings: 0 };
    return new Cqr(vocabularySize, columns, 2, codebook, state);
  }

  /** k: rows of one M. */
  get rowsPerTable(): number {
    return this.codebook.rows / (this.columns * this.sums);
  }

  /** Clusterings so far. */
  get clusterings(): number {
    return this.#clusterings;
  }

  /** Learned pointers [V, c], or [learned ids, c], as a view; undefined before the first clustering. */
  get pointers(): Uint16Array | undefined {
    const block = this.#pointers;
    if (!block) return undefined;
    const ids = this.#learned?.count ?? this.vocabularySize;
    return new Uint16Array(block.heap.memory.memory.buffer, block.offset, ids * this.columns);
  }

  /**
   * Ids that the next clustering learns pointers of; undefined: all.
   *
   * @throws {StateError} when `minCount` batches had none of them
   */
  idsToLearn(): LearnedIds | undefined {
    if (this.minCount === 1) return undefined;
    const seen = this.#seen;
    const ids = LearnedIds.where(this.vocabularySize, (id) => seen[id] === this.minCount, this.runtime.heap);
    if (ids.count > 0) return ids;
    ids.free();
    throw new StateError(`cluster: expected ids in at least ${this.minCount} batches (minCount), got none`);
  }

  /**
   * Clusters a column gets from `ids` ids: with the helper k, without it all the column's rows.
   *
   * @throws {StateError} when an earlier clustering dropped the helper
   */
  clustersFor(helper: boolean, ids: number): number {
    if (this.sums === 1) throw new StateError('cluster: expected a table that still has its helper, got one without');
    return Math.min(helper ? this.rowsPerTable : 2 * this.rowsPerTable, ids);
  }

  override applyGradient(ids: Int32Array, gradients: Matrix, optimizer: SparseOptimizer): void {
    super.applyGradient(ids, gradients, optimizer);
    if (this.minCount === 1) return;
    for (const id of ids) if (this.#seen[id]! < this.minCount) this.#seen[id]!++;
  }

  /** Take a finished clustering over: centroids become M, the helper is drawn afresh and zero, or gone. */
  adopt({ learned, pointers, centroids, helper }: Clustering): void {
    const { codebook, columns } = this;
    const blockRows = codebook.rows / columns;
    codebook.data.fill(0);
    centroids.forEach(({ data }, column) => {
      codebook.data.set(data, column * blockRows * codebook.dimensions);
    });
    this.#pointers?.free();
    this.#learned?.free();
    this.#pointers = pointers;
    this.#learned = learned;
    this.#clusterings++;
    if (!helper) this.sums = 1;
    this.#drawHashes();
  }

  /** A copy of where the ids point; hash functions follow from seed and number of clusterings. */
  takePointers(): LearnedPointers {
    const pointers = this.pointers?.slice() ?? new Uint16Array(0);
    const taken = { clusterings: this.#clusterings, sums: this.sums, pointers };
    if (this.minCount === 1) return taken;
    return { ...taken, counts: { learned: this.#learned?.words() ?? new Uint32Array(0), seen: this.#seen.slice() } };
  }

  /**
   * Point the ids where they pointed when `takePointers` was called.
   *
   * @throws {ShapeError} when they belong to a table of another shape
   */
  restorePointers({ clusterings, sums, pointers, counts }: LearnedPointers): void {
    const { columns, codebook, vocabularySize } = this;
    const { heap } = this.runtime;
    const learned = counts && this.#restoredCounts(counts, clusterings);
    if (this.minCount > 1 !== (counts !== undefined)) {
      throw new ShapeError(`pointers: expected those of a table with minCount ${this.minCount}, got another's`);
    }
    const wanted = clusterings === 0 ? 0 : (learned?.count ?? vocabularySize) * columns;
    const rows = codebook.rows / (columns * sums);
    if (pointers.length !== wanted || pointers.some((pointer) => pointer >= rows)) {
      learned?.free();
      throw new ShapeError(`pointers: expected ${wanted} below ${rows}, got ${pointers.length} or larger ones`);
    }
    this.#pointers?.free();
    this.#learned?.free();
    this.#pointers = undefined;
    this.#learned = learned;
    this.#clusterings = clusterings;
    this.sums = sums;
    if (counts) this.#seen.set(counts.seen);
    if (clusterings > 0) {
      this.#pointers = heap.allocate(2 * wanted);
      this.pointers!.set(pointers);
    }
    this.#drawHashes();
  }

  #restoredCounts(
    { learned, seen }: NonNullable<LearnedPointers['counts']>,
    clusterings: number,
  ): LearnedIds | undefined {
    const { vocabularySize } = this;
    const fits = clusterings === 0 ? learned.length === 0 : areWithin(learned, vocabularySize);
    if (!fits || seen.length !== vocabularySize) {
      throw new ShapeError(`pointers: expected counts of ${vocabularySize} ids, got those of another table`);
    }
    return clusterings === 0 ? undefined : new LearnedIds(learned, this.runtime.heap);
  }

  /** Hash functions that follow from seed and number of clusterings. */
  #drawHashes(): void {
    const { columns, sums, codebook, rowsPerTable } = this;
    const generator = new Generator(this.seed).fork('hashes', this.#clusterings);
    this.#hashes = drawHashes(columns * sums, rowsPerTable, generator, codebook);
  }

  /** Whether some ids' pointers are hashes. */
  get #hasHashes(): boolean {
    return this.sums === 2 || this.minCount > 1;
  }

  /** Columns have rows of their own, helper and all. */
  protected override get parts(): number {
    return this.columns;
  }

  protected override writePointers(ids: number, count: number, out: number): void {
    const { columns, sums, runtime } = this;
    // Where every id has learned pointers, only the helper is hashed.
    const step = this.#pointers && !this.#learned ? sums : 1;
    if (this.#hasHashes) this.#hashes.write(runtime, ids, count, out, step);
    if (!this.#pointers) return;
    const blockRows = this.codebook.rows / columns;
    const { offset } = this.#pointers;
    if (this.#learned) {
      const { bits, ranks } = this.#learned;
      const how = [bits, ranks, offset, columns, sums, blockRows] as const;
      runtime.pool.run('readLearnedPointers', count, GRAIN_IDS, ids, ...how, out);
      return;
    }
    runtime.pool.run('readPointers', count, GRAIN_IDS, ids, offset, columns, sums, blockRows, out);
  }

  /** Where every id has learned pointers and a helper, in one pass. */
  protected override gather(ids: number, count: number, out: Matrix): void {
    const { codebook, columns, sums, runtime } = this;
    if (!this.#pointers || this.#learned || sums === 1) {
      super.gather(ids, count, out);
      return;
    }
    runtime.pool.run(
      'gatherClustered',
      count,
      GATHER_IDS,
      codebook.offset,
      codebook.dimensions,
      ids,
      this.#pointers.offset,
      this.#hashes.offset,
      columns,
      codebook.rows / columns,
      out.offset,
      out.dimensions,
    );
  }

  override save(): Saved {
    const { method, vocabularySize, dimensions, columns, sums, codebook, seed, pointers } = this;
    const sections = [{ name: 'codebook', bytes: bytesOf(codebook.data) }];
    if (this.#hasHashes) sections.push({ name: 'hashes', bytes: bytesOf(this.#hashes.words()) });
    if (this.#learned) sections.push({ name: 'learned', bytes: bytesOf(this.#learned.words()) });
    if (pointers) {
      sections.push({ name: 'pointers', bytes: packPointers(pointers, pointerBits(this.rowsPerTable)) });
    }
    const settings = {
      vocabularySize,
      dimensions,
      columns,
      sums,
      rows: codebook.rows,
      seed,
      clusterings: this.#clusterings,
      // Absent where it asks for nothing, as in files from before it could be asked for.
      ...(this.minCount > 1 && { minCount: this.minCount }),
    };
    return { kind: method, settings, sections };
  }

  /** The table that was saved; throws FormatError when a pointer or hash exceeds the codebook. */
  static load(part: Part): Cqr {
    const { settings, runtime } = part;
    const vocabularySize = settings.integer('vocabularySize', { min: 1 });
    const dimensions = settings.integer('dimensions', { min: 1 });
    const columns = settings.integer('columns', { min: 1, max: dimensions });
    const sums = settings.integer('sums', { min: 1, max: 2 });
    const rows = settings.integer('rows', { min: 2 * columns, max: 2 * columns * ROWS_MAX });
    const clusterings = settings.integer('clusterings', { min: 2 - sums });
    if (dimensions % columns !== 0 || rows % (2 * columns) !== 0) {
      throw settings.error('columns', `expected a divisor of ${dimensions} and of ${rows / 2} rows, got ${columns}`);
    }
    const minCount = settings.has('minCount') ? settings.integer('minCount', { min: 2, max: COUNT_MAX }) : 1;
    const width = dimensions / columns;
    const codebook = new Matrix(rows, width, runtime, part.memory('codebook', 4 * rows * width));
    const hasHashes = sums === 2 || minCount > 1;
    const hashes = hasHashes ? HashFamily.load(part, columns * sums, rows) : noHashes(codebook);
    const learned = clusterings > 0 && minCount > 1 ? LearnedIds.load(part, vocabularySize) : undefined;
    let pointers: Block | undefined;
    const pointing = learned?.count ?? vocabularySize;
    if (clusterings > 0) pointers = loadPointers(part, pointing, columns, rows / (columns * sums));
    const seed = settings.integer('seed');
    return new Cqr(vocabularySize, columns, sums, codebook, { seed, minCount, hashes, pointers, learned, clusterings });
  }
}

interface CqrState {
  seed: number;
  minCount: number;
  hashes: HashFamily;
  pointers: Block | undefined;
  learned: LearnedIds | undefined;
  clusterings: number;
}

/** Hash functions of all terms: with the helper even ones stand in for h where it is not learned, odd ones are h'. */
function drawHashes(terms: number, rows: number, generator: Generator, { runtime }: Matrix): HashFamily {
  const ranges = Array.from({ length: terms }, (_, term) => ({ base: term * rows, rows }));
  return HashFamily.draw(ranges, generator, runtime);
}

function noHashes({ runtime }: Matrix): HashFamily {
  return new HashFamily(new Uint32Array(0), runtime);
}

/** k for a budget. Pointers grow with log2 k, so bytes are met by the largest k whose whole cost fits. */
function pairsOfRows(budget: CqrOptions, vocabularySize: number, dimensions: number, columns: number): number {
  const rowParameters = 2 * dimensions;
  const learnedBytes = (budget.minCount ?? 1) > 1 ? 4 * learnedWords(vocabularySize) : 0;
  const fixed = (rows: number): number =>
    2 * columns * HASH_WORDS_BYTES + packedBytes(vocabularySize * columns, pointerBits(rows)) + learnedBytes;
  let rows = affordRows('cqr', budget, { rowParameters, fixedBytes: fixed(1), rowsMin: 1 });
  if (budget.bytes !== undefined) {
    while (rows > 1 && 4 * rowParameters * rows + fixed(rows) > budget.bytes) {
      rows = Math.max(1, Math.min(rows - 1, Math.floor((budget.bytes - fixed(rows)) / (4 * rowParameters))));
    }
  }
  return Math.min(rows, ROWS_MAX / 2);
}
