/**
 * The interface of all embedding tables: a table returns a row of d floats for each id and takes gradients of these
 * rows.
 *
 * The trainer reads the rows of the distinct ids of a batch and passes one gradient per distinct id; it sums the
 * gradients of duplicates before, as Keras does with IndexedSlices. A compressed table has fewer parameters than ids ×
 * d and computes rows and parameter gradients itself.
 */
import type { Savable } from '../format/saved.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import type { Matrix } from '../vectors/matrix.ts';

/** A table of `vocabularySize` embeddings of `dimensions` floats. */
export interface EmbeddingTable extends Savable {
  /** The method, such as 'full'; it is also the kind of the saved table. */
  readonly method: string;
  /** Ids are 0 … vocabularySize − 1. */
  readonly vocabularySize: number;
  readonly dimensions: number;
  /** Trained float32 parameters. */
  readonly parameters: number;
  /** Every trained matrix, in a fixed order. */
  trained(): Matrix[];
  /** Write the rows of ids to the first `dimensions` columns of out [ids.length, stride]. */
  rows(ids: Int32Array, out: Matrix): void;
  /**
   * Do one optimizer step on the rows of distinct ids. Gradients are [ids.length, dimensions], with the row stride of
   * the matrix.
   */
  applyGradient(ids: Int32Array, gradients: Matrix, optimizer: SparseOptimizer): void;
  /** Bytes that `save` writes. */
  sizeBytes(): number;
}
