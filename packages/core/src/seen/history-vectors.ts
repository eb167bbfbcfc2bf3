/**
 * Computes the query vector of a user from the items of a history, for users whom the model does not know.
 *
 * Implicit ALS folds a history in by solving one d × d system (als/fold-in.ts). A history tower (a tower whose only
 * feature is a list of words) embeds the history. For any other model the query vector is the weighted mean of the unit
 * vectors of the items, as the index keeps them,
 *
 *   q = Σ_i w_i x_i/|x_i| / Σ_i w_i,   w_i = 2^(−a_i/3),
 *
 * where a_i is the number of other items that were chosen after item i. It is scaled to length 1 if the query tower
 * scales its vectors. Columns of biases are no part of the mean: the query's are those of a query without a bias. For an index with the measure squared_l2 it is the weighted mean of the vectors themselves. An
 * item that was chosen several times counts once, at its last place. Figures for the weights:
 * docs/decisions/histories.md.
 */

import { FoldIn } from '../als/fold-in.ts';
import { checkArgument } from '../checks/arguments.ts';
import { objectWith, optionType } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import type { Feature } from '../features/contract.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { lengthOf } from '../topk/common-length.ts';
import { type Identifier, isUpdatable, type QueryModel, type TopK, type UpdatableTopK } from '../topk/contract.ts';
import { Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';
import { Matrix } from '../vectors/matrix.ts';

/** The weight of an item halves with every 3 items that were chosen after it. */
const HALF_LIFE_ITEMS = 3;

/** An index that can be queried by histories, with its query model. */
export type HistoryIndex<Q, I extends Identifier> = TopK<Q, I> & {
  readonly queryModel?: QueryModel<Q> | undefined;
  readonly runtime?: Runtime;
};

/** The items of a history, each once, in the order in which they were last chosen. */
export interface SplitHistory<I extends Identifier> {
  /** Items that the model has a vector for. */
  readonly known: readonly I[];
  readonly unknown: readonly I[];
}

/** Query vectors of histories. */
export interface HistoryVectors<I extends Identifier> {
  /** [histories, d]; what `call` takes as embeddings. */
  readonly vectors: Matrix;
  /** For each history, the items that the model does not know; they are ignored. */
  readonly unknown: readonly (readonly I[])[];
}

/**
 * Split a history into items that the model knows and others. A fold-in knows its items, a history tower the words of its
 * feature; any other model knows the candidates of the index.
 *
 * @throws {OptionError} when the index does not hold its candidates
 * @throws {IdentifierError} when an item is not of the type of the index's identifiers
 */
export function splitHistory<Q, I extends Identifier>(
  index: HistoryIndex<Q, I>,
  history: readonly I[],
): SplitHistory<I> {
  checkArgument('index', index, objectWith('an index, which has `call`', 'call'));
  checkArgument('history', history, optionType('an array', Array.isArray));
  const isKnown = itemsKnownBy(index);
  const known: I[] = [];
  const unknown: I[] = [];
  for (const item of [...new Set(history.toReversed())].reverse()) (isKnown(item) ? known : unknown).push(item);
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
  checkArgument('index', index, objectWith('an index, which has `call`', 'call'));
  checkArgument('histories', histories, optionType('an array', Array.isArray));
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
  else if (historyFeature(queryModel)) embedHistories(queryModel as Tower<Features>, known, vectors);
  else setMeans(vectors.data, heldBy(index), known, queryModel instanceof Tower ? queryModel : undefined);
  return { vectors, unknown: split.map(({ unknown }) => unknown) };
}

function itemsKnownBy<Q, I extends Identifier>(index: HistoryIndex<Q, I>): (item: I) => boolean {
  const { queryModel } = index;
  if (queryModel instanceof FoldIn) {
    const { items } = queryModel.parts;
    return (item) => items.idOf(String(item)) !== items.oovId;
  }
  const words = historyFeature(queryModel)?.vocabulary;
  if (words) return (item) => words.has(String(item));
  const held = heldBy(index);
  return (item) => held.hasCandidate(item);
}

/** The only feature of a tower, where it is a list of words; undefined for other query models. */
function historyFeature<Q>(queryModel: QueryModel<Q> | undefined): Feature | undefined {
  const features = queryModel instanceof Tower ? queryModel.features?.features : undefined;
  const [feature] = features ?? [];
  return features?.length === 1 && ['bag', 'sequence'].includes(feature!.spec.type) ? feature : undefined;
}

function embedHistories<I extends Identifier>(
  tower: Tower<Features>,
  histories: readonly (readonly I[])[],
  vectors: Matrix,
): void {
  const { field, spec } = historyFeature(tower)!;
  const isText = !('of' in spec && spec.of === 'integer');
  const rows = histories.map((items) => ({ [field]: isText ? items.map(String) : items }));
  vectors.data.set(tower.embed(rows).data);
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
  tower: Tower<never> | undefined,
): void {
  const stride = index.dimensions;
  const d = tower?.biases ? tower.vectorDimensions : stride;
  histories.forEach((items, row) => {
    const candidates = index.candidateVectors(items).data;
    const sum = new Float64Array(d);
    let weights = 0;
    for (let i = 0; i < items.length; i++) {
      const vector = candidates.subarray(i * stride, i * stride + d);
      const weight = 2 ** (-(items.length - 1 - i) / HALF_LIFE_ITEMS);
      const length = index.distanceMeasure === 'squared_l2' ? 1 : lengthOf(vector);
      for (let t = 0; t < d && length > 0; t++) sum[t] = sum[t]! + (weight * vector[t]!) / length;
      weights += weight;
    }
    const mean = data.subarray(row * stride, row * stride + d);
    mean.set(sum.map((value) => value / weights));
    const length = tower?.normalize ? lengthOf(mean) : 1;
    if (length > 0) mean.set(mean.map((value) => value / length));
    // The biases of the candidates count; the bias of an unknown query is 0.
    if (tower?.biases) data[row * stride + d] = 1;
  });
}
