/**
 * The biases of a click model: z = ⟨u_i, v_j⟩ + b_i + c_j + μ. μ is the logit of the share of clicks in the training rows, so
 * that a pair of ids that no row had is predicted as the mean, and not as 1/2. b and c begin at 0.
 */
import type { SparseOptimizer } from '../optimizers/contract.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';

/** A share of clicks of 0 or 1 has no logit: it is kept this far from both, in rows. */
const HALF_A_ROW = 0.5;

/** The biases of the ids of two tables, and of all pairs. */
export class ClickBiases {
  /** [query ids, 1] */
  readonly queries: Matrix;
  /** [candidate ids, 1] */
  readonly candidates: Matrix;
  /** μ; 0 before a fit. */
  mean = 0;

  constructor(queries: number, candidates: number, runtime: Runtime) {
    this.queries = new Matrix(queries, 1, runtime);
    this.candidates = new Matrix(candidates, 1, runtime);
  }

  /** Set μ by the labels of training rows. */
  adapt(labels: Uint8Array): void {
    this.mean = logitOfMean(labels);
  }

  /** b_i + c_j + μ. */
  of(query: number, candidate: number): number {
    return this.queries.data[query]! + this.candidates.data[candidate]! + this.mean;
  }

  /** Step by the slopes ∂loss/∂z of pairs. */
  step(queries: Int32Array, candidates: Int32Array, slopes: Float64Array, optimizer: SparseOptimizer): void {
    stepBiases(this.queries, queries, slopes, optimizer);
    stepBiases(this.candidates, candidates, slopes, optimizer);
  }

  /** Both matrices. */
  trained(): Matrix[] {
    return [this.queries, this.candidates];
  }
}

/** The logit of the share of clicks. */
export function logitOfMean(labels: Uint8Array): number {
  const clicks = labels.reduce((sum, label) => sum + label, 0);
  const [yes, no] = [clicks, labels.length - clicks].map((count) => Math.max(HALF_A_ROW, count));
  return Math.log(yes! / no!);
}

/** Step the biases [ids, 1] of the ids of rows by the sums of their slopes ∂loss/∂z. */
export function stepBiases(biases: Matrix, ids: Int32Array, slopes: Float64Array, optimizer: SparseOptimizer): void {
  const sums = new Map<number, number>();
  ids.forEach((id, i) => {
    sums.set(id, (sums.get(id) ?? 0) + slopes[i]!);
  });
  const gradients = new Matrix(sums.size, 1, biases.runtime);
  gradients.data.set([...sums.values()]);
  optimizer.step(biases, Int32Array.from(sums.keys()), gradients);
  gradients.free();
}
