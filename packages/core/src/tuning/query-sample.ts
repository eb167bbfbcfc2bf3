/**
 * The queries that settings are tuned on: a sample in the linear memory, and recall in two parts of it.
 *
 * Settings are chosen on the even queries and checked on the odd ones. A choice among many settings favours those that
 * happen to suit the queries it was made on; the error of a mean says by how much to ask for more, and the check has not
 * seen the choice. Letters: s shared results of a query, w its exact ones, R = Σs / Σw.
 */
import { OptionError } from '../errors/errors.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Queries, QueryModel } from '../topk/contract.ts';
import { resolveQueries } from '../topk/queries.ts';
import { type RowsOfQueries, sharedRows } from '../topk/recall.ts';
import { vectorSource } from '../topk/vector-source.ts';
import { Matrix, type VectorsLike } from '../vectors/matrix.ts';

/** Standard errors below the mean: one setting in twenty that only seems to reach a target passes, before it is checked. */
const MARGIN_ERRORS = 1.645;

/** The parts of an index that tell what its queries are: its query model, where it has one, and the width of its candidates. */
export interface Asked<Q> {
  queryModel: QueryModel<Q> | undefined;
  dimensions: number;
  runtime: Runtime;
}

/**
 * The first queries as embeddings: raw features where there is a query model, as in a call; embeddings as a `Matrix` or
 * as `{ data, dimensions }` always, and as rows of numbers where there is none.
 *
 * @throws {OptionError} when there is no query, or raw features come without a query model
 * @throws {ShapeError} when they are not as wide as the candidates
 */
export function sampleQueries<Q>(
  { queryModel, dimensions, runtime }: Asked<Q>,
  queries: Queries<Q> | VectorsLike,
  sampleSize: number,
): Matrix {
  const isFlat = typeof queries === 'object' && queries !== null && 'data' in queries && 'dimensions' in queries;
  const features = Array.isArray(queries) ? queries.slice(0, sampleSize) : queries;
  const source = isFlat
    ? vectorSource('queries', queries as VectorsLike)
    : resolveQueries(features as Queries<Q>, queryModel, dimensions);
  const rows = Math.min(source.rows, sampleSize);
  if (rows === 0) throw new OptionError('queries: expected at least one, got none');
  const sample = new Matrix(rows, source.dimensions, runtime);
  source.copy(0, rows, sample.data);
  return sample;
}

/** Recall in the two parts of a sample. */
export interface SampledRecall {
  /** Over all queries. */
  recall: number;
  /** R of the part that settings are chosen on, less 1.645 of its standard errors. */
  recallLowerBound: number;
  /** R of the other part; of all where there is one query. */
  checkedRecall: number;
}

/** Recall of what was found, as a whole and in its parts. */
export function sampledRecall(found: RowsOfQueries, exact: RowsOfQueries): SampledRecall {
  const shared: number[] = [];
  const wanted: number[] = [];
  for (let query = 0; query < exact.queries; query++) {
    const rows = exact.rowsOf(query);
    shared.push(sharedRows(found.rowsOf(query), rows));
    wanted.push(rows.length);
  }
  const choosing = partOf(shared, wanted, (query) => query % 2 === 0);
  const checking = shared.length > 1 ? partOf(shared, wanted, (query) => query % 2 === 1) : choosing;
  return {
    recall: partOf(shared, wanted, () => true).recall,
    recallLowerBound: choosing.recall - MARGIN_ERRORS * choosing.error,
    checkedRecall: checking.recall,
  };
}

/** R of some of the queries, and its standard error as a ratio of means. */
function partOf(
  shared: readonly number[],
  wanted: readonly number[],
  isIn: (query: number) => boolean,
): { recall: number; error: number } {
  const queries = shared.map((_, query) => query).filter(isIn);
  const sum = (values: readonly number[]): number => queries.reduce((total, query) => total + values[query]!, 0);
  const all = sum(wanted);
  if (all === 0) return { recall: 1, error: 0 };
  const recall = sum(shared) / all;
  const squares = queries.reduce((total, query) => total + (shared[query]! - recall * wanted[query]!) ** 2, 0);
  const n = queries.length;
  return { recall, error: n > 1 ? Math.sqrt((n / (n - 1)) * squares) / all : 0 };
}
