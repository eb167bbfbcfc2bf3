/**
 * Quotient-remainder embeddings: a vector is computed from a row of each of two small tables, selected by i mod m and
 * by ⌊i/m⌋. No two ids share both rows.
 *
 *   add          vector(i) = R[i mod m] + Q[⌊i/m⌋]
 *   multiply     vector(i) = R[i mod m] ⊙ Q[⌊i/m⌋]
 *   concatenate  vector(i) = [ R[i mod m] | Q[⌊i/m⌋] ],   rows of d/2 floats
 *
 * Source: Shi et al., "Compositional embeddings using complementary partitions", KDD 2020. V ids need m + ⌈V/m⌉ rows,
 * which is at least about 2√V; a smaller budget is an error. Only the rows are stored.
 */

import { checkOneOf } from '../checks/numbers.ts';
import { optionsCheck, STRING } from '../checks/options.ts';
import type { Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { affordRows, BUDGET, type Budget, sliceWidth, type WithMethod } from './budget.ts';
import { ComposedTable } from './composed.ts';
import { checkIds } from './ids.ts';
import { initialRows } from './initial.ts';
import { checkContext, type TableContext } from './table-context.ts';

/** The operation that makes the vector of an id from its two rows. */
export type Combination = 'add' | 'multiply' | 'concatenate';
const COMBINATIONS: readonly Combination[] = ['add', 'multiply', 'concatenate'];

/** Options of a quotient-remainder table. */
export type QuotientRemainderOptions = Budget & {
  /** Default 'concatenate', the strongest of the three in the CCE paper's runs. */
  combine?: Combination;
};

const checkOptions = optionsCheck<WithMethod<QuotientRemainderOptions>>('embedding (quotient-remainder)', {
  ...BUDGET,
  method: STRING,
  combine: STRING,
});

/** A table with two rows per id. The codebook has the remainder table first, then the quotient table. */
export class QuotientRemainder extends ComposedTable {
  readonly method = 'quotient-remainder';
  readonly combine: Combination;
  /** m: rows of the remainder table. */
  readonly remainders: number;

  private constructor(vocabularySize: number, combine: Combination, remainders: number, codebook: Matrix) {
    const columns = combine === 'concatenate' ? 2 : 1;
    super(vocabularySize, columns * codebook.dimensions, columns, 2 / columns, codebook);
    this.combine = combine;
    this.remainders = remainders;
  }

  /**
   * A new table.
   *
   * @throws {OptionError} when the budget is too small; the message has the smallest possible one
   */
  static create(options: QuotientRemainderOptions, context: TableContext): QuotientRemainder {
    checkOptions(options);
    const { vocabularySize, dimensions, seed, runtime } = checkContext(context);
    const combine = checkOneOf('combine', options.combine ?? 'concatenate', COMBINATIONS);
    const rowParameters = combine === 'concatenate' ? sliceWidth(dimensions, 2) : dimensions;
    const cost = {
      parameters: (rows: number) => rows * rowParameters,
      otherBytes: () => 0,
      rowsMin: fewestRows(vocabularySize),
      rowsMax: vocabularySize + 1,
    };
    const rows = affordRows('quotient-remainder', options, cost, context);
    const remainders = mostRemainders(vocabularySize, rows);
    const used = remainders + Math.ceil(vocabularySize / remainders);
    const generator = new Generator(seed).fork('rows');
    const codebook = initialRows(used, rowParameters, combine === 'add' ? 2 : 1, generator, runtime);
    // Gradients of a product of two rows near 0 are tiny, so quotients start around 1.
    if (combine === 'multiply') {
      const quotients = codebook.data.subarray(remainders * dimensions);
      for (let i = 0; i < quotients.length; i++) quotients[i] = quotients[i]! + 1;
    }
    return new QuotientRemainder(vocabularySize, combine, remainders, codebook);
  }

  protected override writePointers(ids: number, count: number, out: number): void {
    const { integers } = this.runtime.heap.memory;
    for (let i = 0; i < count; i++) {
      const id = integers[ids / 4 + i]!;
      integers[out / 4 + 2 * i] = id % this.remainders;
      integers[out / 4 + 2 * i + 1] = this.remainders + Math.floor(id / this.remainders);
    }
  }

  override rows(ids: Int32Array, out: Matrix): void {
    if (this.combine !== 'multiply') {
      super.rows(ids, out);
      return;
    }
    checkIds(ids, this.vocabularySize);
    const [to, d] = [out.data, this.dimensions];
    ids.forEach((id, i) => {
      const [remainder, quotient] = this.#pair(id);
      for (let t = 0; t < d; t++) to[i * out.dimensions + t] = remainder[t]! * quotient[t]!;
    });
  }

  override applyGradient(ids: Int32Array, gradients: Matrix, optimizer: SparseOptimizer): void {
    if (this.combine !== 'multiply') {
      super.applyGradient(ids, gradients, optimizer);
      return;
    }
    checkIds(ids, this.vocabularySize);
    const sums = new Map<number, Float32Array>();
    const d = this.dimensions;
    ids.forEach((id, i) => {
      const [remainder, quotient] = this.#pair(id);
      const gradient = gradients.row(i);
      addProduct(sums, id % this.remainders, gradient, quotient, d);
      addProduct(sums, this.remainders + Math.floor(id / this.remainders), gradient, remainder, d);
    });
    const summed = Matrix.from('gradients', [...sums.values()], this.runtime);
    optimizer.step(this.codebook, Int32Array.from(sums.keys()), summed);
    summed.free();
  }

  override save(): Saved {
    const { method, vocabularySize, combine, remainders, codebook } = this;
    return {
      kind: method,
      settings: { vocabularySize, combine, remainders, width: codebook.dimensions },
      sections: [{ name: 'codebook', bytes: bytesOf(codebook.data) }],
    };
  }

  /** Load a saved table. @throws {FormatError} when settings and sections do not fit together */
  static load(part: Part): QuotientRemainder {
    const { settings, runtime } = part;
    const vocabularySize = settings.integer('vocabularySize', { min: 1 });
    const combine = settings.oneOf('combine', COMBINATIONS);
    const remainders = settings.integer('remainders', { min: 1, max: vocabularySize });
    const width = settings.integer('width', { min: 1 });
    const rows = remainders + Math.ceil(vocabularySize / remainders);
    const block = part.memory('codebook', 4 * rows * width);
    return new QuotientRemainder(vocabularySize, combine, remainders, new Matrix(rows, width, runtime, block));
  }

  #pair(id: number): [remainder: Float32Array, quotient: Float32Array] {
    const { codebook, remainders } = this;
    return [codebook.row(id % remainders), codebook.row(remainders + Math.floor(id / remainders))];
  }
}

function addProduct(sums: Map<number, Float32Array>, row: number, a: Float32Array, b: Float32Array, d: number): void {
  let sum = sums.get(row);
  if (!sum) {
    sum = new Float32Array(d);
    sums.set(row, sum);
  }
  for (let t = 0; t < d; t++) sum[t] = sum[t]! + a[t]! * b[t]!;
}

/** min over m of m + ⌈V/m⌉, which is at m near √V. */
function fewestRows(vocabularySize: number): number {
  const root = Math.ceil(Math.sqrt(vocabularySize));
  return root + Math.ceil(vocabularySize / root);
}

/** The largest m whose remainders and quotients fit the rows: the larger m, the fewer ids share a remainder. */
function mostRemainders(vocabularySize: number, rows: number): number {
  let m = Math.ceil(Math.sqrt(vocabularySize));
  while (m < vocabularySize && m + 1 + Math.ceil(vocabularySize / (m + 1)) <= rows) m++;
  return m;
}
