/**
 * Solves one column of the factors of one side exactly, all else unchanged: for each id u with column x, the minimum of
 *
 *   Σ_rows (⟨u, v⟩ − label)² + α Σ_v ⟨u, v⟩² + λ (rows of u + α n) |u|²
 *
 * over x. With the column z of v it is the step x ← x − H⁻¹ g,
 *
 *   H = α Σ_v z zᵀ + Σ_rows z zᵀ + λ (…) I,   g = α Σ_v ⟨u, v⟩ z + Σ_rows error · z + λ (…) x
 *
 * Letters: n ids of the other side, w floats of a column. Source: Rendle, Krichene, Zhang, Koren, "iALS++: speeding up
 * matrix factorization with subspace optimization" (2021), and the scaled regularization of their "Revisiting the
 * performance of iALS on item recommendation benchmarks", RecSys 2022. Work with N rows: N w² + ids · d w + ids · w³.
 */
import type { Factors } from './factors.ts';
import type { ObservedPairs } from './observed-pairs.ts';

/** The weights of the objective. */
export interface QuantizedAlsObjective {
  /** α: the weight with which the product of every pair is drawn to 0. */
  unobservedWeight: number;
  /** λ */
  regularization: number;
}

/** Ids that are solved at a time, between which the caller may pause. */
const BLOCK_IDS = 8192;

/** The number of steps of `solveColumn`. */
export function solveSteps(ids: number): number {
  return Math.ceil(ids / BLOCK_IDS);
}

/** One column of both sides in float32, while it is solved. */
export interface OpenColumn {
  column: number;
  /** For each side [ids, w]. */
  values: readonly [Float32Array, Float32Array];
}

/**
 * Solve the column of `side` in place, and bring the errors up to date; yields the number of multiplications after each
 * block of ids.
 */
export function* solveColumn(
  side: 0 | 1,
  { column, values }: OpenColumn,
  factors: readonly [Factors, Factors],
  pairs: ObservedPairs,
  { unobservedWeight, regularization }: QuantizedAlsObjective,
): Generator<number> {
  const other = side === 0 ? 1 : 0;
  const [own, others] = [values[side], values[other]];
  const { count, width: w, columns } = factors[side];
  const d = w * columns;
  const { errors } = pairs;
  const { starts, others: codes, rows } = pairs.lists[side];
  const gram = gramOf(factors[other], column, others, unobservedWeight);
  const vector = new Float64Array(d);
  const [h, g] = [new Float64Array(w * w), new Float64Array(w)];
  for (let first = 0; first < count; first += BLOCK_IDS) {
    const end = Math.min(count, first + BLOCK_IDS);
    for (let id = first; id < end; id++) {
      const [from, to] = [starts[id]!, starts[id + 1]!];
      const pull = regularization * (to - from + unobservedWeight * factors[other].count);
      openVector(factors[side], id, column, own, vector);
      for (let s = 0; s < w; s++) {
        let sum = pull * own[id * w + s]!;
        for (let t = 0; t < d; t++) sum += vector[t]! * gram[t * w + s]!;
        g[s] = sum;
        for (let t = 0; t <= s; t++) h[s * w + t] = gram[(column * w + s) * w + t]!;
        h[s * w + s]! += pull;
      }
      for (let at = from; at < to; at++) {
        const [z, error] = [codes[at]! * w, errors[rows[at]!]!];
        for (let s = 0; s < w; s++) {
          const value = others[z + s]!;
          g[s]! += error * value;
          for (let t = 0; t <= s; t++) h[s * w + t]! += value * others[z + t]!;
        }
      }
      solveInPlace(h, g, w);
      for (let s = 0; s < w; s++) own[id * w + s]! -= g[s]!;
      for (let at = from; at < to; at++) {
        const z = codes[at]! * w;
        let change = 0;
        for (let s = 0; s < w; s++) change += g[s]! * others[z + s]!;
        errors[rows[at]!]! -= change;
      }
    }
    const pairsSolved = starts[end]! - starts[first]!;
    yield pairsSolved * w * w + (end - first) * (d * w + w ** 3);
  }
}

/** Bring the errors up to date after the column of `side` changed from `before` to `after`. */
export function moveErrors(
  side: 0 | 1,
  pairs: ObservedPairs,
  {
    before,
    after,
    others,
    width: w,
  }: { before: Float32Array; after: Float32Array; others: Float32Array; width: number },
): void {
  const { starts, others: codes, rows } = pairs.lists[side];
  const { errors } = pairs;
  for (let id = 0; id + 1 < starts.length; id++) {
    for (let at = starts[id]!; at < starts[id + 1]!; at++) {
      let change = 0;
      for (let s = 0; s < w; s++) change += (after[id * w + s]! - before[id * w + s]!) * others[codes[at]! * w + s]!;
      errors[rows[at]!]! += change;
    }
  }
}

/** α Σ_v v zᵀ [d, w], z the column of v. */
function gramOf(factors: Factors, column: number, values: Float32Array, unobservedWeight: number): Float64Array {
  const { count, width: w, columns } = factors;
  const d = w * columns;
  const gram = new Float64Array(d * w);
  const vector = new Float64Array(d);
  for (let id = 0; id < count; id++) {
    openVector(factors, id, column, values, vector);
    for (let t = 0; t < d; t++) {
      for (let s = 0; s < w; s++) gram[t * w + s]! += vector[t]! * values[id * w + s]!;
    }
  }
  for (let i = 0; i < gram.length; i++) gram[i]! *= unobservedWeight;
  return gram;
}

/** The vector of an id, with the open column instead of the quantized one. */
function openVector(factors: Factors, id: number, column: number, values: Float32Array, out: Float64Array): void {
  const w = factors.width;
  factors.vector(id, out);
  for (let s = 0; s < w; s++) out[column * w + s] = values[id * w + s]!;
}

/** Replace g by H⁻¹ g, by Cholesky; the lower triangle of H [w, w] is overwritten. */
function solveInPlace(h: Float64Array, g: Float64Array, w: number): void {
  for (let s = 0; s < w; s++) {
    for (let t = 0; t <= s; t++) {
      let sum = h[s * w + t]!;
      for (let q = 0; q < t; q++) sum -= h[s * w + q]! * h[t * w + q]!;
      h[s * w + t] = s === t ? Math.sqrt(sum) : sum / h[t * w + t]!;
    }
  }
  for (let s = 0; s < w; s++) {
    let sum = g[s]!;
    for (let q = 0; q < s; q++) sum -= h[s * w + q]! * g[q]!;
    g[s] = sum / h[s * w + s]!;
  }
  for (let s = w - 1; s >= 0; s--) {
    let sum = g[s]!;
    for (let q = s + 1; q < w; q++) sum -= h[q * w + s]! * g[q]!;
    g[s] = sum / h[s * w + s]!;
  }
}
