// The layers of models, forward and backward, on row-major float32 whose padding columns are 0 and stay 0.
// Letters: n rows, at strides in floats that are multiples of 4. Readable forms: src/kernels/reference/layers.ts.
import { multiplyAdd } from './simd';
import { expLanes } from './softmax';

/** The numbers of the activations, as in src/kernels/families/layers.ts. */
const RELU: i32 = 1, TANH: i32 = 2, GELU: i32 = 3;

/**
 * Below this |x|, tanh is x + x³·P(x²) (Cephes, tanhf.c, S. Moshier), because 1 − exp(−2|x|) would lose digits there.
 * Above it, tanh is (1 − e) / (1 + e) with e = exp(−2|x|). Largest error 2 units in the last place.
 */
const TANH_SMALL: f32 = 0.625;

// @ts-ignore: decorator
@inline function tanhLanes(x: v128): v128 {
  const one = f32x4.splat(1), magnitude = f32x4.abs(x);
  const e = expLanes(f32x4.mul(magnitude, f32x4.splat(-2)));
  const large = f32x4.div(f32x4.sub(one, e), f32x4.add(one, e));
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = multiplyAdd(f32x4.splat(2.06390887954e-2), p, z);
  p = multiplyAdd(f32x4.splat(-5.37397155531e-2), p, z);
  p = multiplyAdd(f32x4.splat(1.33314422036e-1), p, z);
  p = multiplyAdd(f32x4.splat(-3.33332819422e-1), p, z);
  const small = multiplyAdd(x, f32x4.mul(p, z), x);
  const signed = v128.or(large, v128.and(x, f32x4.splat(-0.0)));
  // A NaN is in neither range; it comes out of the polynomial.
  return v128.bitselect(signed, small, f32x4.ge(magnitude, f32x4.splat(TANH_SMALL)));
}

/**
 * 1 − Φ(|x|), half of erfc(|x| / √2): Abramowitz and Stegun 7.1.26, t = 1 / (1 + p·|x|/√2),
 * ½ · (a1·t + … + a5·t⁵) · exp(−x²/2). Largest error 8e-8.
 */
// @ts-ignore: decorator
@inline function upperTail(magnitude: v128, bell: v128): v128 {
  const t = f32x4.div(f32x4.splat(1), multiplyAdd(f32x4.splat(1), magnitude, f32x4.splat(0.23164189)));
  let p = f32x4.splat(0.5307027145);
  p = multiplyAdd(f32x4.splat(-0.7265760135), p, t);
  p = multiplyAdd(f32x4.splat(0.7107068705), p, t);
  p = multiplyAdd(f32x4.splat(-0.142248368), p, t);
  p = multiplyAdd(f32x4.splat(0.127414796), p, t);
  return f32x4.mul(f32x4.mul(p, t), bell);
}

/** exp(−x²/2). */
// @ts-ignore: decorator
@inline function bellLanes(x: v128): v128 {
  return expLanes(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
}

/** Φ(x), the share of a normal distribution below x. */
// @ts-ignore: decorator
@inline function normalShare(x: v128, bell: v128): v128 {
  const tail = upperTail(f32x4.abs(x), bell);
  return v128.bitselect(tail, f32x4.sub(f32x4.splat(1), tail), f32x4.lt(x, f32x4.splat(0)));
}

/** z ← z + bias; y ← activation(z), for `stride` columns; y may be z. Work items: rows. */
export function activateRows(begin: i32, end: i32, slot: i32, z: usize, stride: i32, bias: usize, activation: i32, y: usize): void {
  const bytes = <usize>stride << 2;
  const zeros = f32x4.splat(0);
  for (let i = begin; i < end; i++) {
    const from = z + <usize>i * bytes, to = y + <usize>i * bytes;
    for (let t: usize = 0; t < bytes; t += 16) {
      const sum = f32x4.add(v128.load(from + t), v128.load(bias + t));
      if (y != z) v128.store(from + t, sum);
      let value = sum;
      if (activation == RELU) value = f32x4.pmax(sum, zeros);
      else if (activation == TANH) value = tanhLanes(sum);
      else if (activation == GELU) value = f32x4.mul(sum, normalShare(sum, bellLanes(sum)));
      v128.store(to + t, value);
    }
  }
}

/**
 * dz ← dy ⊙ activation′ for `stride` columns of dy [n, dyStride] and dz [n, stride]. kept [n, stride] is y of ReLU and tanh,
 * z of GELU: ReLU′ = y > 0, tanh′ = 1 − y², GELU′ = Φ(z) + z·exp(−z²/2)/√2π. Work items: rows.
 */
export function activationGradient(
  begin: i32, end: i32, slot: i32, dy: usize, dyStride: i32, kept: usize, stride: i32, activation: i32, dz: usize,
): void {
  const bytes = <usize>stride << 2;
  const zeros = f32x4.splat(0), one = f32x4.splat(1);
  for (let i = begin; i < end; i++) {
    const from = dy + ((<usize>i * <usize>dyStride) << 2), at = kept + <usize>i * bytes, to = dz + <usize>i * bytes;
    for (let t: usize = 0; t < bytes; t += 16) {
      let g = v128.load(from + t);
      const x = v128.load(at + t);
      if (activation == RELU) g = v128.andnot(g, f32x4.le(x, zeros));
      else if (activation == TANH) g = f32x4.mul(g, f32x4.sub(one, f32x4.mul(x, x)));
      else if (activation == GELU) {
        const bell = bellLanes(x);
        const slope = multiplyAdd(normalShare(x, bell), f32x4.mul(x, bell), f32x4.splat(0.3989422804));
        g = f32x4.mul(g, slope);
      }
      v128.store(to + t, g);
    }
  }
}

/** out[j] = Σ_i a[i][j], in the order of the rows: a [n, stride], out [stride]. Work items: groups of 4 columns. */
export function sumColumns(begin: i32, end: i32, slot: i32, a: usize, stride: i32, n: i32, out: usize): void {
  const bytes = <usize>stride << 2;
  const last = <usize>end << 4;
  for (let t = <usize>begin << 4; t < last; t += 16) {
    let sum = f32x4.splat(0);
    let from = a + t;
    for (let i = 0; i < n; i++) {
      sum = f32x4.add(sum, v128.load(from));
      from += bytes;
    }
    v128.store(out + t, sum);
  }
}

/**
 * to[i][j] = from[i][j], or += with `isAdded`, j < columns: from [n, fromStride], to [n, toStride], of which neither has to
 * begin at a vector. Work items: rows.
 */
export function copyColumns(
  begin: i32, end: i32, slot: i32, from: usize, fromStride: i32, columns: i32, to: usize, toStride: i32, isAdded: i32,
): void {
  const bytes = <usize>columns << 2, vectors = bytes & ~15;
  for (let i = begin; i < end; i++) {
    const source = from + ((<usize>i * <usize>fromStride) << 2), target = to + ((<usize>i * <usize>toStride) << 2);
    let t: usize = 0;
    for (; t < vectors; t += 16) {
      const x = v128.load(source + t);
      v128.store(target + t, isAdded ? f32x4.add(v128.load(target + t), x) : x);
    }
    for (; t < bytes; t += 4) {
      const x = load<f32>(source + t);
      store<f32>(target + t, isAdded ? load<f32>(target + t) + x : x);
    }
  }
}

/** to[j][i] = from[i][j]: from [n, columns] at fromStride, to [columns, n] at toStride. Work items: rows of `to`. */
export function transposeRows(
  begin: i32, end: i32, slot: i32, from: usize, fromStride: i32, n: i32, to: usize, toStride: i32,
): void {
  const bytes = <usize>fromStride << 2;
  for (let j = begin; j < end; j++) {
    let source = from + (<usize>j << 2);
    const target = to + ((<usize>j * <usize>toStride) << 2);
    for (let i = 0; i < n; i++) {
      store<f32>(target + (<usize>i << 2), load<f32>(source));
      source += bytes;
    }
  }
}

/** One round of Philox4x32 multiplies two of the four words by these constants (Salmon et al., SC 2011). */
const MULTIPLIER_0: u64 = 0xd2511f53, MULTIPLIER_1: u64 = 0xcd9e8d57;
const WEYL_0: u32 = 0x9e3779b9, WEYL_1: u32 = 0xbb67ae85;

/**
 * Dropout: y ← scale · x where the number of an element is at least `threshold`, else 0; x and y [n, stride], y may be x.
 * The numbers of the columns 4q … 4q + 3 of row i are the block of Philox4x32-10 at counter (q, i, step, 0) and key
 * (seed, 0), so they depend on no thread. Work items: rows.
 */
export function dropRows(
  begin: i32, end: i32, slot: i32, x: usize, stride: i32, threshold: u32, scale: f32, seed: u32, step: u32, y: usize,
): void {
  const scales = f32x4.splat(scale), thresholds = i32x4.splat(threshold);
  const groups = stride >> 2;
  for (let i = begin; i < end; i++) {
    for (let q = 0; q < groups; q++) {
      let c0 = <u32>q, c1 = <u32>i, c2 = step, c3: u32 = 0, k0 = seed, k1: u32 = 0;
      for (let round = 0; round < 10; round++) {
        const p0 = MULTIPLIER_0 * <u64>c0, p1 = MULTIPLIER_1 * <u64>c2;
        c0 = <u32>(p1 >> 32) ^ c1 ^ k0; c1 = <u32>p1;
        c2 = <u32>(p0 >> 32) ^ c3 ^ k1; c3 = <u32>p0;
        k0 += WEYL_0; k1 += WEYL_1;
      }
      let words = i32x4.splat(c0);
      words = i32x4.replace_lane(words, 1, c1); words = i32x4.replace_lane(words, 2, c2); words = i32x4.replace_lane(words, 3, c3);
      const at = ((<usize>i * <usize>stride) << 2) + (<usize>q << 4);
      const kept = f32x4.mul(v128.load(x + at), scales);
      v128.store(y + at, v128.and(kept, i32x4.ge_u(words, thresholds)));
    }
  }
}
