/**
 * A batch as the retrieval loss sees it: distinct queries and candidates, and the row and the column of each.
 *
 * Row i is (query queryOf[i], positive column i); columns past the last row are shared negatives. The loss is over rows
 * and columns; equal ones are grouped only to save work. Letters: B rows, n columns, U distinct queries, M distinct
 * candidates.
 */

import { checkArgument, NUMBERS } from '../checks/arguments.ts';
import { OBJECT } from '../checks/options.ts';
import { NotFiniteError, OptionError, ShapeError } from '../errors/errors.ts';
import { MATRIX, type Matrix } from '../vectors/matrix.ts';

/** Probabilities are raised to this before their logarithm, as in TFRS: 0 then counts as 13.8, not as infinity. */
const PROBABILITY_MIN = 1e-6;

/** The inputs of the loss of a batch. */
export interface RetrievalBatch {
  /** [U · heads, stride] distinct query embeddings; stride a multiple of 4, padding 0. */
  queries: Matrix;
  /** [M, stride] distinct candidate embeddings. */
  candidates: Matrix;
  /** Columns of the embeddings before those of biases; default all. The length of a vector is that of these. */
  vectorDimensions?: number;
  /** [B] the distinct query of each row. */
  queryOf: Int32Array;
  /** [n], n ≥ B: the distinct candidate of each column. */
  candidateOf: Int32Array;
  /** Vectors a query has; the score is the best of them (maxsim). Default 1. */
  heads?: number;
  /** [B] weights of the rows, ≥ 0; default 1. */
  sampleWeight?: ArrayLike<number> | undefined;
  /** [n] how likely each column was to be sampled; default: no correction. */
  candidateSamplingProbability?: ArrayLike<number> | undefined;
  /** [n] identifiers of the columns, for accidental hits. */
  candidateIds?: readonly unknown[] | Int32Array | undefined;
  /** [B][n] false: the pair is left out. */
  scoreMask?: readonly (readonly boolean[])[] | undefined;
}

/** The loss of a batch and its gradients; the matrices are the caller's to free. */
export interface RetrievalGradient {
  /** Σ over rows. */
  loss: number;
  /** Same shape as `queries`. */
  queryGradients: Matrix;
  /** Same shape as `candidates`. */
  candidateGradients: Matrix;
}

/**
 * Refuse a batch whose parts do not fit together.
 *
 * @throws {ShapeError} lengths differ, or there are fewer columns than rows
 * @throws {NotFiniteError} a weight or probability is not a finite number
 * @throws {OptionError} a weight is negative, or a mask hides a row's own positive
 */
export function checkBatch(batch: RetrievalBatch): void {
  checkArgument('batch', batch, OBJECT);
  const { queries, candidates, queryOf, candidateOf, sampleWeight, candidateSamplingProbability, scoreMask } = batch;
  checkArgument('queries', queries, MATRIX);
  checkArgument('candidates', candidates, MATRIX);
  checkArgument('queryOf', queryOf, NUMBERS);
  checkArgument('candidateOf', candidateOf, NUMBERS);
  const [rows, columns] = [queryOf.length, candidateOf.length];
  if (queries.dimensions !== candidates.dimensions) {
    throw new ShapeError(
      `embeddings: expected queries and candidates of one width, got ${queries.dimensions} and ${candidates.dimensions}`,
    );
  }
  if (rows === 0) throw new ShapeError('queries: expected at least one row, got none');
  if (columns < rows)
    throw new ShapeError(`candidates: expected at least ${rows} columns, one per row, got ${columns}`);
  checkNumbers('sampleWeight', sampleWeight, rows);
  checkNumbers('candidateSamplingProbability', candidateSamplingProbability, columns);
  if (batch.candidateIds && batch.candidateIds.length !== columns) {
    throw new ShapeError(`candidateIds: expected ${columns}, one per column, got ${batch.candidateIds.length}`);
  }
  if (!scoreMask) return;
  if (scoreMask.length !== rows) throw new ShapeError(`scoreMask: expected ${rows} rows, got ${scoreMask.length}`);
  scoreMask.forEach((row, i) => {
    if (row.length !== columns) {
      throw new ShapeError(`scoreMask: expected ${columns} columns, got ${row.length} in row ${i}`);
    }
    if (!row[i])
      throw new OptionError(`scoreMask: expected every row's own positive to be kept, got false in row ${i}`);
  });
}

function checkNumbers(name: string, values: ArrayLike<number> | undefined, length: number): void {
  if (!values) return;
  if (values.length !== length) throw new ShapeError(`${name}: expected ${length} numbers, got ${values.length}`);
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(values[i]))
      throw new NotFiniteError(`${name}: expected finite numbers, got ${values[i]} at ${i}`);
    if (values[i]! < 0) throw new OptionError(`${name}: expected numbers of at least 0, got ${values[i]} at ${i}`);
  }
}

/** The logarithm that is taken off a column's logit: log of its clipped sampling probability. */
export function logCorrection(probabilities: ArrayLike<number> | undefined, column: number): number {
  return probabilities ? Math.log(Math.min(1, Math.max(PROBABILITY_MIN, probabilities[column]!))) : 0;
}
