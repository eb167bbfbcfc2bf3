/**
 * Anisotropic centroids (ScaNN's `avq`, after arXiv 1908.10396), which minimise the error of the inner products with
 * their members. For members x of a partition, with S = Σ |x|^(η−1),
 *
 *   c = η · (S·I + (η−1) Σ |x|^(η−3) x xᵀ)⁻¹ Σ |x|^(η−1) x,
 *
 * then all centroids are multiplied by one factor g = Σ ⟨x, c⟩ / Σ |c|². The assignment of rows does not change.
 *
 * The matrix is never formed. Divided by S its eigenvalues are between 1 and η, because the trace of the sum is S. So a
 * few steps of conjugate gradients solve the system for any number of dimensions.
 */
import type { Runtime } from '../parallel/runtime.ts';
import type { Matrix } from '../vectors/matrix.ts';
import type { Members } from './members.ts';

/** The most rows in the sums of a partition: more rows do not move the centroid noticeably. */
const MEMBERS_MAX = 512;
/** Members whose |x|² is below this count as zero, because |x|⁻² would overflow float32. */
const SQUARE_MIN = 1e-30;
/** Partitions between two yields. */
const LEAVES_A_STEP = 256;

/**
 * Replace centroids [leaves, d] in place; yields the partitions done.
 *
 * @param eta η, at least 1: weight of the error parallel to a member, relative to the orthogonal error
 */
export function* anisotropicCentroids(
  rows: Matrix,
  members: Members,
  eta: number,
  centroids: Matrix,
  runtime: Runtime,
): Generator<number, void> {
  const { heap, pool } = runtime;
  const d = rows.dimensions;
  const leaves = centroids.rows;
  const begin = heap.allocate(4 * (leaves + 1));
  const order = heap.allocate(4 * members.order.length);
  const coefficients = heap.allocate(8 * members.order.length);
  const sums = heap.allocate(16 * leaves);
  const scratch = heap.allocate(12 * (d + 4) * pool.threads);
  try {
    begin.integers(leaves + 1).set(members.begin);
    order.integers(members.order.length).set(members.order);
    for (let leaf = 0; leaf < leaves; leaf += LEAVES_A_STEP) {
      const last = Math.min(leaves, leaf + LEAVES_A_STEP);
      writeCoefficients(rows, members, leaf, last, eta, coefficients.floats(2 * members.order.length));
      pool.run('anisotropicCentroids', last - leaf, 1, {
        rows: rows.offset,
        d,
        leafBegin: begin.offset + 4 * leaf,
        order: order.offset,
        membersMax: MEMBERS_MAX,
        coefficients: coefficients.offset,
        centroids: centroids.offset + 4 * d * leaf,
        sums: sums.offset + 16 * leaf,
        scratch: scratch.offset,
      });
      yield last;
    }
    let products = 0;
    let squares = 0;
    const totals = new Float64Array(heap.memory.memory.buffer, sums.offset, 2 * leaves);
    for (let leaf = 0; leaf < leaves; leaf++) {
      products += totals[2 * leaf]!;
      squares += totals[2 * leaf + 1]!;
    }
    const factor = squares > 0 && products > 0 ? products / squares : 1;
    const { data } = centroids;
    for (let i = 0; i < data.length; i++) data[i]! *= factor;
  } finally {
    for (const block of [begin, order, coefficients, sums, scratch]) block.free();
  }
}

/** a = η |x|^(η−1)/S and b = (η−1) |x|^(η−3)/S of the members that count; zero members add nothing. */
function writeCoefficients(
  { data, dimensions: d }: Matrix,
  { begin, order }: Members,
  firstLeaf: number,
  lastLeaf: number,
  eta: number,
  coefficients: Float32Array,
): void {
  const squares = new Float64Array(MEMBERS_MAX);
  for (let leaf = firstLeaf; leaf < lastLeaf; leaf++) {
    const [first, last] = [begin[leaf]!, begin[leaf + 1]!];
    const step = Math.max(1, Math.ceil((last - first) / MEMBERS_MAX));
    let sum = 0;
    for (let i = first, m = 0; i < last; i += step, m++) {
      const at = order[i]! * d;
      let square = 0;
      for (let t = 0; t < d; t++) square += data[at + t]! * data[at + t]!;
      squares[m] = square;
      if (square > SQUARE_MIN) sum += square ** ((eta - 1) / 2);
    }
    for (let i = first, m = 0; i < last; i += step, m++) {
      const square = squares[m]!;
      const weight = square > SQUARE_MIN ? square ** ((eta - 1) / 2) / sum : 0;
      coefficients[2 * i] = eta * weight;
      coefficients[2 * i + 1] = square > SQUARE_MIN ? ((eta - 1) * weight) / square : 0;
    }
  }
}
