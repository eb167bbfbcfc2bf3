/**
 * Solves one side of a factorization exactly, given the factors of the other (kernel `solveRows`).
 *
 *   row u:  (α VᵀV + λ (|I_u| + α n)^ν · I + Σ_{i ∈ I_u} w_i v_i v_iᵀ) x = Σ_{i ∈ I_u} w_i v_i
 *
 * Letters: V [n, d] the factors of the other side, α the weight of unobserved pairs, λ and ν the strength and the
 * exponent of the regularization, I_u the list of row u and |I_u| the sum of its weights. A row with an empty list is
 * 0.
 *
 * In the basis of the eigenvectors of α VᵀV a short list of n items takes n² d/2 + n³/6 + d² products instead of
 * n d²/2 + d³/6: a tenth for the median user of Gowalla at d = 128 (docs/decisions/recipes.md).
 */

import type { CodeLists } from '../data/items-by-user.ts';
import { alsScratchBytes } from '../kernels/families/als.ts';
import { symmetricEigen } from '../linear-algebra/symmetric-eigen.ts';
import type { Block } from '../memory/heap.ts';
import { modelPool } from '../parallel/model-pool.ts';
import { Matrix } from '../vectors/matrix.ts';
import { multiplyRows, multiplyTransposed } from '../vectors/multiply.ts';

/** The parameters of the objective. */
export interface AlsObjective {
  /** α: the weight with which the product of every pair, observed or not, is drawn to 0. */
  readonly unobservedWeight: number;
  /** λ */
  readonly regularization: number;
  /** ν: 1 scales the regularization with the number of observations of a row, 0 does not scale it. */
  readonly exponent: number;
  /**
   * The number of later interactions at which the weight of a user's interaction is halved (recency.ts); 0: all have
   * the same weight.
   */
  readonly recencyHalfLife: number;
}

/** The parameters for solving a row; the weights of its list already include recency. */
export type RowObjective = Omit<AlsObjective, 'recencyHalfLife'>;

/** Rows of V that are summed at a time, few enough to stay in the cache while all their products are computed. */
const GRAM_ROWS = 256;
/** Rows that a thread claims at a time: few, because the lengths of lists differ by a factor of a thousand. */
const GRAIN_ROWS = 8;
/** A list longer than this share of the dimensions is solved faster by its d × d system. */
export const SHORT_SHARE = 0.75;

/**
 * The width of the factor matrices: the dimensions rounded up to a multiple of 8 for the kernel; the added columns are
 * 0.
 */
export function factorWidth(dimensions: number): number {
  return 8 * Math.ceil(dimensions / 8);
}

/** α VᵀV [d, d]; the caller frees it. */
export function gramOf(factors: Matrix, unobservedWeight: number): Matrix {
  const { rows, dimensions: d, runtime } = factors;
  const gram = new Matrix(d, d, runtime);
  for (let first = 0; first < rows; first += GRAM_ROWS) {
    const from = factors.offset + 4 * first * d;
    const count = Math.min(GRAM_ROWS, rows - first);
    multiplyTransposed(runtime, { a: from, aStride: d, m: count, n: d, b: from, d, c: gram.offset });
  }
  const { data } = gram;
  for (let i = 0; i < data.length; i++) data[i] = data[i]! * unobservedWeight;
  return gram;
}

/**
 * With fewer short lists the eigenvectors cost more than they save: 50 d³ scalar multiplications, against d³/6 per list
 * in vectors of four.
 */
const SHORT_LISTS_MIN = 2000;

/** The eigenvectors of the Gram matrix of a side, and the factors of the side in their basis. */
export interface EigenBasis {
  /** [1, d] eigenvalues. */
  readonly spectrum: Matrix;
  /** [d, d] the eigenvectors, one per row. */
  readonly basis: Matrix;
  /** [n, d] */
  readonly rotated: Matrix;
  free(): void;
}

/** The basis of `gram`, from `gramOf` of `factors`. */
export function eigenBasisOf(factors: Matrix, gram: Matrix): EigenBasis {
  const { rows, dimensions: d, runtime } = factors;
  const { values, vectors } = symmetricEigen(Float64Array.from(gram.data), d);
  const [spectrum, basis, columns] = [new Matrix(1, d, runtime), new Matrix(d, d, runtime), new Matrix(d, d, runtime)];
  const rotated = new Matrix(rows, d, runtime);
  // The Gram matrix has no negative eigenvalues, but rounding may make one slightly negative.
  spectrum.data.set(values.map((value) => Math.max(0, value)));
  basis.data.set(vectors);
  for (let k = 0; k < d; k++) for (let t = 0; t < d; t++) columns.data[t * d + k] = vectors[k * d + t]!;
  const { offset } = rotated;
  multiplyRows(runtime, { a: factors.offset, aStride: d, m: rows, n: d, b: columns.offset, d, c: offset });
  columns.free();
  return {
    ...{ spectrum, basis, rotated },
    free: () => {
      for (const matrix of [spectrum, basis, rotated]) matrix.free();
    },
  };
}

/** Lists of the observed pairs in the linear memory, with the regularization of each. */
export class AlsSide {
  readonly rows: number;
  /** True if so many lists are short that `solve` is faster with an `EigenBasis`. */
  readonly isShort: boolean;
  readonly #blocks: Block[];
  readonly #starts: number;
  readonly #codes: number;
  readonly #weights: number;
  readonly #regularization: number;

  /** @param factors of the other side; only their heap and their number are used */
  constructor(lists: CodeLists, factors: Matrix, { unobservedWeight, regularization, exponent }: RowObjective) {
    const { starts, codes, weights } = lists;
    const { heap } = factors.runtime;
    this.rows = starts.length - 1;
    const longest = Math.floor(SHORT_SHARE * factors.dimensions);
    let short = 0;
    for (let row = 0; row < this.rows; row++) {
      const length = starts[row + 1]! - starts[row]!;
      if (length > 0 && length <= longest) short++;
    }
    this.isShort = short >= SHORT_LISTS_MIN;
    this.#blocks = [starts.length, codes.length, weights ? weights.length : 0, this.rows].map((length) =>
      heap.allocateUnfilled(4 * length),
    );
    const [startBlock, codeBlock, weightBlock, regularizationBlock] = this.#blocks as [Block, Block, Block, Block];
    startBlock.integers(starts.length).set(starts);
    codeBlock.integers(codes.length).set(codes);
    if (weights) weightBlock.floats(weights.length).set(weights);
    const scales = regularizationBlock.floats(this.rows);
    for (let row = 0; row < this.rows; row++) {
      let observed = starts[row + 1]! - starts[row]!;
      if (weights) observed = weights.subarray(starts[row]!, starts[row + 1]!).reduce((sum, weight) => sum + weight, 0);
      scales[row] = regularization * (observed + unobservedWeight * factors.rows) ** exponent;
    }
    this.#starts = startBlock.offset;
    this.#codes = codeBlock.offset;
    this.#weights = weights ? weightBlock.offset : 0;
    this.#regularization = regularizationBlock.offset;
  }

  /**
   * Solve rows [begin, end) into `out`.
   *
   * @param gram from `gramOf` of `factors`
   * @param eigen basis of `gram`, in which short lists are solved
   */
  solve(factors: Matrix, gram: Matrix, out: Matrix, begin = 0, end: number = this.rows, eigen?: EigenBasis): void {
    const { runtime, dimensions } = factors;
    const { heap } = runtime;
    const pool = modelPool(runtime);
    const scratchStride = alsScratchBytes(dimensions);
    const scratch = heap.allocateUnfilled(scratchStride * pool.threads);
    try {
      pool.run('solveRows', end - begin, GRAIN_ROWS, {
        starts: this.#starts + 4 * begin,
        codes: this.#codes,
        weights: this.#weights,
        factors: factors.offset,
        dimensions,
        gram: gram.offset,
        regularization: this.#regularization + 4 * begin,
        shortLength: eigen ? Math.floor(SHORT_SHARE * dimensions) : 0,
        spectrum: eigen?.spectrum.offset ?? 0,
        basis: eigen?.basis.offset ?? 0,
        rotated: eigen?.rotated.offset ?? 0,
        out: out.offset + 4 * begin * dimensions,
        scratch: scratch.offset,
        scratchStride,
      });
    } finally {
      scratch.free();
    }
  }

  /** Give the memory back. */
  free(): void {
    for (const block of this.#blocks) block.free();
  }
}
