/**
 * The base class of tables whose vectors are composed of codebook rows: hashing trick, quotient-remainder,
 * compositional, Bloom, unified, CQR, product and residual quantization.
 *
 *   vector(i)[j·w … (j+1)·w) = Σ_s codebook[pointer(i, j, s)],   j < columns, s < sums,   w = d / columns
 *
 * A method defines the number of columns and sums and the pointers of an id. This class gathers vectors, sums gradients
 * by codebook row and runs the optimizer step. It never allocates vocabulary × d floats. Letters: w width of a codebook
 * row.
 */

import { type Saved, savedBytes } from '../format/saved.ts';
import { Scratch } from '../memory/scratch.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import type { EmbeddingTable } from './contract.ts';
import { checkGradientCall, checkRowsCall } from './ids.ts';

/** Ids that a thread claims at a time for gathering: about ten microseconds of row copies. */
const GRAIN_IDS = 256;
/** Codebook rows that a thread claims at a time for summing gradients. */
const GRAIN_GROUPS = 64;

/** A table whose vectors are sums and concatenations of codebook rows. */
export abstract class ComposedTable implements EmbeddingTable {
  abstract readonly method: string;
  readonly vocabularySize: number;
  readonly dimensions: number;
  readonly columns: number;
  /** The number of sums. It changes only when a clustering drops the helper table. */
  sums: number;
  /** [rows, w] float32: all trained parameters. */
  readonly codebook: Matrix;
  protected readonly runtime: Runtime;
  readonly #ids: Scratch;
  readonly #pointers: Scratch;
  readonly #grouping: Scratch;
  readonly #counters: Scratch;

  protected constructor(vocabularySize: number, dimensions: number, columns: number, sums: number, codebook: Matrix) {
    this.vocabularySize = vocabularySize;
    this.dimensions = dimensions;
    this.columns = columns;
    this.sums = sums;
    this.codebook = codebook;
    this.runtime = codebook.runtime;
    const { heap } = this.runtime;
    this.#ids = new Scratch(heap);
    this.#pointers = new Scratch(heap);
    this.#grouping = new Scratch(heap);
    this.#counters = new Scratch(heap);
  }

  /** Write the pointers of `count` ids at byte offset `ids` to `out`: [count, columns, sums] int32. */
  protected abstract writePointers(ids: number, count: number, out: number): void;

  /**
   * The number of equal parts of the codebook that belong to separate columns, so that their gradients can be sorted
   * separately.
   */
  protected get parts(): number {
    return 1;
  }

  abstract save(): Saved;

  /** Trained floats. */
  get parameters(): number {
    return this.codebook.rows * this.codebook.dimensions;
  }

  trained(): Matrix[] {
    return [this.codebook];
  }

  /** Bytes that `save` writes. */
  sizeBytes(): number {
    return savedBytes(this.save());
  }

  rows(ids: Int32Array, out: Matrix): void {
    checkRowsCall(this, ids, out);
    this.gather(this.#place(ids), ids.length, out);
  }

  /** Write the vectors of `count` ids at byte offset `ids` to `out`. */
  protected gather(ids: number, count: number, out: Matrix): void {
    const { codebook, columns, sums } = this;
    const pointers = this.#locate(ids, count);
    modelPool(this.runtime).run(
      'gatherPointers',
      count,
      GRAIN_IDS,
      codebook.offset,
      codebook.dimensions,
      pointers,
      columns,
      sums,
      out.offset,
      out.dimensions,
    );
  }

  applyGradient(ids: Int32Array, gradients: Matrix, optimizer: SparseOptimizer): void {
    checkGradientCall(this, ids, gradients, optimizer);
    const { codebook, columns, sums, runtime } = this;
    const { rows, dimensions } = codebook;
    const uses = ids.length * columns * sums;
    const pointers = this.#locate(this.#place(ids), ids.length);
    const { parts } = this;
    const grouping = this.#grouping.reserve(4 * (3 * uses + 1 + parts));
    const counters = this.#counters.reserve(4 * (rows + 1));
    const distinct = grouping.offset + 4 * uses;
    const starts = distinct + 4 * uses;
    const found = starts + 4 * (uses + 1);
    modelPool(runtime).run('groupUses', parts, 1, {
      pointers,
      ids: ids.length,
      parts,
      sums: (columns * sums) / parts,
      partRows: rows / parts,
      counters: counters.offset,
      uses: grouping.offset,
      distinct,
      starts,
      groups: found,
    });
    const groups = joinParts(grouping.integers(3 * uses + 1 + parts), uses, parts);
    const summed = new Matrix(groups, dimensions, runtime);
    modelPool(runtime).run(
      'sumUses',
      groups,
      GRAIN_GROUPS,
      starts,
      grouping.offset,
      gradients.offset,
      gradients.dimensions,
      dimensions,
      columns * sums,
      sums,
      summed.offset,
    );
    optimizer.step(codebook, grouping.integers(groups, 4 * uses), summed);
    summed.free();
  }

  /** Byte offset of a copy of the ids. */
  #place(ids: Int32Array): number {
    const at = this.#ids.reserve(4 * ids.length);
    at.integers(ids.length).set(ids);
    return at.offset;
  }

  /** Byte offset of the pointers of the ids. */
  #locate(ids: number, count: number): number {
    const pointers = this.#pointers.reserve(4 * count * this.columns * this.sums);
    this.writePointers(ids, count, pointers.offset);
    return pointers.offset;
  }
}

/**
 * Join the groups of all parts into one list. `grouping` is uses [uses], distinct [uses], starts [uses + 1], groups
 * [parts]. Returns the number of groups.
 */
function joinParts(grouping: Int32Array, uses: number, parts: number): number {
  const starts = 2 * uses;
  let groups = 0;
  for (let part = 0; part < parts; part++) {
    const from = (part * uses) / parts;
    const count = grouping[starts + uses + 1 + part]!;
    for (const list of [uses, starts]) grouping.copyWithin(list + groups, list + from, list + from + count);
    groups += count;
  }
  grouping[starts + groups] = uses;
  return groups;
}
