/**
 * Interactions that need not fit into memory: a source gives their rows pass after pass, in pieces, from any row on.
 *
 * `fit` reads blocks of `shuffleBuffer` rows, one ahead of the training, and trains on the rows of a block in a seeded
 * order. A resumed run asks the source for the rows of the block in which it was interrupted, and for none before.
 */
import type { Features } from '../towers/tower-inputs.ts';
import type { RetrievalDataset } from './dataset.ts';

/** The rows of interactions, read from files or a service. */
export interface RetrievalSource<Q extends Features, C extends Features> {
  /**
   * A name of the data and of the order of its rows, for example a hash of a file. A checkpoint keeps it, and a run cannot be
   * resumed with a source of another name.
   */
  readonly fingerprint: string;
  /** The number of rows of a pass; undefined: `fit` counts them in a pass before the training. */
  readonly rows: number | undefined;
  /** Begin a pass: give all rows from row `skip` on, in the same order in every pass, in pieces of any size. */
  read(skip: number): AsyncIterable<RetrievalDataset<Q, C>> | Iterable<RetrievalDataset<Q, C>>;
}

/** True for a source, false for a data set in memory. */
export function isSource<Q extends Features, C extends Features>(
  dataset: RetrievalDataset<Q, C> | RetrievalSource<Q, C>,
): dataset is RetrievalSource<Q, C> {
  return typeof dataset === 'object' && dataset !== null && 'read' in dataset;
}
