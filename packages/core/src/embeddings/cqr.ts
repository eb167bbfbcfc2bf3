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
 * learned pointer is 2 bytes, saved ⌈log2 k⌉ bits; k is at most 65,536.
 */
import { ShapeError, StateError } from '../errors/errors.ts';
import type { Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import type { Block } from '../memory/heap.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { affordRows, type Budget, sliceWidth } from './budget.ts';
import { ComposedTable } from './composed.ts';
import { HASH_WORDS_BYTES, HashFamily } from './hash-family.ts';
import { initialRows } from './initial.ts';
import { loadPointers, packedBytes, packPointers, pointerBits } from './packed-pointers.ts';
import type { TableContext } from './table-context.ts';

/** Pointers are uint16 in memory. */
const ROWS_MAX = 65_536;
/** Ids a work item reads pointers of. */
const GRAIN_IDS = 1024;

/** Options of a CQR table. */
export type CqrOptions = Budget & {
  /** Columns, each with pointers of its own; a divisor of the dimensions; default 4, the paper's. */
  columns?: number;
};

/** What a clustering found: the next state of a table, complete before the table changes. */
export interface Clustering {
  /** [V, c] */
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
  /** [V, c]; empty before the first clustering. */
  pointers: Uint16Array;
}

/** A table that clusters itself. */
export class Cqr extends ComposedTable {
  readonly method = 'cqr';
  readonly seed: number;
  #hashes: HashFamily;
  /** [V, c] uint16; undefined until the first clustering, while h is still a hash. */
  #pointers: Block | undefined;
  #clusterings: number;

  private constructor(vocabularySize: number, columns: number, sums: number, codebook: Matrix, state: CqrState) {
    super(vocabularySize, columns * codebook.dimensions, columns, sums, codebook);
    this.seed = state.seed;
    this.#hashes = state.hashes;
    this.#pointers = state.pointers;
    this.#clusterings = state.clusterings;
  }

  /**
   * A new table; half the rows are M, half M'. A budget in bytes pays for the learned pointers too.
   *
   * @throws {OptionError} when the budget is below two rows a column, or columns do not divide the dimensions
   */
  static create(options: CqrOptions, { vocabularySize, dimensions, seed, runtime }: TableContext): Cqr {
    const columns = options.columns ?? 4;
    const width = sliceWidth(dimensions, columns);
    const rows = pairsOfRows(options, vocabularySize, dimensions, columns);
    const generator = new Generator(seed);
    const codebook = initialRows(2 * columns * rows, width, 2, generator.fork('rows'), runtime);
    const hashes = drawHashes(columns, rows, generator.fork('hashes', 0), codebook);
    return new Cqr(vocabularySize, columns, 2, codebook, { seed, hashes, pointers: undefined, clusterings: 0 });
  }

  /** k: rows of one M. */
  get rowsPerTable(): number {
    return this.codebook.rows / (this.columns * this.sums);
  }

  /** Clusterings so far. */
  get clusterings(): number {
    return this.#clusterings;
  }

  /** Learned pointers [V, c] as a view; undefined before the first clustering. */
  get pointers(): Uint16Array | undefined {
    const block = this.#pointers;
    return block && new Uint16Array(block.heap.memory.memory.buffer, block.offset, this.vocabularySize * this.columns);
  }

  /** Clusters a column gets from the next clustering: with the helper k, without it all the column's rows. */
  clustersFor(helper: boolean): number {
    if (this.sums === 1) throw new StateError('cluster: expected a table that still has its helper, got one without');
    return Math.min(helper ? this.rowsPerTable : 2 * this.rowsPerTable, this.vocabularySize);
  }

  /** Take a finished clustering over: centroids become M, the helper is drawn afresh and zero, or gone. */
  adopt({ pointers, centroids, helper }: Clustering): void {
    const { codebook, columns } = this;
    const blockRows = codebook.rows / columns;
    codebook.data.fill(0);
    centroids.forEach(({ data }, column) => {
      codebook.data.set(data, column * blockRows * codebook.dimensions);
    });
    this.#pointers?.free();
    this.#pointers = pointers;
    this.#clusterings++;
    if (!helper) this.sums = 1;
    const generator = new Generator(this.seed).fork('hashes', this.#clusterings);
    this.#hashes = drawHashes(columns, blockRows / 2, generator, codebook);
  }

  /** A copy of where the ids point; hash functions follow from seed and number of clusterings. */
  takePointers(): LearnedPointers {
    return { clusterings: this.#clusterings, sums: this.sums, pointers: this.pointers?.slice() ?? new Uint16Array(0) };
  }

  /**
   * Point the ids where they pointed when `takePointers` was called.
   *
   * @throws {ShapeError} when they belong to a table of another shape
   */
  restorePointers({ clusterings, sums, pointers }: LearnedPointers): void {
    const { columns, codebook, vocabularySize, seed } = this;
    const wanted = clusterings === 0 ? 0 : vocabularySize * columns;
    const rows = codebook.rows / (columns * sums);
    if (pointers.length !== wanted || pointers.some((pointer) => pointer >= rows)) {
      throw new ShapeError(`pointers: expected ${wanted} below ${rows}, got ${pointers.length} or larger ones`);
    }
    this.#pointers?.free();
    this.#pointers = undefined;
    this.#clusterings = clusterings;
    this.sums = sums;
    if (clusterings > 0) {
      this.#pointers = this.runtime.heap.allocate(2 * wanted);
      this.pointers!.set(pointers);
    }
    const generator = new Generator(seed).fork('hashes', clusterings);
    this.#hashes = drawHashes(columns, codebook.rows / columns / 2, generator, codebook);
  }

  protected override writePointers(ids: number, count: number, out: number): void {
    const { columns, sums, runtime } = this;
    if (sums === 2) this.#hashes.write(runtime, ids, count, out);
    if (!this.#pointers) return;
    const blockRows = this.codebook.rows / columns;
    const { offset } = this.#pointers;
    runtime.pool.run('readPointers', count, GRAIN_IDS, ids, offset, columns, sums, blockRows, out);
  }

  override save(): Saved {
    const { method, vocabularySize, dimensions, columns, sums, codebook, seed, pointers } = this;
    const sections = [{ name: 'codebook', bytes: bytesOf(codebook.data) }];
    if (sums === 2) sections.push({ name: 'hashes', bytes: bytesOf(this.#hashes.words()) });
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
    const width = dimensions / columns;
    const codebook = new Matrix(rows, width, runtime, part.memory('codebook', 4 * rows * width));
    const hashes = sums === 2 ? HashFamily.load(part, 2 * columns, rows) : noHashes(codebook);
    let pointers: Block | undefined;
    if (clusterings > 0) pointers = loadPointers(part, vocabularySize, columns, rows / (columns * sums));
    const seed = settings.integer('seed');
    return new Cqr(vocabularySize, columns, sums, codebook, { seed, hashes, pointers, clusterings });
  }
}

interface CqrState {
  seed: number;
  hashes: HashFamily;
  pointers: Block | undefined;
  clusterings: number;
}

/** Hash functions of all terms: even ones stand in for h until it is learned, odd ones are h'. */
function drawHashes(columns: number, rows: number, generator: Generator, { runtime }: Matrix): HashFamily {
  const ranges = Array.from({ length: 2 * columns }, (_, term) => ({ base: term * rows, rows }));
  return HashFamily.draw(ranges, generator, runtime);
}

function noHashes({ runtime }: Matrix): HashFamily {
  return new HashFamily(new Uint32Array(0), runtime);
}

/** k for a budget. Pointers grow with log2 k, so bytes are met by the largest k whose whole cost fits. */
function pairsOfRows(budget: Budget, vocabularySize: number, dimensions: number, columns: number): number {
  const rowParameters = 2 * dimensions;
  const fixed = (rows: number): number =>
    2 * columns * HASH_WORDS_BYTES + packedBytes(vocabularySize * columns, pointerBits(rows));
  let rows = affordRows('cqr', budget, { rowParameters, fixedBytes: fixed(1), rowsMin: 1 });
  if (budget.bytes !== undefined) {
    while (rows > 1 && 4 * rowParameters * rows + fixed(rows) > budget.bytes) {
      rows = Math.max(1, Math.min(rows - 1, Math.floor((budget.bytes - fixed(rows)) / (4 * rowParameters))));
    }
  }
  return Math.min(rows, ROWS_MAX / 2);
}
