/**
 * The contract of every embedding table: ids in, rows of d floats out, gradients in.
 *
 * A table is not a layer of a graph: the trainer asks for the rows of the distinct ids of a batch, and gives back one
 * gradient per distinct id (duplicates summed before, as Keras does with IndexedSlices). A compressed table keeps fewer
 * parameters than ids × d and maps both ways itself.
 */
import type { Savable } from '../format/saved.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import type { Matrix } from '../vectors/matrix.ts';

/** A table of `vocabularySize` embeddings of `dimensions` floats. */
export interface EmbeddingTable extends Savable {
  /** The method, which is also the kind it is saved as: 'full', … */
  readonly method: string;
  /** Ids are 0 … vocabularySize − 1. */
  readonly vocabularySize: number;
  readonly dimensions: number;
  /** Trained float32 parameters. */
  readonly parameters: number;
  /** Every trained matrix, in a fixed order. */
  trained(): Matrix[];
  /** Rows of the ids, written to out [ids.length, outStride floats], first `dimensions` columns of each. */
  rows(ids: Int32Array, out: Matrix): void;
  /**
   * One optimizer step on the rows of distinct ids: gradients [ids.length, dimensions], row stride that of the matrix.
   */
  applyGradient(ids: Int32Array, gradients: Matrix, optimizer: SparseOptimizer): void;
  /** Bytes of what `save` writes: everything the table needs to be served. */
  sizeBytes(): number;
}
