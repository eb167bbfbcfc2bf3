/**
 * The embedding bag: the embeddings e of a list of ids with the weights w become one vector.
 *
 *   sum Σ w·e,   mean Σ w·e / Σ w,   sqrtn Σ w·e / √(Σ w²);   an empty list, or one whose weights are all 0, gives zeros
 *
 * All three are weighted sums, so that the gradient of an id is the gradient of the vector times the same weight. A full
 * table is read in place; for other tables, the rows of the distinct ids of the batch are computed first.
 *
 * Source: TensorFlow's `embedding_lookup_sparse`; PyTorch's EmbeddingBag.
 */

import type { EmbeddingTable } from '../embeddings/contract.ts';
import { FullTable } from '../embeddings/full.ts';
import { checkIds } from '../embeddings/ids.ts';
import type { BagColumn, FeatureColumn } from '../features/contract.ts';
import type { Combiner } from '../features/spec.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import { distinctFeatures } from './distinct-features.ts';
import { numbersTo, type RowAdder } from './row-sums.ts';

/**
 * Ids to embed: one list of ids per row. The vector of a row is the sum of the embeddings of its ids times their
 * weights.
 */
export interface WeightedIds {
  /** [n + 1] */
  offsets: Int32Array;
  ids: Int32Array;
  /** Undefined where all weights are 1. */
  weights: Float32Array | undefined;
}

/** The ids of a column with the weights of the sum. @param combiner the combiner of the column's bags */
export function weightedIds(column: Exclude<FeatureColumn, { kind: 'floats' }>, combiner: Combiner): WeightedIds {
  if (column.kind === 'ids') return { offsets: numbersTo(column.ids.length), ids: column.ids, weights: undefined };
  const { offsets, ids } = column;
  return { offsets, ids, weights: combiner === 'sum' ? column.weights : dividedWeights(column, combiner) };
}

/** Weights divided by Σ w, or by √(Σ w²), of their bag; 0 where that is 0. */
function dividedWeights({ offsets, ids, weights }: BagColumn, combiner: 'mean' | 'sqrtn'): Float32Array {
  const divided = new Float32Array(ids.length);
  for (let row = 0; row + 1 < offsets.length; row++) {
    const [from, to] = [offsets[row]!, offsets[row + 1]!];
    let sum = weights ? 0 : to - from;
    for (let i = from; weights && i < to; i++) sum += combiner === 'mean' ? weights[i]! : weights[i]! ** 2;
    const divisor = combiner === 'mean' ? sum : Math.sqrt(sum);
    for (let i = from; i < to; i++) divided[i] = divisor === 0 ? 0 : (weights ? weights[i]! : 1) / divisor;
  }
  return divided;
}

/**
 * Write the vectors of rows of ids to the columns of `out` from `column` on.
 *
 * @throws {OptionError} naming the id that is not one of the table's
 */
export function embedBags(
  table: EmbeddingTable,
  { offsets, ids, weights }: WeightedIds,
  adder: RowAdder,
  out: Matrix,
  column: number,
): void {
  withPlaces(table, ids, out.runtime, (places) => {
    adder.sum({ offsets, places, weights }, table.dimensions, out, column);
  });
}

/**
 * Call `use` with the place of the row of each id: the number of its first float in the linear memory. Rows that the table
 * computes are freed afterwards.
 *
 * @throws {OptionError} naming the id that is not one of the table's
 */
export function withPlaces(
  table: EmbeddingTable,
  ids: Int32Array,
  runtime: Runtime,
  use: (places: Int32Array) => void,
): void {
  const { dimensions } = table;
  if (table instanceof FullTable) {
    checkIds(ids, table.vocabularySize);
    const base = table.codebook.offset / 4;
    use(ids.map((id) => base + id * dimensions));
    return;
  }
  const { first, groupOf } = distinctFeatures([{ kind: 'ids', ids }], ids.length);
  const rows = new Matrix(first.length, dimensions, runtime);
  table.rows(
    first.map((at) => ids[at]!),
    rows,
  );
  const base = rows.offset / 4;
  use(groupOf.map((group) => base + group * dimensions));
  rows.free();
}
