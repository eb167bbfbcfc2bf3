/**
 * Maximal marginal relevance: of the candidates R that were retrieved the next result is
 *
 *   argmax over d in R \ S of  λ · Sim₁(q, d) − (1 − λ) · max over e in S of Sim₂(d, e)
 *
 * S is the set of results chosen before, including pinned ones; the maximum over an empty S is 0. Of candidates with an
 * equal value, the one with the better rank is chosen. Both similarities are the measure of the index, brought to the
 * same scale:
 *
 *   dot product        Sim₁ = ⟨q, d⟩ / (|q| · m), m the longest |d| in R;  Sim₂ = ⟨d, e⟩ / (|d| |e|)
 *   cosine             Sim₁ and Sim₂ the cosines
 *   squared distance   Sim₁ = −|q − d|², Sim₂ = −|d − e|²
 *
 * For vectors of length 1 the first two are the same. With λ = 1 the order is that of the scores.
 *
 * Source: J. Carbonell, J. Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing
 * summaries", SIGIR 1998. The scale of the dot product is an addition of this project: without it, relevance would
 * outweigh diversity for a long query vector (docs/decisions/marginal-relevance.md has figures). Sums are float64 in
 * the order of the dimensions.
 */

import { checkArgument } from '../checks/arguments.ts';
import { NUMBER } from '../checks/options.ts';
import type { DistanceMeasure } from '../topk/contract.ts';

/**
 * Candidates from which the results are chosen: ten per result for the usual ten results, and four per result for more.
 */
const CANDIDATES_MIN = 100;
const CANDIDATES_A_RESULT = 4;

/** The default number of candidates from which k results are chosen. */
export function mmrCandidates(k: number): number {
  checkArgument('k', k, NUMBER);
  return Math.max(CANDIDATES_MIN, CANDIDATES_A_RESULT * k);
}

/** Candidates that were retrieved, best first. */
export interface RankedVectors {
  scores: ArrayLike<number>;
  /** A vector per candidate. */
  vectors: readonly Float32Array[];
}

/** The values that are the same for all candidates. */
export interface RelevanceOptions {
  weight: number;
  measure: DistanceMeasure;
  /** |q|. */
  queryLength: number;
}

/** The marginal relevance of some candidates, as results are chosen. */
export class MarginalRelevance {
  readonly #options: RelevanceOptions;
  readonly #vectors: readonly Float32Array[];
  readonly #lengths: Float64Array;
  /** Sim₁ of each candidate. */
  readonly #relevance: Float64Array;
  /** The largest Sim₂ of each candidate with the results so far; −Infinity while there are none. */
  readonly #closest: Float64Array;

  constructor(options: RelevanceOptions, { scores, vectors }: RankedVectors) {
    const { measure, queryLength } = options;
    this.#options = options;
    this.#vectors = vectors;
    this.#lengths = Float64Array.from(vectors, lengthOf);
    const longest = this.#lengths.reduce((most, length) => Math.max(most, length), 0);
    const scale = measure === 'dot_product' ? queryLength * longest : 1;
    this.#relevance = Float64Array.from(scores, (score) => (scale > 0 ? score / scale : 0));
    this.#closest = new Float64Array(scores.length).fill(Number.NEGATIVE_INFINITY);
  }

  /** The marginal relevance of candidate i. */
  of(i: number): number {
    const { weight } = this.#options;
    const closest = this.#closest[i]!;
    const redundancy = closest === Number.NEGATIVE_INFINITY ? 0 : closest;
    return weight * this.#relevance[i]! - (1 - weight) * redundancy;
  }

  /** Record that a result with this vector was chosen, which lowers the relevance of similar candidates. */
  chosen(vector: Float32Array): void {
    if (this.#options.weight === 1) return;
    const length = lengthOf(vector);
    for (let i = 0; i < this.#closest.length; i++) {
      this.#closest[i] = Math.max(this.#closest[i]!, this.#similarity(i, vector, length));
    }
  }

  #similarity(i: number, vector: Float32Array, length: number): number {
    const { measure } = this.#options;
    const own = this.#vectors[i]!;
    let sum = 0;
    if (measure === 'squared_l2') {
      for (let t = 0; t < own.length; t++) sum -= (own[t]! - vector[t]!) ** 2;
      return sum;
    }
    for (let t = 0; t < own.length; t++) sum += own[t]! * vector[t]!;
    const lengths = this.#lengths[i]! * length;
    return lengths > 0 ? sum / lengths : 0;
  }
}

/** The Euclidean length of a vector. */
export function lengthOf(vector: Float32Array): number {
  let sum = 0;
  for (let t = 0; t < vector.length; t++) sum += vector[t]! * vector[t]!;
  return Math.sqrt(sum);
}
