/**
 * The query vector of a user who is known by the items of a history alone.
 *
 * Implicit ALS has a way of its own: the history is folded in by solving one d × d system (als/fold-in.ts). Any other model is
 * asked with the mean of the vectors of the items' candidates, as the index keeps them,
 *
 *   q = 1/|H| Σ_{i ∈ H} x_i
 *
 * scaled to length 1 where the vectors of the query tower are. Each item counts once, and the order does not matter.
 */
import { FoldIn } from '../als/fold-in.ts';
import { OptionError } from '../errors/errors.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { type Identifier, isUpdatable, type QueryModel, type TopK, type UpdatableTopK } from '../topk/contract.ts';
import { Tower } from '../towers/tower.ts';
import { Matrix } from '../vectors/matrix.ts';

/** An index that is asked by histories: one of a bundle, with the query model that it has. */
export type HistoryIndex<Q, I extends Identifier> = TopK<Q, I> & {
  readonly queryModel?: QueryModel<Q> | undefined;
  readonly runtime?: Runtime;
};

/** A history as a model sees it: each item once, in order. */
export interface SplitHistory<I extends Identifier> {
  /** Items that the model has a vector for. */
  readonly known: readonly I[];
  readonly unknown: readonly I[];
}

/** Query vectors of histories. */
export interface HistoryVectors<I extends Identifier> {
  /** [histories, d]; what `call` takes as embeddings. */
  readonly vectors: Matrix;
  /** Of each history the items that the model does not know, which count for nothing. */
  readonly unknown: readonly (readonly I[])[];
}

/**
 * Which items of a history a model knows: those of the fold-in, else the candidates of the index.
 *
 * @throws {OptionError} when the index does not hold its candidates
 * @throws {IdentifierError} when an item is not of the type of the index's identifiers
 */
export function splitHistory<Q, I extends Identifier>(
  index: HistoryIndex<Q, I>,
  history: readonly I[],
): SplitHistory<I> {
  const isKnown = itemsKnownBy(index);
  const known: I[] = [];
  const unknown: I[] = [];
  for (const item of new Set(history)) (isKnown(item) ? known : unknown).push(item);
  return { known, unknown };
}

/**
 * The query vectors of histories.
 *
 * @throws {OptionError} when none of the items of a history is known, or the index does not hold its candidates
 * @throws {IdentifierError} when an item is not of the type of the index's identifiers
 */
export function historyVectors<Q, I extends Identifier>(
  index: HistoryIndex<Q, I>,
  histories: readonly (readonly I[])[],
): HistoryVectors<I> {
  const split = histories.map((history) => splitHistory(index, history));
  const nobody = split.findIndex(({ known }) => known.length === 0);
  if (nobody >= 0) {
    const { length } = split[nobody]!.unknown;
    throw new OptionError(`histories[${nobody}]: expected an item that the model knows, got none among ${length}`);
  }
  const known = split.map(({ known }) => known);
  const { queryModel, runtime } = index;
  const vectors = new Matrix(histories.length, index.dimensions, runtime);
  if (queryModel instanceof FoldIn) vectors.data.set(queryModel.embed(known.map((items) => items.map(String))).data);
  else setMeans(vectors.data, heldBy(index), known, queryModel instanceof Tower && queryModel.normalize);
  return { vectors, unknown: split.map(({ unknown }) => unknown) };
}

function itemsKnownBy<Q, I extends Identifier>(index: HistoryIndex<Q, I>): (item: I) => boolean {
  const { queryModel } = index;
  if (queryModel instanceof FoldIn) {
    const { items } = queryModel.parts;
    return (item) => items.idOf(String(item)) !== items.oovId;
  }
  const held = heldBy(index);
  return (item) => held.hasCandidate(item);
}

/** @throws {OptionError} when the index does not hold its candidates */
function heldBy<Q, I extends Identifier>(index: HistoryIndex<Q, I>): UpdatableTopK<Q, I> {
  if (isUpdatable(index)) return index;
  throw new OptionError('index: expected one that holds its candidates, as BruteForce and ScaNN do');
}

function setMeans<Q, I extends Identifier>(
  data: Float32Array,
  index: UpdatableTopK<Q, I>,
  histories: readonly (readonly I[])[],
  isUnitLength: boolean,
): void {
  const d = index.dimensions;
  histories.forEach((items, row) => {
    const candidates = index.candidateVectors(items).data;
    // In double precision: the order of a history must not change its answer but in the last bit.
    const mean = new Float64Array(d);
    for (let at = 0; at < candidates.length; at++) mean[at % d] = mean[at % d]! + candidates[at]! / items.length;
    const length = isUnitLength ? Math.hypot(...mean) : 1;
    for (let t = 0; t < d; t++) data[row * d + t] = length > 0 ? mean[t]! / length : 0;
  });
}
