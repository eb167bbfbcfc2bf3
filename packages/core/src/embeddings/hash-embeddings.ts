/**
 * Hash embeddings: a vector is a weighted sum of shared rows. The weights are learned too, and fewer ids share them.
 *
 *   vector(i) = Σ_s p[g(i)][s] · row[h_s(i)],   s < sums
 *
 * Source: Svenstrup, Hansen, Winther, "Hash embeddings for efficient word representations", NeurIPS 2017. Half of the
 * budget is for rows and half for weights, so there are many more weights than rows, which distinguish ids. The table
 * is computed in TypeScript, one id at a time.
 */

import { checkInteger } from '../checks/numbers.ts';
import { NUMBER, optionsCheck, STRING } from '../checks/options.ts';
import type { Part } from '../format/part.ts';
import { bytesOf, type Saved, savedBytes } from '../format/saved.ts';
import { Scratch } from '../memory/scratch.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { affordRows, BUDGET, type Budget, type WithMethod } from './budget.ts';
import type { EmbeddingTable } from './contract.ts';
import { HASH_WORDS_BYTES, HashFamily } from './hash-family.ts';
import { checkGradientCall, checkIds, checkRowsCall } from './ids.ts';
import { initialRows } from './initial.ts';
import { checkContext, type TableContext } from './table-context.ts';

/** Options of hash embeddings. */
export type HashEmbeddingsOptions = Budget & {
  /** Rows summed; default 2, the paper's. */
  sums?: number;
};

const checkOptions = optionsCheck<WithMethod<HashEmbeddingsOptions>>('embedding (hash-embeddings)', {
  ...BUDGET,
  method: STRING,
  sums: NUMBER,
});

/** A table of rows and weights that hashes select. */
export class HashEmbeddings implements EmbeddingTable {
  readonly method = 'hash-embeddings';
  readonly vocabularySize: number;
  /** [rows, d] */
  readonly codebook: Matrix;
  /** [K, sums] */
  readonly weights: Matrix;
  readonly #runtime: Runtime;
  /** One hash function per sum for the rows, and the last one for the weights. */
  readonly #hashes: HashFamily;
  readonly #scratch: Scratch;

  private constructor(vocabularySize: number, codebook: Matrix, weights: Matrix, hashes: HashFamily) {
    this.vocabularySize = vocabularySize;
    this.codebook = codebook;
    this.weights = weights;
    this.#runtime = codebook.runtime;
    this.#hashes = hashes;
    this.#scratch = new Scratch(codebook.runtime.heap);
  }

  /**
   * A new table. @throws {OptionError} when the budget is below one row and as many weights, or `sums` is out of range
   */
  static create(options: HashEmbeddingsOptions, context: TableContext): HashEmbeddings {
    checkOptions(options);
    const { vocabularySize, dimensions, seed, runtime } = checkContext(context);
    const sums = checkInteger('sums', options.sums ?? 2, 1, 16);
    const weightRowsFor = (rows: number): number => Math.max(1, Math.floor((rows * dimensions) / sums));
    const parameters = (rows: number): number => rows * dimensions + weightRowsFor(rows) * sums;
    const cost = { parameters, otherBytes: () => (sums + 1) * HASH_WORDS_BYTES };
    const rows = affordRows('hash-embeddings', options, cost, context);
    const weightRows = weightRowsFor(rows);
    const generator = new Generator(seed);
    const codebook = initialRows(rows, dimensions, sums, generator.fork('rows'), runtime);
    const weights = new Matrix(weightRows, sums, runtime);
    weights.data.fill(1);
    const ranges = [...Array.from({ length: sums }, () => ({ base: 0, rows })), { base: 0, rows: weightRows }];
    return new HashEmbeddings(
      vocabularySize,
      codebook,
      weights,
      HashFamily.draw(ranges, generator.fork('hashes'), runtime),
    );
  }

  get dimensions(): number {
    return this.codebook.dimensions;
  }

  get parameters(): number {
    return this.codebook.rows * this.dimensions + this.weights.rows * this.weights.dimensions;
  }

  trained(): Matrix[] {
    return [this.codebook, this.weights];
  }

  rows(ids: Int32Array, out: Matrix): void {
    checkRowsCall(this, ids, out);
    const pointers = this.#locate(ids);
    const d = this.dimensions;
    const sums = this.weights.dimensions;
    const [rows, weights, to] = [this.codebook.data, this.weights.data, out.data];
    for (let i = 0; i < ids.length; i++) {
      const from = i * (sums + 1);
      const p = pointers[from + sums]! * sums;
      const at = i * out.dimensions;
      to.fill(0, at, at + d);
      for (let s = 0; s < sums; s++) {
        const row = pointers[from + s]! * d;
        for (let t = 0; t < d; t++) to[at + t] = to[at + t]! + weights[p + s]! * rows[row + t]!;
      }
    }
  }

  applyGradient(ids: Int32Array, gradients: Matrix, optimizer: SparseOptimizer): void {
    checkGradientCall(this, ids, gradients, optimizer);
    const pointers = this.#locate(ids);
    const d = this.dimensions;
    const sums = this.weights.dimensions;
    const [rows, weights, from] = [this.codebook.data, this.weights.data, gradients.data];
    const rowSums = new RowSums(d);
    const weightSums = new RowSums(sums);
    for (let i = 0; i < ids.length; i++) {
      const at = i * gradients.dimensions;
      const p = pointers[i * (sums + 1) + sums]!;
      const ofWeights = weightSums.of(p);
      for (let s = 0; s < sums; s++) {
        const pointer = pointers[i * (sums + 1) + s]!;
        const ofRow = rowSums.of(pointer);
        const weight = weights[p * sums + s]!;
        let slope = 0;
        for (let t = 0; t < d; t++) {
          const g = from[at + t]!;
          ofRow[t] = ofRow[t]! + weight * g;
          slope += g * rows[pointer * d + t]!;
        }
        ofWeights[s] = ofWeights[s]! + slope;
      }
    }
    rowSums.step(this.codebook, optimizer);
    weightSums.step(this.weights, optimizer);
  }

  sizeBytes(): number {
    return savedBytes(this.save());
  }

  save(): Saved {
    const { method, vocabularySize, dimensions, codebook, weights } = this;
    const settings = {
      vocabularySize,
      dimensions,
      rows: codebook.rows,
      sums: weights.dimensions,
      weights: weights.rows,
    };
    return {
      kind: method,
      settings,
      sections: [
        { name: 'codebook', bytes: bytesOf(codebook.data) },
        { name: 'weights', bytes: bytesOf(weights.data) },
        { name: 'hashes', bytes: bytesOf(this.#hashes.words()) },
      ],
    };
  }

  /** Load a saved table. @throws {FormatError} when a hash could exceed the rows or the weights */
  static load(part: Part): HashEmbeddings {
    const { settings, runtime } = part;
    const vocabularySize = settings.integer('vocabularySize', { min: 1 });
    const dimensions = settings.integer('dimensions', { min: 1 });
    const rows = settings.integer('rows', { min: 1 });
    const sums = settings.integer('sums', { min: 1, max: 16 });
    const weightRows = settings.integer('weights', { min: 1 });
    const codebook = new Matrix(rows, dimensions, runtime, part.memory('codebook', 4 * rows * dimensions));
    const weights = new Matrix(weightRows, sums, runtime, part.memory('weights', 4 * weightRows * sums));
    const hashes = HashFamily.load(part, sums + 1, (term) => (term < sums ? rows : weightRows));
    return new HashEmbeddings(vocabularySize, codebook, weights, hashes);
  }

  /** [ids, sums + 1] pointers, valid until the next call. */
  #locate(ids: Int32Array): Int32Array {
    checkIds(ids, this.vocabularySize);
    const { terms } = this.#hashes;
    const block = this.#scratch.reserve(4 * ids.length * (terms + 1));
    block.integers(ids.length).set(ids);
    this.#hashes.write(this.#runtime, block.offset, ids.length, block.offset + 4 * ids.length);
    return block.integers(ids.length * terms, 4 * ids.length);
  }
}

/** Sums of gradients by row. */
class RowSums {
  readonly #width: number;
  readonly #sums = new Map<number, Float32Array>();

  constructor(width: number) {
    this.#width = width;
  }

  of(row: number): Float32Array {
    let sum = this.#sums.get(row);
    if (!sum) {
      sum = new Float32Array(this.#width);
      this.#sums.set(row, sum);
    }
    return sum;
  }

  step(parameters: Matrix, optimizer: SparseOptimizer): void {
    const summed = new Matrix(this.#sums.size, this.#width, parameters.runtime);
    [...this.#sums.values()].forEach((sum, i) => {
      summed.row(i).set(sum);
    });
    optimizer.step(parameters, Int32Array.from(this.#sums.keys()), summed);
    summed.free();
  }
}
