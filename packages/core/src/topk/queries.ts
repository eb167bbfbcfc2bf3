/** Turns the queries of a call (raw features or embeddings, one or many) into rows in the linear memory. */
import { shown } from '../checks/numbers.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { checkFiniteRows } from '../vectors/check-finite.ts';
import { Matrix, type VectorsLike } from '../vectors/matrix.ts';
import { isRow } from '../vectors/vector-rows.ts';
import type { Queries, QueryModel } from './contract.ts';
import { copied, type VectorSource, vectorSource } from './vector-source.ts';

/**
 * The embeddings of queries as a source of rows.
 *
 * @param dimensions width of the candidates; 0 where there are none: any width is accepted
 * @throws {OptionError} when raw features come without a query model
 * @throws {ShapeError} when the embeddings are not as wide as the candidates
 */
export function resolveQueries<Q>(
  queries: Queries<Q>,
  queryModel: QueryModel<Q> | undefined,
  dimensions: number,
): VectorSource {
  const source = toSource(queries, queryModel);
  checkWidth(source, dimensions);
  return source;
}

/**
 * A copy of the embeddings of queries: the caller may change the queries and use the query model before the search
 * ends.
 */
export function heldQueries<Q>(queries: Queries<Q>, queryModel: QueryModel<Q> | undefined): VectorSource {
  return copied(toSource(queries, queryModel));
}

/** Check the width of queries. @throws {ShapeError} when there are queries and candidates and their widths differ */
export function checkWidth({ rows, dimensions: width }: VectorSource, dimensions: number): void {
  if (rows > 0 && dimensions > 0 && width !== dimensions) {
    throw new ShapeError(`queries: expected ${dimensions} dimensions as the candidates have, got ${width}`);
  }
}

function toSource<Q>(queries: Queries<Q>, queryModel: QueryModel<Q> | undefined): VectorSource {
  if (queries instanceof Matrix) return vectorSource('queries', queries);
  if (queryModel) {
    const features = Array.isArray(queries) ? (queries as readonly Q[]) : [queries as Q];
    if (features.length === 0) return { rows: 0, dimensions: 0, copy() {} };
    return vectorSource('queries', queryModel.embed(features));
  }
  if (typeof queries !== 'object' || queries === null || (Array.isArray(queries) && typeof queries[0] === 'string')) {
    throw new OptionError(`queries: expected embeddings, as there is no query model, got ${shown(queries)}`);
  }
  if (isRow(queries) && queries.length > 0) {
    const row = queries;
    return { rows: 1, dimensions: row.length, copy: (_begin, _end, to) => to.set(row) };
  }
  return vectorSource('queries', queries as VectorsLike);
}

/**
 * Copy rows [begin, end) of queries to `offset` in the linear memory.
 *
 * @throws {NotFiniteError} naming row and column of a NaN or an infinity
 */
export function writeQueries(runtime: Runtime, source: VectorSource, begin: number, end: number, offset: number): void {
  const [rows, { dimensions }] = [end - begin, source];
  source.copy(begin, end, runtime.heap.memory.floats.subarray(offset / 4, offset / 4 + rows * dimensions));
  checkFiniteRows('queries', runtime, { offset, rows, dimensions }, (row) => begin + row);
}
