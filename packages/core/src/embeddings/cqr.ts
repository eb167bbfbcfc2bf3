/**
 * CQR, clustered QR (published as CCE): a compressed table that learns the pointers of its ids during the training.
 *
 *   vector(i) = [ M_1[h_1(i)] + M'_1[h'_1(i)] | … | M_c[h_c(i)] + M'_c[h'_c(i)] ],   rows of d/c floats
 *
 * h and h' are hashes at first. `cluster()` computes each column for a sample of ids, runs k-means, sets h of every id
 * to its nearest centroid (h is now learned), replaces M by the centroids, draws a new h', and sets M' to zero. Then
 * the training continues. With `helper: false` the helper table M' is dropped and all rows become centroids, the
 * one-step form of the CQR manuscripts.
 *
 * Source: Tsang and Ahle, "Clustering the sketch", NeurIPS 2023, algorithm 3; the CQR manuscripts, section 3. Letters:
 * V ids, d dimensions, c columns, k rows of one M. V × d floats are never in memory, because ids are processed in
 * blocks. A learned pointer takes 2 bytes in memory and ⌈log2 k⌉ bits when saved; k is at most 65,536. With `minCount`,
 * only ids that were in enough batches get learned pointers, which one more bit per id marks; the others stay hashed.
 */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { NUMBER, objectWith, optionsCheck, STRING } from '../checks/options.ts';
import { StateError } from '../errors/errors.ts';
import type { Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import type { Block } from '../memory/heap.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { modelPool } from '../parallel/model-pool.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { affordRows, BUDGET, type Budget, sliceWidth, type WithMethod } from './budget.ts';
import { ComposedTable } from './composed.ts';
import { HASH_WORDS_BYTES, HashFamily } from './hash-family.ts';
import { initialRows } from './initial.ts';
import { type LearnedIds, learnedWords } from './learned-ids.ts';
import { type LearnedPointers, PointerState } from './learned-pointers.ts';
import { packedBytes, packPointers, pointerBits } from './packed-pointers.ts';
import { checkContext, type TableContext } from './table-context.ts';

/** Pointers are uint16 in memory. */
const ROWS_MAX = 65_536;
/** The number of batches with an id is counted in a byte. */
const COUNT_MAX = 255;
/** Ids that a thread claims at a time for gathering: some microseconds. */
const GATHER_IDS = 128;
/** Ids that a thread claims at a time for reading pointers. */
const GRAIN_IDS = 1024;

/** Options of a CQR table. */
export type CqrOptions = Budget & {
  /** Columns, each with its own pointers; a divisor of the dimensions; default 4, as in the paper. */
  columns?: number;
  /**
   * The number of batches, from 1 to 255, that an id must have been in before a clustering learns its pointers; default
   * 1: the pointers of all ids are learned, also of untrained ones. A larger number saves the pointers of rare ids,
   * which stay hashed. Counting takes a byte per id in training. A budget in bytes still includes a pointer of every
   * id.
   */
  minCount?: number;
};

const checkOptions = optionsCheck<WithMethod<CqrOptions>>('embedding (cqr)', {
  ...BUDGET,
  method: STRING,
  columns: NUMBER,
  minCount: NUMBER,
});

/** The result of a clustering: the next state of a table, complete before the table changes. */
export interface Clustering {
  /** Ids whose pointers were learned; absent where those of all ids were. */
  learned?: LearnedIds | undefined;
  /** [V, c], or [learned ids, c]. */
  pointers: Block;
  /** c matrices [k, d/c]. */
  centroids: readonly Matrix[];
  helper: boolean;
}

const POINTERS = objectWith('pointers from `takePointers`', 'clusterings', 'sums', 'pointers');

/** A table that clusters itself. */
export class Cqr extends ComposedTable {
  readonly method = 'cqr';
  readonly seed: number;
  #hashes: HashFamily;
  readonly #state: PointerState;

  private constructor(sums: number, codebook: Matrix, seed: number, hashes: HashFamily, state: PointerState) {
    super(state.vocabularySize, state.columns * codebook.dimensions, state.columns, sums, codebook);
    this.seed = seed;
    this.#hashes = hashes;
    this.#state = state;
  }

  /**
   * A new table. Half of its rows are M, half M'. A budget in bytes includes the learned pointers of a table with the
   * helper table; a last clustering without it takes one bit more per pointer.
   *
   * @throws {OptionError} when the budget is below two rows per column, or columns do not divide the dimensions
   */
  static create(options: CqrOptions, context: TableContext): Cqr {
    checkOptions(options);
    const { vocabularySize, dimensions, seed, runtime } = checkContext(context);
    const columns = options.columns ?? 4;
    const width = sliceWidth(dimensions, columns);
    const minCount = checkInteger('minCount', options.minCount ?? 1, 1, COUNT_MAX);
    const rows = pairsOfRows(options, context, columns);
    const generator = new Generator(seed);
    const codebook = initialRows(2 * columns * rows, width, 2, generator.fork('rows'), runtime);
    const hashes = drawHashes(2 * columns, rows, generator.fork('hashes', 0), codebook);
    return new Cqr(2, codebook, seed, hashes, new PointerState(vocabularySize, columns, minCount, runtime.heap));
  }

  /** k: rows of one M. */
  get rowsPerTable(): number {
    return this.codebook.rows / (this.columns * this.sums);
  }

  /** Batches that must have had an id before a clustering learns its pointers; 1: all are learned. */
  get minCount(): number {
    return this.#state.minCount;
  }

  /** Clusterings so far. */
  get clusterings(): number {
    return this.#state.clusterings;
  }

  /** Learned pointers [V, c], or [learned ids, c], as a view; undefined before the first clustering. */
  get pointers(): Uint16Array | undefined {
    return this.#state.pointers;
  }

  /**
   * The ids whose pointers the next clustering learns; undefined for all ids.
   *
   * @throws {StateError} when no id has occurred in `minCount` batches
   */
  idsToLearn(): LearnedIds | undefined {
    return this.#state.idsToLearn();
  }

  /**
   * The number of clusters of a column for `ids` ids: k with the helper table, all rows of the column without it.
   *
   * @throws {StateError} when an earlier clustering dropped the helper
   */
  clustersFor(helper: boolean, ids: number): number {
    if (this.sums === 1)
      throw new StateError('cluster: expected a table with its helper table, got one whose last clustering dropped it');
    checkInteger('ids', ids, 0);
    return Math.min(helper ? this.rowsPerTable : 2 * this.rowsPerTable, ids);
  }

  override applyGradient(ids: Int32Array, gradients: Matrix, optimizer: SparseOptimizer): void {
    super.applyGradient(ids, gradients, optimizer);
    this.#state.count(ids);
  }

  /**
   * Replace pointers and codebook by a finished clustering: M becomes the centroids, and M' is zero with a new hash, or
   * dropped.
   */
  adopt({ learned, pointers, centroids, helper }: Clustering): void {
    const { codebook, columns } = this;
    const blockRows = codebook.rows / columns;
    codebook.data.fill(0);
    centroids.forEach(({ data }, column) => {
      codebook.data.set(data, column * blockRows * codebook.dimensions);
    });
    this.#state.adopt(pointers, learned);
    if (!helper) this.sums = 1;
    this.#drawHashes();
  }

  /** A copy of the learned pointers. The hash functions follow from the seed and the number of clusterings. */
  takePointers(): LearnedPointers {
    return this.#state.take(this.sums);
  }

  /**
   * Restore pointers from `takePointers`.
   *
   * @throws {ShapeError} when they belong to a table of another shape
   */
  restorePointers(pointers: LearnedPointers): void {
    checkArgument('pointers', pointers, POINTERS);
    const { columns, codebook } = this;
    this.#state.restore(pointers, codebook.rows / (columns * pointers.sums));
    this.sums = pointers.sums;
    this.#drawHashes();
  }

  /** Draw the hash functions, which follow from the seed and the number of clusterings. */
  #drawHashes(): void {
    const { columns, sums, codebook, rowsPerTable } = this;
    const generator = new Generator(this.seed).fork('hashes', this.clusterings);
    this.#hashes = drawHashes(columns * sums, rowsPerTable, generator, codebook);
  }

  /** True if some pointers are hashes. */
  get #hasHashes(): boolean {
    return this.sums === 2 || this.minCount > 1;
  }

  /** Each column has its own rows in the codebook, those of M' included. */
  protected override get parts(): number {
    return this.columns;
  }

  protected override writePointers(ids: number, count: number, out: number): void {
    const { columns, sums, runtime } = this;
    const { offset, learned } = this.#state;
    // If every id has learned pointers, only those of the helper table are hashes.
    const step = offset !== undefined && !learned ? sums : 1;
    if (this.#hasHashes) this.#hashes.write(runtime, ids, count, out, step);
    if (offset === undefined) return;
    const blockRows = this.codebook.rows / columns;
    if (learned) {
      const { bits, ranks } = learned;
      const how = [bits, ranks, offset, columns, sums, blockRows] as const;
      modelPool(runtime).run('readLearnedPointers', count, GRAIN_IDS, ids, ...how, out);
      return;
    }
    modelPool(runtime).run('readPointers', count, GRAIN_IDS, ids, offset, columns, sums, blockRows, out);
  }

  /** Gather vectors in one pass if every id has learned pointers and the table has its helper table. */
  protected override gather(ids: number, count: number, out: Matrix): void {
    const { codebook, columns, sums, runtime } = this;
    const { offset, learned } = this.#state;
    if (offset === undefined || learned || sums === 1) {
      super.gather(ids, count, out);
      return;
    }
    modelPool(runtime).run('gatherClustered', count, GATHER_IDS, {
      table: codebook.offset,
      w: codebook.dimensions,
      ids,
      learned: offset,
      coefficients: this.#hashes.offset,
      columns,
      blockRows: codebook.rows / columns,
      out: out.offset,
      outStride: out.dimensions,
    });
  }

  override save(): Saved {
    const { method, vocabularySize, dimensions, columns, sums, codebook, seed, pointers } = this;
    const sections = [{ name: 'codebook', bytes: bytesOf(codebook.data) }];
    if (this.#hasHashes) sections.push({ name: 'hashes', bytes: bytesOf(this.#hashes.words()) });
    const { learned } = this.#state;
    if (learned) sections.push({ name: 'learned', bytes: bytesOf(learned.words()) });
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
      clusterings: this.clusterings,
      // The default is not saved, so that files are the same as before the option existed.
      ...(this.minCount > 1 && { minCount: this.minCount }),
    };
    return { kind: method, settings, sections };
  }

  /** Load a saved table. @throws {FormatError} when a pointer or hash exceeds the codebook */
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
    const state = new PointerState(vocabularySize, columns, minCount, runtime.heap);
    state.load(part, clusterings, rows / (columns * sums));
    return new Cqr(sums, codebook, settings.integer('seed'), hashes, state);
  }
}

/**
 * Draw the hash functions of all terms. With the helper table, even terms are h where it is not learned, and odd terms
 * are h'.
 */
function drawHashes(terms: number, rows: number, generator: Generator, { runtime }: Matrix): HashFamily {
  const ranges = Array.from({ length: terms }, (_, term) => ({ base: term * rows, rows }));
  return HashFamily.draw(ranges, generator, runtime);
}

function noHashes({ runtime }: Matrix): HashFamily {
  return new HashFamily(new Uint32Array(0), runtime);
}

/** k for a budget: half of the rows are M, half M'. The bytes of a pointer grow with log2 k. */
function pairsOfRows(options: CqrOptions, context: TableContext, columns: number): number {
  const { vocabularySize, dimensions } = context;
  const hashes = 2 * columns * HASH_WORDS_BYTES;
  const learned = (options.minCount ?? 1) > 1 ? 4 * learnedWords(vocabularySize) : 0;
  const cost = {
    parameters: (rows: number) => 2 * dimensions * rows,
    otherBytes: (rows: number) => hashes + learned + packedBytes(vocabularySize * columns, pointerBits(rows)),
    rowsMax: ROWS_MAX / 2,
  };
  return affordRows('cqr', options, cost, context);
}
