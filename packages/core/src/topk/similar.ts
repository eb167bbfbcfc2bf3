/**
 * Item to item: the candidates most similar to a candidate, to several, or to a vector.
 *
 * Candidates are compared by cosine, ⟨x, y⟩/(|x||y|). The dot product, by which most indexes answer queries, is made for a query
 * and a candidate: the length of a candidate then says how much everybody likes it, so that among candidates the longest, which are
 * the most popular, would be similar to everything. docs/decisions/similar-items.md has figures. An index of squared distances
 * is compared by these: its vectors were made for them.
 *
 * Where the index orders by cosine itself, as its measure is the cosine or all its candidates have one length, its own search answers, with
 * its settings and its recall. Otherwise all candidates are looked at once, exactly (cosine-pass.ts).
 */
import { BOOLEAN, NUMBER, OBJECT, optionsCheck } from '../checks/options.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import { finish, finishAsync } from '../parallel/steps.ts';
import { Matrix } from '../vectors/matrix.ts';
import type { Reading } from './access.ts';
import { CALL, callOptions } from './call-options.ts';
import { commonLength, lengthOf } from './common-length.ts';
import type { CallOptions, UpdatableTopK } from './contract.ts';
import { cosinePass } from './cosine-pass.ts';
import type { Identifier } from './identifiers.ts';
import { TopKResult } from './result.ts';

/** The target of `similar`: one candidate by its identifier, several together, or a vector. */
export type SimilarTo<I extends Identifier> = I | readonly I[] | { readonly vector: ArrayLike<number> };

/** Options of `similar`: those of a call; the settings of the search are for an approximate index. */
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
 * The k candidates most similar to a candidate, to several, or to a vector; the candidates themselves are left out. Of several
 * candidates the mean of their unit vectors is asked, so that each counts alike. Scores are cosines, or −|x − y|² of an
 * index of squared distances.
 *
 * @throws {StateError} before `index`
 * @throws {IdentifierError} naming the first identifier that no candidate has
 * @throws {OptionError} when there is no candidate, or the vector has the length 0, so that it has no direction
 * @throws {ShapeError} when the vector is not as wide as the candidates
 */
export function similar<Q, I extends Identifier>(
  index: Index<Q, I>,
  to: SimilarTo<I>,
  k?: number | SimilarOptions<I>,
): TopKResult<I> {
  const { vector, options } = prepared(index, to, k);
  const matrix = matrixOf(vector);
  try {
    return searchSimilar(index, matrix, options);
  } finally {
    matrix.free();
  }
}

/** `similar` while the caller's thread goes on; until it resolves, changes of the candidates wait. */
export async function similarAsync<Q, I extends Identifier>(
  index: Index<Q, I>,
  to: SimilarTo<I>,
  k?: number | SimilarOptions<I>,
): Promise<TopKResult<I>> {
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
 * The vector that `similar` asks an index: [dimensions].
 *
 * @throws as `similar`
 */
export function similarityVector<Q, I extends Identifier>(index: Index<Q, I>, to: SimilarTo<I>): Float32Array {
  const { dimensions: d } = index.keptRows();
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
 * The candidates most similar to each of some vectors, with the options of a call of the index; nothing is left out unless they
 * say so.
 *
 * @param vectors [queries, dimensions] as `similarityVector` makes them
 * @throws as `call`
 */
export function searchSimilar<Q, I extends Identifier, O extends CallOptions<I>>(
  index: UpdatableTopK<Q, I, O>,
  vectors: Matrix,
  options: O,
): TopKResult<I> {
  const length = finish(orderingLength(index));
  if (length !== undefined) return scaled(index.call(vectors, options), 1 / length);
  return finish(passOf(index, vectors, options));
}

/** `searchSimilar` while the caller's thread goes on. @param within a read of the index, which this is a part of */
export async function searchSimilarAsync<Q, I extends Identifier, O extends CallOptions<I>>(
  index: UpdatableTopK<Q, I, O>,
  vectors: Matrix,
  options: O,
  within: Reading,
): Promise<TopKResult<I>> {
  const length = await finishAsync(orderingLength(index));
  if (length !== undefined) return scaled(await index.callAsync(vectors, options, within), 1 / length);
  return finishAsync(passOf(index, vectors, options));
}

/**
 * The number by which the scores of an index are divided to give those of `similar`, found in short steps; undefined where it orders candidates
 * otherwise.
 */
function* orderingLength<Q, I extends Identifier>(
  index: UpdatableTopK<Q, I, never>,
): Generator<void, number | undefined> {
  return index.distanceMeasure === 'dot_product' ? yield* commonLength(index) : 1;
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

/** The vector of a call and its options, which leave the candidates themselves out. */
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
  return { vector, options: { ...options, exclude: [...lists[0]!, ...(isVector(to) ? [] : identifiersOf(to))] } };
}

function isVector<I extends Identifier>(to: SimilarTo<I>): to is { readonly vector: ArrayLike<number> } {
  return typeof to === 'object' && 'vector' in to;
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
