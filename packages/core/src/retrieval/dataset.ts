/**
 * A data set of interactions, encoded once: raw features become columns of numbers before the first epoch.
 *
 * Letters: N rows; row i says that query features i chose candidate features i.
 */
import { LIST, optionsCheck, required } from '../checks/options.ts';
import { NotFiniteError, OptionError, ShapeError } from '../errors/errors.ts';
import type { EncodedFeatures } from '../towers/encoded-features.ts';
import type { Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';

/** Interactions as columns of raw features. */
export interface RetrievalDataset<Q extends Features, C extends Features> {
  /** [N] features of the query side. */
  queries: readonly Q[];
  /** [N] features of the candidate that was chosen. */
  candidates: readonly C[];
  /** [N] weights, ≥ 0; default 1. */
  sampleWeight?: ArrayLike<number> | undefined;
  /** [N] the probability that each row's candidate is drawn into a batch; default: no correction. */
  candidateSamplingProbability?: ArrayLike<number> | undefined;
  /** [N] identifiers of the candidates, for accidental hits and id-based metrics; default: the encoded features. */
  candidateIds?: readonly (string | number | bigint)[] | undefined;
}

const checkDataset = optionsCheck<RetrievalDataset<never, never>>('dataset', {
  queries: required(LIST),
  candidates: required(LIST),
  sampleWeight: LIST,
  candidateSamplingProbability: LIST,
  candidateIds: LIST,
});

/** Interactions, or the rows of a batch of them, with encoded features. */
export interface EncodedDataset {
  rows: number;
  queries: EncodedFeatures;
  candidates: EncodedFeatures;
  sampleWeight: ArrayLike<number> | undefined;
  candidateSamplingProbability: ArrayLike<number> | undefined;
  identifiers: readonly (string | number | bigint)[] | undefined;
  /** Candidates that are negatives of all rows; the probabilities are then those of the rows, these and a memory's. */
  negatives?: EncodedFeatures;
  /** [rows + negatives] the candidate of each row and negative, as a number that equal ones share. */
  columnKeys?: Int32Array;
  /** [rows + negatives] the share of each in the training data. */
  columnShares?: Float64Array;
}

/**
 * Encode a data set by the towers that will read it.
 *
 * @throws {ShapeError} when it is empty or its columns differ in length
 * @throws {NotFiniteError} when a weight or probability is NaN or infinite
 */
export function encodeDataset<Q extends Features, C extends Features>(
  dataset: RetrievalDataset<Q, C>,
  queryTower: Tower<Q>,
  candidateTower: Tower<C>,
): EncodedDataset {
  const { queries, candidates, sampleWeight, candidateSamplingProbability, candidateIds } = checkDataset(dataset);
  const rows = queries.length;
  if (rows === 0) throw new ShapeError('dataset: expected at least one interaction, got none');
  const lengths = { candidates, sampleWeight, candidateSamplingProbability, candidateIds };
  for (const [name, column] of Object.entries(lengths)) {
    if (column && column.length !== rows) {
      throw new ShapeError(`dataset.${name}: expected ${rows}, one per query, got ${column.length}`);
    }
  }
  checkColumn('dataset.sampleWeight', sampleWeight);
  checkColumn('dataset.candidateSamplingProbability', candidateSamplingProbability);
  return {
    rows,
    queries: queryTower.encode(queries),
    candidates: candidateTower.encode(candidates),
    sampleWeight,
    candidateSamplingProbability,
    identifiers: candidateIds,
  };
}

function checkColumn(name: string, column: ArrayLike<number> | undefined): void {
  for (let i = 0; column && i < column.length; i++) {
    if (!Number.isFinite(column[i]))
      throw new NotFiniteError(`${name}: expected finite numbers, got ${column[i]} in row ${i}`);
    if (column[i]! < 0) throw new OptionError(`${name}: expected numbers of at least 0, got ${column[i]} in row ${i}`);
  }
}

/** The rows `order[begin … end)` of a data set; without an order the rows begin … end themselves. */
export function takeBatch(dataset: EncodedDataset, begin: number, end: number, order?: Int32Array): EncodedDataset {
  const taken = order?.subarray(begin, end);
  const rows = end - begin;
  const row = (i: number): number => (taken ? taken[i]! : begin + i);
  const features = (all: EncodedFeatures): EncodedFeatures => (taken ? all.take(taken) : all.slice(begin, end));
  const numbers = (all: ArrayLike<number> | undefined): Float64Array | undefined =>
    all && Float64Array.from({ length: rows }, (_, i) => all[row(i)]!);
  const { identifiers } = dataset;
  return {
    rows,
    queries: features(dataset.queries),
    candidates: features(dataset.candidates),
    sampleWeight: numbers(dataset.sampleWeight),
    candidateSamplingProbability: numbers(dataset.candidateSamplingProbability),
    identifiers: identifiers && Array.from({ length: rows }, (_, i) => identifiers[row(i)]!),
  };
}
