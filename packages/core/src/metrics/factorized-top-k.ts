/**
 * FactorizedTopK: how often the true candidate is among the k best of all candidates.
 *
 * After TFRS's `metrics/factorized_top_k.py`; the same names and the same default ks. By identifiers: the truth is a hit
 * at k when one of the first k results has its identifier. By scores: when fewer than k results score strictly above
 * the truth's own score, so that ties count; that score is summed as the index sums it, dimension by dimension in
 * float32, so a truth never loses to itself (TFRS rounds the two differently and understates top-1).
 *
 * Letters: B queries, d dimensions, N candidates. Equal queries are asked once.
 */

import { checkInteger, checkOneOf, FLOAT32_MAX, shown } from '../checks/numbers.ts';
import { LIST, NUMBER, objectWith, optionsCheck, optionType, required, STRING } from '../checks/options.ts';
import { IdentifierError, NotFiniteError, OptionError, ShapeError } from '../errors/errors.ts';
import { BruteForce } from '../topk/brute-force/brute-force.ts';
import type { CandidateDataset, Identifier, TopK } from '../topk/contract.ts';
import type { TopKResult } from '../topk/result.ts';
import { Streaming } from '../topk/streaming/streaming.ts';
import { type VectorSource, vectorSource } from '../topk/vector-source.ts';
import { distinctRows } from '../vectors/distinct-rows.ts';
import { Matrix, type VectorsLike } from '../vectors/matrix.ts';
import { isRow } from '../vectors/vector-rows.ts';
import { IndexRecall } from './index-recall.ts';

/** Ks of TFRS's metric. */
const DEFAULT_KS: readonly number[] = [1, 5, 10, 50, 100];
/** Queries asked exactly: 1,600 results at k = 100, whose share is known to a per cent or two, for .2 s over 1.7 million rows. */
const RECALL_SAMPLE = 16;

/** Options of `FactorizedTopK`. */
export interface FactorizedTopKOptions<I extends Identifier> {
  /** An index, a data set of candidates (read at every update), or their embeddings. */
  candidates: TopK<never, I> | CandidateDataset<I> | VectorsLike;
  /** Accuracies at these k; default 1, 5, 10, 50, 100. */
  ks?: readonly number[];
  /** First part of the metrics' names. */
  name?: string;
  /** The way a hit is found; default by identifiers where an update has them. */
  matchBy?: 'identifiers' | 'scores' | undefined;
  /** Queries also asked exactly where the index is not exact, for its own recall; default 16, 0 for none. */
  recallSampleSize?: number;
}

/** The true candidates of the queries of an update. */
export interface FactorizedTopKTruth<I extends Identifier> {
  /** [B] identifiers of the true candidates. */
  trueIdentifiers?: readonly I[] | undefined;
  /** [B, d] embeddings of the true candidates; they need not be in the index. */
  trueEmbeddings?: VectorsLike | undefined;
  /** [B] weights, at least 0; default 1. */
  sampleWeight?: ArrayLike<number> | undefined;
}

const checkOptions = optionsCheck<FactorizedTopKOptions<never>>('FactorizedTopK', {
  candidates: required(
    optionType(
      'an index, a data set or embeddings',
      (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
    ),
  ),
  ks: LIST,
  name: STRING,
  matchBy: STRING,
  recallSampleSize: NUMBER,
});
const checkTruth = optionsCheck<FactorizedTopKTruth<never>>('FactorizedTopK.update', {
  trueIdentifiers: LIST,
  trueEmbeddings: objectWith('embeddings'),
  sampleWeight: LIST,
});

interface Prepared {
  queries: Float32Array;
  dimensions: number;
  first: Int32Array;
  groupOf: Int32Array;
  distinct: Matrix;
}

/** Top-k accuracy of factorized models, accumulated over updates. */
export class FactorizedTopK<I extends Identifier = Identifier> {
  readonly name: string;
  readonly ks: readonly number[];
  readonly candidates: TopK<never, I>;
  readonly #matchBy: 'identifiers' | 'scores' | undefined;
  readonly #hits: Float64Array;
  readonly #indexRecall: IndexRecall<I>;
  #weight = 0;
  #columns = 0;
  #queriesAsked = 0;

  /** @throws {OptionError} when an option is out of range, or candidates are none of the three */
  constructor(options: FactorizedTopKOptions<I>) {
    const {
      candidates,
      ks = DEFAULT_KS,
      name = 'factorized_top_k',
      matchBy,
      recallSampleSize = RECALL_SAMPLE,
    } = checkOptions(options);
    if (ks.length === 0) throw new OptionError('ks: expected at least one k, got none');
    for (const k of ks) checkInteger('ks', k, 1);
    if (matchBy !== undefined) checkOneOf('matchBy', matchBy, ['identifiers', 'scores']);
    this.name = name;
    this.ks = [...ks];
    this.candidates = toIndex(candidates, Math.max(...ks));
    this.#matchBy = matchBy;
    this.#hits = new Float64Array(ks.length);
    this.#indexRecall = new IndexRecall(this.ks, recallSampleSize);
  }

  /** Queries asked of the index since the last reset, each group of equal ones once: a work counter. */
  get queriesAsked(): number {
    return this.#queriesAsked;
  }

  /** The ks as used in the latest update: those above N are N. Empty before the first update. */
  get effectiveKs(): number[] {
    return this.#columns === 0 ? [] : this.ks.map((k) => Math.min(k, this.#columns));
  }

  /**
   * Count queries [B, d] with their truths.
   *
   * @throws {OptionError} when the truth is missing, or an index that is not exact is asked by scores
   * @throws {ShapeError} when lengths or widths differ
   * @throws {StateError} when candidates are an async data set: use `updateAsync`
   */
  update(queryEmbeddings: VectorsLike, truth: FactorizedTopKTruth<I>): void {
    const prepared = this.#prepare(queryEmbeddings, truth);
    try {
      const found = this.candidates.call(prepared.distinct, Math.max(...this.ks));
      this.#count(found, prepared, truth);
      if (!this.candidates.isExact()) this.#indexRecall.add(this.candidates, prepared.distinct, found);
    } finally {
      prepared.distinct.free();
    }
  }

  /** `update` for candidates of any kind, an async data set too. */
  async updateAsync(queryEmbeddings: VectorsLike, truth: FactorizedTopKTruth<I>): Promise<void> {
    if (!(this.candidates instanceof Streaming)) return this.update(queryEmbeddings, truth);
    const prepared = this.#prepare(queryEmbeddings, truth);
    try {
      this.#count(await this.candidates.callAsync(prepared.distinct, Math.max(...this.ks)), prepared, truth);
    } finally {
      prepared.distinct.free();
    }
  }

  /**
   * `<name>/top_<k>_categorical_accuracy` → Σ weight · hit / Σ weight, in the order of ks, and of an index that is not
   * exact `<name>/top_<k>_index_recall` → its own recall@k on a sample of the queries, which weights do not touch. Empty
   * until something of positive weight was counted: what was not computed has no value.
   */
  result(): Record<string, number> {
    if (this.#weight === 0) return {};
    const accuracies = Array.from(this.#hits, (hits) => hits / this.#weight);
    const named = (values: readonly number[], suffix: string): [string, number][] =>
      values.map((value, i) => [`${this.name}/top_${this.ks[i]}_${suffix}`, value]);
    return Object.fromEntries([
      ...named(accuracies, 'categorical_accuracy'),
      ...named(this.#indexRecall.result(), 'index_recall'),
    ]);
  }

  /** Set all counts to zero. */
  reset(): void {
    this.#hits.fill(0);
    this.#indexRecall.reset();
    this.#weight = this.#columns = this.#queriesAsked = 0;
  }

  #byIdentifiers({ trueIdentifiers, trueEmbeddings }: FactorizedTopKTruth<I>): boolean {
    const by = this.#matchBy ?? (trueIdentifiers ? 'identifiers' : 'scores');
    if (by === 'identifiers') {
      if (!trueIdentifiers) throw new OptionError('trueIdentifiers: expected one per query, got none');
      return true;
    }
    if (!this.candidates.isExact()) {
      throw new OptionError(
        'trueIdentifiers: expected one per query, as the index does not return exact results and scores cannot be ' +
          'compared with it, got none',
      );
    }
    if (!trueEmbeddings) throw new OptionError('truth: expected trueIdentifiers or trueEmbeddings, got neither');
    return false;
  }

  /** Check everything before anything is counted, and gather the distinct queries. */
  #prepare(queryEmbeddings: VectorsLike, truth: FactorizedTopKTruth<I>): Prepared {
    checkTruth(truth);
    const source = vectorSource('queries', queryEmbeddings);
    this.#byIdentifiers(truth);
    for (const name of ['trueIdentifiers', 'sampleWeight'] as const) {
      const length = truth[name]?.length ?? source.rows;
      if (length !== source.rows) throw new ShapeError(`${name}: expected ${source.rows} as queries, got ${length}`);
    }
    for (let b = 0; b < (truth.sampleWeight?.length ?? 0); b++) {
      const weight = truth.sampleWeight![b]!;
      if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
        throw new NotFiniteError(`sampleWeight: expected finite weights of at least 0, got ${weight} in row ${b}`);
      }
    }
    const { rows, dimensions } = source;
    const queries = rowsOf(source);
    const { first, groupOf } = distinctRows(queries, dimensions);
    const distinct = new Matrix(first.length, dimensions);
    const { data } = distinct;
    first.forEach((row, group) => {
      data.set(queries.subarray(row * dimensions, (row + 1) * dimensions), group * dimensions);
    });
    return { queries: rows === 0 ? new Float32Array(0) : queries, dimensions, first, groupOf, distinct };
  }

  #count(result: TopKResult<I>, prepared: Prepared, truth: FactorizedTopKTruth<I>): void {
    const byIdentifiers = this.#byIdentifiers(truth);
    const ranks = byIdentifiers
      ? ranksByIdentifier(result, prepared, truth.trueIdentifiers!)
      : ranksByScore(result, prepared, rowsOf(trueRows(truth.trueEmbeddings!, prepared)));
    for (let b = 0; b < ranks.length; b++) {
      const weight = truth.sampleWeight?.[b] ?? 1;
      this.#weight += weight;
      for (let i = 0; i < this.ks.length; i++) if (ranks[b]! < this.ks[i]!) this.#hits[i]! += weight;
    }
    this.#columns = result.k;
    this.#queriesAsked += prepared.first.length;
  }
}

/**
 * Position of the truth's identifier among the results of its query; ∞ where it is not there. Identifiers are compared
 * as numbers given to the true ones: results repeat the same few rows, and comparing strings costs more than scoring.
 */
function ranksByIdentifier<I extends Identifier>(
  result: TopKResult<I>,
  { first, groupOf }: Prepared,
  trueIdentifiers: readonly I[],
): Float64Array {
  const numbers = new Map<I, number>();
  for (const identifier of trueIdentifiers) {
    if (!numbers.has(identifier)) numbers.set(identifier, numbers.size + 1);
  }
  checkType(result, trueIdentifiers);
  const lists = Array.from(first, (_, group) => result.rowsOf(group));
  let last = -1;
  for (const rows of lists) for (const row of rows) last = Math.max(last, row);
  const UNKNOWN = 0;
  const FALSE = -1;
  const numberOfRow = new Int32Array(last + 1);
  const numbered = lists.map((rows) =>
    rows.map((row) => {
      if (numberOfRow[row] === UNKNOWN) numberOfRow[row] = numbers.get(result.identifierOf(row)) ?? FALSE;
      return numberOfRow[row]!;
    }),
  );
  return Float64Array.from(trueIdentifiers, (identifier, b) => {
    const rank = numbered[groupOf[b]!]!.indexOf(numbers.get(identifier)!);
    return rank < 0 ? Number.POSITIVE_INFINITY : rank;
  });
}

/** True identifiers are of the index's type: another type would count as a miss in silence. */
function checkType<I extends Identifier>(result: TopKResult<I>, trueIdentifiers: readonly I[]): void {
  const answered = result.counts.findIndex((count) => count > 0);
  if (answered < 0) return;
  const type = typeof result.identifierOf(result.rowsOf(answered)[0]!);
  const wrong = trueIdentifiers.find((identifier) => typeof identifier !== type);
  if (wrong === undefined) return;
  throw new IdentifierError(`trueIdentifiers: expected ${type}s as the index holds, got ${shown(wrong)}`);
}

/**
 * The number of results that score strictly above the true candidate; ∞ where the truth's or a result's score is not finite, as in TFRS. An index
 * gives the largest float32 of its sign for a score that is not finite.
 */
function ranksByScore<I extends Identifier>(
  result: TopKResult<I>,
  { queries, dimensions, first, groupOf }: Prepared,
  truths: Float32Array,
): Float64Array {
  const scores = Array.from(first, (_, group) => result.scoresOf(group));
  const finite = scores.map((list) => list.every((score) => Math.abs(score) < FLOAT32_MAX));
  return Float64Array.from(groupOf, (group, b) => {
    let positive = 0;
    for (let t = b * dimensions; t < (b + 1) * dimensions; t++) {
      positive = Math.fround(positive + Math.fround(queries[t]! * truths[t]!));
    }
    if (!finite[group] || !Number.isFinite(positive)) return Number.POSITIVE_INFINITY;
    const list = scores[group]!;
    let above = 0;
    while (above < list.length && list[above]! > positive) above++;
    return above;
  });
}

function trueRows(trueEmbeddings: VectorsLike, { queries, dimensions, groupOf }: Prepared): VectorSource {
  const source = vectorSource('trueEmbeddings', trueEmbeddings);
  if (source.rows !== groupOf.length || (queries.length > 0 && source.dimensions !== dimensions)) {
    throw new ShapeError(
      `trueEmbeddings: expected [${groupOf.length}, ${dimensions}] as queries, got [${source.rows}, ${source.dimensions}]`,
    );
  }
  return source;
}

function rowsOf(source: VectorSource): Float32Array {
  const data = new Float32Array(source.rows * source.dimensions);
  source.copy(0, source.rows, data);
  return data;
}

function toIndex<I extends Identifier>(candidates: FactorizedTopKOptions<I>['candidates'], k: number): TopK<never, I> {
  if (typeof candidates === 'object' && candidates !== null && 'isExact' in candidates) return candidates;
  const areEmbeddings =
    candidates instanceof Matrix ||
    (typeof candidates === 'object' && candidates !== null && 'data' in candidates) ||
    (Array.isArray(candidates) && candidates.length > 0 && candidates.every(isRow));
  if (areEmbeddings) return new BruteForce<never, I>({ k }).index(candidates as VectorsLike);
  return new Streaming<never, I>({ k, dataset: candidates as CandidateDataset<I> });
}
