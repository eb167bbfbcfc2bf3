// Alternating least squares: every row of one side solved exactly against the factors of the other.
//
//   A = gram + regularization[row] · I + Σ_i w_i v_i v_iᵀ      b = Σ_i w_i v_i      out[row] = A⁻¹ b
//
// over the items i of the row's list. Letters: d dimensions, a multiple of 8 (callers pad with zeros); W = d + 8. A is
// stored as its upper half in rows of W floats, with b in column d. Each gathered vector has a 1 after it, so that the
// same tiles sum A and b, and the factorization A = UᵀU also solves Uᵀy = b. Every element is summed in the order of
// the list, so results do not depend on chunks, tiles or threads. Readable form: src/kernels/reference/als.ts.
//
// A list of n ≤ shortLength items is solved by an n × n system instead (Woodbury), in the basis Q of the eigenvectors of the
// gram, in which gram + regularization · I is a diagonal D: with W the rotated vectors of the list and C its weights,
//
//   (C⁻¹ + W D⁻¹ Wᵀ) z = 1      x = Q D⁻¹ Wᵀ z
import { SolveRows } from './records.generated';
import { multiplyAdd, sumLanes } from './simd';

/** Vectors gathered at a time: with the weighted copies, 64 KB at d = 128. */
const CHUNK: i32 = 64;
/** The smallest weight used: 0 has no inverse, and a weight this small has no effect. */
const LEAST_WEIGHT: f32 = 1e-30;

/** Solve rows [begin, end). Work items: rows. */
export function solveRows(begin: i32, end: i32, slot: i32, call: SolveRows): void {
  const starts = call.starts, codes = call.codes, weights = call.weights, factors = call.factors, d = call.dimensions;
  const gram = call.gram, regularization = call.regularization, out = call.out;
  const scratch = call.scratch + <usize>slot * call.scratchStride;
  assert((d & 7) == 0, 'solveRows: dimensions');
  const width = d + 8;
  const rowBytes = <usize>width << 2, vectorBytes = <usize>d << 2;
  const system = scratch;
  const right = system + <usize>d * rowBytes;
  const left = weights == 0 ? right : right + <usize>CHUNK * rowBytes;
  const inverses = right + <usize>max(2 * CHUNK, d) * rowBytes;
  for (let row = begin; row < end; row++) {
    const first = load<i32>(starts + (<usize>row << 2)), last = load<i32>(starts + (<usize>row << 2), 4);
    const to = out + <usize>row * vectorBytes;
    if (first == last) {
      memory.fill(to, 0, vectorBytes);
      continue;
    }
    if (last - first <= call.shortLength) {
      const codes = call.codes + (<usize>first << 2), weights = call.weights == 0 ? 0 : call.weights + (<usize>first << 2);
      const bound = load<f32>(regularization + (<usize>row << 2));
      solveShort(call, codes, weights, last - first, bound, system, right, inverses, to);
      continue;
    }
    beginSystem(system, gram, d, load<f32>(regularization + (<usize>row << 2)));
    for (let from = first; from < last; from += CHUNK) {
      const count = min(CHUNK, last - from);
      gather(codes + (<usize>from << 2), weights == 0 ? 0 : weights + (<usize>from << 2), count, factors, d, left, right);
      for (let r = 0; r < d; r += 4) addProducts(system, r, width, left, right, count, rowBytes);
    }
    factorize(system, d, inverses);
    solveUpper(system, d, inverses, to);
  }
}

/** x of a short list; scaled[k][i] = W[i][k] / √D_k uses the memory in which long lists gather vectors. */
function solveShort(
  call: SolveRows, codes: usize, weights: usize, n: i32, regularization: f32,
  system: usize, scaled: usize, inverses: usize, to: usize,
): void {
  const d = call.dimensions, padded = (n + 7) & ~7, width = padded + 8;
  const rowBytes = <usize>width << 2, vectorBytes = <usize>d << 2;
  const scales = inverses + vectorBytes;
  for (let k: usize = 0; k < vectorBytes; k += 4) {
    store<f32>(scales + k, 1 / sqrt<f32>(load<f32>(call.spectrum + k) + regularization));
  }
  memory.fill(scaled, 0, <usize>d * rowBytes);
  for (let i = 0; i < n; i++) {
    const from = call.rotated + <usize>load<i32>(codes + (<usize>i << 2)) * vectorBytes;
    let at = scaled + (<usize>i << 2);
    for (let k: usize = 0; k < vectorBytes; k += 4, at += rowBytes) {
      store<f32>(at, load<f32>(from + k) * load<f32>(scales + k));
    }
  }
  memory.fill(system, 0, <usize>padded * rowBytes);
  for (let i = 0; i < padded; i++) {
    const row = system + <usize>i * rowBytes;
    const weight: f32 = i < n && weights != 0 ? max<f32>(load<f32>(weights + (<usize>i << 2)), LEAST_WEIGHT) : 1;
    store<f32>(row + (<usize>i << 2), 1 / weight);
    store<f32>(row + (<usize>padded << 2), i < n ? 1 : 0);
  }
  for (let r = 0; r < padded; r += 4) addProducts(system, r, width, scaled, scaled, d, rowBytes);
  factorize(system, padded, inverses);
  // z is stored after the scales, which later become x in the basis.
  const z = scales + vectorBytes;
  solveUpper(system, padded, inverses, z);
  for (let k = 0; k < d; k++) {
    const row = scaled + <usize>k * rowBytes;
    let sum = f32x4.splat(0);
    for (let t: usize = 0; t < <usize>padded << 2; t += 16) sum = multiplyAdd(sum, v128.load(row + t), v128.load(z + t));
    const scale = scales + (<usize>k << 2);
    store<f32>(scale, sumLanes(sum) * load<f32>(scale));
  }
  for (let t: usize = 0; t < vectorBytes; t += 32) {
    let s0 = f32x4.splat(0), s1 = f32x4.splat(0);
    let from = call.basis + t;
    for (let k: usize = 0; k < vectorBytes; k += 4, from += vectorBytes) {
      const x = v128.load_splat<f32>(scales + k);
      s0 = multiplyAdd(s0, x, v128.load(from)); s1 = multiplyAdd(s1, x, v128.load(from, 16));
    }
    v128.store(to + t, s0); v128.store(to + t, s1, 16);
  }
}

/** system = [gram + regularization · I | 0]. */
function beginSystem(system: usize, gram: usize, d: i32, regularization: f32): void {
  const rowBytes = <usize>(d + 8) << 2, vectorBytes = <usize>d << 2;
  for (let r = 0; r < d; r++) {
    const row = system + <usize>r * rowBytes;
    memory.copy(row, gram + <usize>r * vectorBytes, vectorBytes);
    memory.fill(row + vectorBytes, 0, 32);
    const diagonal = row + (<usize>r << 2);
    store<f32>(diagonal, load<f32>(diagonal) + regularization);
  }
}

/** right[i] = [v_i | 1 0 …], left[i] = w_i · right[i]; without weights left is right. */
function gather(codes: usize, weights: usize, count: i32, factors: usize, d: i32, left: usize, right: usize): void {
  const rowBytes = <usize>(d + 8) << 2, vectorBytes = <usize>d << 2;
  for (let i = 0; i < count; i++) {
    const to = right + <usize>i * rowBytes;
    memory.copy(to, factors + <usize>load<i32>(codes + (<usize>i << 2)) * vectorBytes, vectorBytes);
    v128.store(to + vectorBytes, f32x4(1, 0, 0, 0));
    v128.store(to + vectorBytes, f32x4.splat(0), 16);
    if (weights == 0) continue;
    const weight = v128.load_splat<f32>(weights + (<usize>i << 2));
    const weighted = left + <usize>i * rowBytes;
    for (let t: usize = 0; t < rowBytes; t += 16) v128.store(weighted + t, f32x4.mul(weight, v128.load(to + t)));
  }
}

// @ts-ignore: decorator
@inline function multiplySubtract(sum: v128, a: v128, b: v128): v128 {
  return f32x4.sub(sum, f32x4.mul(a, b));
}

// @ts-ignore: decorator
@inline function accumulate(isSum: bool, sum: v128, a: v128, b: v128): v128 {
  return isSum ? multiplyAdd(sum, a, b) : multiplySubtract(sum, a, b);
}

/** system[r … r + 3][c] ± Σ_i left[i][r …] · right[i][c] for every c from r on: + where isSum, else −. */
// @ts-ignore: decorator
@inline function addRows(
  isSum: bool, system: usize, r: i32, width: i32, left: usize, right: usize, count: i32, rowBytes: usize,
): void {
  for (let c = r & ~7; c < width; c += 8) {
    let to = system + <usize>r * rowBytes + (<usize>c << 2);
    let s00 = v128.load(to), s01 = v128.load(to, 16); to += rowBytes;
    let s10 = v128.load(to), s11 = v128.load(to, 16); to += rowBytes;
    let s20 = v128.load(to), s21 = v128.load(to, 16); to += rowBytes;
    let s30 = v128.load(to), s31 = v128.load(to, 16);
    let a = left + (<usize>r << 2), b = right + (<usize>c << 2);
    const last = b + <usize>count * rowBytes;
    for (; b < last; b += rowBytes) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let q = v128.load_splat<f32>(a);
      s00 = accumulate(isSum, s00, q, b0); s01 = accumulate(isSum, s01, q, b1);
      q = v128.load_splat<f32>(a, 4);
      s10 = accumulate(isSum, s10, q, b0); s11 = accumulate(isSum, s11, q, b1);
      q = v128.load_splat<f32>(a, 8);
      s20 = accumulate(isSum, s20, q, b0); s21 = accumulate(isSum, s21, q, b1);
      q = v128.load_splat<f32>(a, 12);
      s30 = accumulate(isSum, s30, q, b0); s31 = accumulate(isSum, s31, q, b1);
      a += rowBytes;
    }
    v128.store(to, s30); v128.store(to, s31, 16); to -= rowBytes;
    v128.store(to, s20); v128.store(to, s21, 16); to -= rowBytes;
    v128.store(to, s10); v128.store(to, s11, 16); to -= rowBytes;
    v128.store(to, s00); v128.store(to, s01, 16);
  }
}

/** system[r … r + 3][c] += Σ_i left[i][r …] · right[i][c] for every c from r on. */
function addProducts(system: usize, r: i32, width: i32, left: usize, right: usize, count: i32, rowBytes: usize): void {
  addRows(true, system, r, width, left, right, count, rowBytes);
}

/** system[r … r + 3][c] −= Σ_{k < r} U[k][r …] · U[k][c] for every c from r on. */
function subtractProducts(system: usize, r: i32, width: i32, rowBytes: usize): void {
  addRows(false, system, r, width, system, system, r, rowBytes);
}

/**
 * Factorize [A | b] → [U | y] in place, four rows at a time; inverses[r] = 1 / U[r][r]. Elements below the diagonal are
 * not used.
 */
function factorize(system: usize, d: i32, inverses: usize): void {
  const width = d + 8;
  const rowBytes = <usize>width << 2;
  for (let r = 0; r < d; r += 4) {
    subtractProducts(system, r, width, rowBytes);
    for (let i = r; i < r + 4; i++) {
      const row = system + <usize>i * rowBytes;
      for (let j = r; j < i; j++) {
        const above = system + <usize>j * rowBytes;
        const factor = v128.load_splat<f32>(above + (<usize>i << 2));
        for (let t = <usize>r << 2; t < rowBytes; t += 16) {
          v128.store(row + t, multiplySubtract(v128.load(row + t), factor, v128.load(above + t)));
        }
      }
      const inverse: f32 = 1 / sqrt<f32>(load<f32>(row + (<usize>i << 2)));
      store<f32>(inverses + (<usize>i << 2), inverse);
      const scale = f32x4.splat(inverse);
      for (let t = <usize>r << 2; t < rowBytes; t += 16) v128.store(row + t, f32x4.mul(v128.load(row + t), scale));
    }
  }
}

/** x with U x = y, from the last element; sums of four lanes, joined as (l0 + l2) + (l1 + l3). */
function solveUpper(system: usize, d: i32, inverses: usize, x: usize): void {
  const rowBytes = <usize>(d + 8) << 2, vectorBytes = <usize>d << 2;
  memory.fill(x, 0, vectorBytes);
  for (let i = d - 1; i >= 0; i--) {
    const row = system + <usize>i * rowBytes;
    let sum = f32x4.splat(0);
    for (let t = <usize>(i & ~3) << 2; t < vectorBytes; t += 16) {
      sum = multiplyAdd(sum, v128.load(row + t), v128.load(x + t));
    }
    const y = load<f32>(row + vectorBytes);
    store<f32>(x + (<usize>i << 2), (y - sumLanes(sum)) * load<f32>(inverses + (<usize>i << 2)));
  }
}
