/**
 * Similar items: the candidates most similar to one candidate, to several candidates, or to a vector.
 *
 * Candidates are compared by cosine, ⟨x, y⟩/(|x||y|), and not by the dot product. The length of a candidate's vector
 * grows with its popularity, so by the dot product the most popular candidates would be the most similar to every
 * candidate. docs/decisions/similar-items.md has the figures. An index with the measure squared_l2 compares candidates
 * by −|x − y|², for which its vectors were trained.
 *
 * Where the index itself orders candidates by cosine (its measure is the cosine, or all candidates have the same
 * length), its own search is used, with its settings and its recall. Otherwise every candidate is compared exactly, in
 * one pass (cosine-pass.ts).
 */
import { checkArgument } from '../checks/arguments.ts';
import { BOOLEAN, NUMBER, OBJECT, objectWith, optionsCheck } from '../checks/options.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import { finish, finishAsync } from '../parallel/steps.ts';
import { MATRIX, Matrix } from '../vectors/matrix.ts';
import type { Reading } from './access.ts';
import { CALL, callOptions } from './call-options.ts';
import { commonLength, lengthOf } from './common-length.ts';
import type { CallOptions, UpdatableTopK } from './contract.ts';
import { cosinePass } from './cosine-pass.ts';
import type { Identifier } from './identifiers.ts';
import { joinedLists } from './long-lists.ts';
import { TopKResult } from './result.ts';

const INDEX = objectWith(
  'an index whose candidates can be updated',
  'callAsync',
  'access',
  'keptRows',
  'candidateVectors',
);

/** The target of `similar`: one candidate by its identifier, several together, or a vector. */
export type SimilarTo<I extends Identifier> = I | readonly I[] | { readonly vector: ArrayLike<number> };

/** Options of `similar`: the options of a call, and two settings of the search that only an approximate index accepts. */
export interface SimilarOptions<I extends Identifier> extends CallOptions<I> {
  leavesToSearch?: number | undefined;
  reorder?: number | undefined;
}

type Index<Q, I extends Identifier> = UpdatableTopK<Q, I, CallOptions<I>>;

const checkExact = optionsCheck<CallOptions<never>>('similar', CALL);
const checkApproximate = optionsCheck<SimilarOptions<never> & { work?: object; exact?: boolean }>('similar', {
  ...CALL,
  leavesToSearch: NUMBER,
  reorder: NUMBER,
  exact: BOOLEAN,
  work: OBJECT,
});

/**
 * The k candidates most similar to one candidate, to several candidates, or to a vector; the given candidates are
 * excluded. For several candidates the query is the mean of their unit vectors, so that all have the same weight.
 * Scores are cosines, or −|x − y|² for an index with the measure squared_l2.
 *
 * @throws {StateError} before `index`
 * @throws {IdentifierError} naming the first identifier that no candidate has
 * @throws {OptionError} when `to` names no candidate, or the vector has the length 0 and so no direction
 * @throws {ShapeError} when the vector is not as wide as the candidates
 */
export function similar<Q, I extends Identifier>(
  index: Index<Q, I>,
  to: SimilarTo<I>,
  k?: number | SimilarOptions<I>,
): TopKResult<I> {
  checkArgument('index', index, INDEX);
  const { vector, options } = prepared(index, to, k);
  const matrix = matrixOf(vector);
  try {
    return searchSimilar(index, matrix, options);
  } finally {
    matrix.free();
  }
}

/**
 * `similar` on the worker threads; the caller's thread is free meanwhile. Changes of the candidates wait until it has
 * ended.
 */
export async function similarAsync<Q, I extends Identifier>(
  index: Index<Q, I>,
  to: SimilarTo<I>,
  k?: number | SimilarOptions<I>,
): Promise<TopKResult<I>> {
  checkArgument('index', index, INDEX);
  return index.access.read('similarAsync', async (reading) => {
    const { vector, options } = prepared(index, to, k);
    const matrix = matrixOf(vector);
    try {
      return await searchSimilarAsync(index, matrix, options, reading);
    } finally {
      matrix.free();
    }
  });
}

/**
 * The query vector of `similar`: [dimensions], of length 1 where candidates are compared by cosine.
 *
 * @throws as `similar`
 */
export function similarityVector<Q, I extends Identifier>(index: Index<Q, I>, to: SimilarTo<I>): Float32Array {
  checkArgument('index', index, INDEX);
  const { dimensions: d } = index.keptRows();
  // An index that never had a candidate has no width: it takes a vector of any, and finds nothing.
  if (d === 0 && isVector(to)) return Float32Array.from(to.vector);
  const isByCosine = index.distanceMeasure !== 'squared_l2';
  const data = isVector(to) ? Float32Array.from(to.vector) : index.candidateVectors(identifiersOf(to)).data;
  if (isVector(to) && data.length !== d) throw new ShapeError(`vector: expected ${d} numbers, got ${data.length}`);
  const rows = data.length / d;
  const mean = new Float64Array(d);
  for (let row = 0; row < rows; row++) {
    const length = isByCosine ? lengthOf(data.subarray(row * d, (row + 1) * d)) : 1;
    for (let t = 0; t < d && length > 0; t++) mean[t]! += data[row * d + t]! / length / rows;
  }
  const vector = Float32Array.from(mean);
  if (!isByCosine) return vector;
  const length = lengthOf(vector);
  if (length === 0) throw new OptionError('vector: expected one with a direction, got only zeros');
  return vector.map((x) => x / length);
}

/**
 * The candidates most similar to each of some vectors. Candidates are excluded only where the options of the call say
 * so.
 *
 * @param vectors [queries, dimensions], each row made by `similarityVector`
 * @throws as `call`
 */
export function searchSimilar<Q, I extends Identifier, O extends CallOptions<I>>(
  index: UpdatableTopK<Q, I, O>,
  vectors: Matrix,
  options: O,
): TopKResult<I> {
  checkArgument('index', index, INDEX);
  checkArgument('vectors', vectors, MATRIX);
  const length = finish(orderingLength(index));
  if (length !== undefined) return scaled(index.call(vectors, options), 1 / length);
  return finish(passOf(index, vectors, options));
}

/** `searchSimilar` on the worker threads. @param within the read of the index that this search is a part of */
export async function searchSimilarAsync<Q, I extends Identifier, O extends CallOptions<I>>(
  index: UpdatableTopK<Q, I, O>,
  vectors: Matrix,
  options: O,
  within: Reading,
): Promise<TopKResult<I>> {
  checkArgument('index', index, INDEX);
  checkArgument('vectors', vectors, MATRIX);
  const length = await finishAsync(orderingLength(index));
  if (length !== undefined) return scaled(await index.callAsync(vectors, options, within), 1 / length);
  return finishAsync(passOf(index, vectors, options));
}

/**
 * The number by which the scores of the index must be divided to get the scores of `similar`; undefined where the index
 * orders candidates differently. It is computed in short steps.
 */
function* orderingLength<Q, I extends Identifier>(
  index: UpdatableTopK<Q, I, never>,
): Generator<void, number | undefined> {
  return index.distanceMeasure === 'dot_product' && index.size > 0 ? yield* commonLength(index) : 1;
}

function passOf<Q, I extends Identifier, O extends CallOptions<I>>(
  index: UpdatableTopK<Q, I, O>,
  vectors: Matrix,
  options: O,
): Generator<void, TopKResult<I>> {
  const check = 'callExactly' in index ? checkApproximate : checkExact;
  return cosinePass(index.keptRows(), vectors.data.slice(), callOptions<I, O>(options, index.k, check));
}

function scaled<I extends Identifier>(result: TopKResult<I>, factor: number): TopKResult<I> {
  if (factor === 1) return result;
  const { k, counts, scores, rows } = result;
  const identifierOf = (row: number): I => result.identifierOf(row);
  return new TopKResult(
    k,
    counts,
    scores.map((score) => score * factor),
    rows,
    identifierOf,
  );
}

/** The query vector and the options of the call, which exclude the given candidates. */
function prepared<Q, I extends Identifier>(
  index: Index<Q, I>,
  to: SimilarTo<I>,
  k: number | SimilarOptions<I> | undefined,
): { vector: Float32Array; options: SimilarOptions<I> } {
  const check = 'callExactly' in index ? checkApproximate : checkExact;
  const options = callOptions<I, SimilarOptions<I>>(k, index.k, check);
  const vector = similarityVector(index, to);
  const { exclude = [] } = options;
  const lists = (exclude.length > 0 && Array.isArray(exclude[0]) ? exclude : [exclude]) as readonly (readonly I[])[];
  if (lists.length > 1) throw new ShapeError(`exclude: expected one list, got ${lists.length}`);
  return { vector, options: { ...options, exclude: joinedLists(lists[0]!, isVector(to) ? [] : identifiersOf(to)) } };
}

function isVector<I extends Identifier>(to: SimilarTo<I>): to is { readonly vector: ArrayLike<number> } {
  return typeof to === 'object' && to !== null && 'vector' in to;
}

/** @throws {OptionError} when there is none */
function identifiersOf<I extends Identifier>(to: I | readonly I[]): readonly I[] {
  const identifiers = Array.isArray(to) ? (to as readonly I[]) : [to as I];
  if (identifiers.length === 0) throw new OptionError('similar: expected at least one identifier, got none');
  return identifiers;
}

function matrixOf(vector: Float32Array): Matrix {
  const matrix = new Matrix(1, vector.length);
  matrix.data.set(vector);
  return matrix;
}
