// Rows to centroids. Letters: n rows, d dimensions; centroids packed in panels of 8 (matmul.ts), halfSquares[c] = |c|²/2,
// +∞ past the last. Readable forms: src/kernels/reference/assign.ts.
import { multiplyAdd } from './simd';

/** Centroids in a panel (matmul.ts). */
const PANEL: i32 = 8;

/**
 * labels[i] = argmax_c ⟨x_i, c⟩ − |c|²/2, the nearest centroid, ties to the lower number; scores[i] the maximum.
 * Work items: blocks of 4 rows.
 */
export function assignNearest(
  begin: i32, end: i32, slot: i32, rows: usize, n: i32, d: i32, packed: usize, halfSquares: usize, panels: i32,
  labels: usize, scores: usize,
): void {
  const bytes = <usize>d << 2;
  for (let item = begin; item < end; item++) {
    const first = item << 2;
    const a0 = rows + <usize>first * bytes;
    const a1 = first + 1 < n ? a0 + bytes : a0;
    const a2 = first + 2 < n ? a1 + bytes : a0;
    const a3 = first + 3 < n ? a2 + bytes : a0;
    let m0 = f32x4.splat(-Infinity), m1 = m0, m2 = m0, m3 = m0;
    let i0 = i32x4.splat(0), i1 = i0, i2 = i0, i3 = i0;
    let panel = packed;
    for (let p = 0; p < panels; p++) {
      let s00 = f32x4.neg(v128.load(halfSquares + (<usize>p << 5)));
      let s01 = f32x4.neg(v128.load(halfSquares + (<usize>p << 5), 16));
      let s10 = s00, s11 = s01, s20 = s00, s21 = s01, s30 = s00, s31 = s01;
      const last = panel + (<usize>d << 5);
      let t: usize = 0;
      for (; panel < last; panel += 32) {
        const b0 = v128.load(panel), b1 = v128.load(panel, 16);
        let q = v128.load_splat<f32>(a0 + t);
        s00 = multiplyAdd(s00, q, b0); s01 = multiplyAdd(s01, q, b1);
        q = v128.load_splat<f32>(a1 + t);
        s10 = multiplyAdd(s10, q, b0); s11 = multiplyAdd(s11, q, b1);
        q = v128.load_splat<f32>(a2 + t);
        s20 = multiplyAdd(s20, q, b0); s21 = multiplyAdd(s21, q, b1);
        q = v128.load_splat<f32>(a3 + t);
        s30 = multiplyAdd(s30, q, b0); s31 = multiplyAdd(s31, q, b1);
        t += 4;
      }
      const low = i32x4.splat(p * PANEL), high = i32x4.add(low, i32x4.splat(4));
      let isHigh = f32x4.gt(s01, s00);
      let best = v128.bitselect(s01, s00, isHigh);
      let better = f32x4.gt(best, m0);
      m0 = v128.bitselect(best, m0, better); i0 = v128.bitselect(v128.bitselect(high, low, isHigh), i0, better);
      isHigh = f32x4.gt(s11, s10);
      best = v128.bitselect(s11, s10, isHigh);
      better = f32x4.gt(best, m1);
      m1 = v128.bitselect(best, m1, better); i1 = v128.bitselect(v128.bitselect(high, low, isHigh), i1, better);
      isHigh = f32x4.gt(s21, s20);
      best = v128.bitselect(s21, s20, isHigh);
      better = f32x4.gt(best, m2);
      m2 = v128.bitselect(best, m2, better); i2 = v128.bitselect(v128.bitselect(high, low, isHigh), i2, better);
      isHigh = f32x4.gt(s31, s30);
      best = v128.bitselect(s31, s30, isHigh);
      better = f32x4.gt(best, m3);
      m3 = v128.bitselect(best, m3, better); i3 = v128.bitselect(v128.bitselect(high, low, isHigh), i3, better);
    }
    writeBest(first, n, m0, i0, labels, scores);
    writeBest(first + 1, n, m1, i1, labels, scores);
    writeBest(first + 2, n, m2, i2, labels, scores);
    writeBest(first + 3, n, m3, i3, labels, scores);
  }
}

/** The best of four lanes, whose centroids are panel starts plus the lane; ties to the lower centroid. */
function writeBest(row: i32, n: i32, values: v128, starts: v128, labels: usize, scores: usize): void {
  if (row >= n) return;
  let value = f32x4.extract_lane(values, 0), at = i32x4.extract_lane(starts, 0);
  let other = f32x4.extract_lane(values, 1), where = i32x4.extract_lane(starts, 1) + 1;
  if (other > value || (other == value && where < at)) { value = other; at = where; }
  other = f32x4.extract_lane(values, 2); where = i32x4.extract_lane(starts, 2) + 2;
  if (other > value || (other == value && where < at)) { value = other; at = where; }
  other = f32x4.extract_lane(values, 3); where = i32x4.extract_lane(starts, 3) + 3;
  if (other > value || (other == value && where < at)) { value = other; at = where; }
  store<i32>(labels + (<usize>row << 2), at);
  if (scores != 0) store<f32>(scores + (<usize>row << 2), value);
}

/**
 * SOAR's second centroid (arXiv 2404.00774): with r = x − c_first and u = r/|r| (0 where |r|² < 1e-7),
 *   second[i] = argmin_c |x − c|² + λ ⟨x − c, u⟩²,  ties to the lower number; it may be the first one again.
 * scratch: d floats a slot. Work items: rows.
 */
export function assignSecond(
  begin: i32, end: i32, slot: i32, rows: usize, d: i32, packed: usize, halfSquares: usize, panels: i32,
  centroids: usize, labels: usize, lambda: f32, second: usize, scratch: usize,
): void {
  const bytes = <usize>d << 2;
  const direction = scratch + <usize>slot * bytes;
  const halfLambda = f32x4.splat(lambda * 0.5);
  for (let row = begin; row < end; row++) {
    const x = rows + <usize>row * bytes;
    const c = centroids + <usize>load<i32>(labels + (<usize>row << 2)) * bytes;
    let square: f32 = 0, along: f32 = 0;
    for (let t: usize = 0; t < bytes; t += 4) {
      const r = load<f32>(x + t) - load<f32>(c + t);
      store<f32>(direction + t, r);
      square += r * r;
    }
    const inverse: f32 = square < 1e-7 ? 0 : 1 / sqrt(square);
    for (let t: usize = 0; t < bytes; t += 4) {
      const u = load<f32>(direction + t) * inverse;
      store<f32>(direction + t, u);
      along += load<f32>(x + t) * u;
    }
    const xu = f32x4.splat(along);
    let m = f32x4.splat(-Infinity);
    let best = i32x4.splat(0);
    let panel = packed;
    for (let p = 0; p < panels; p++) {
      let s0 = f32x4.neg(v128.load(halfSquares + (<usize>p << 5)));
      let s1 = f32x4.neg(v128.load(halfSquares + (<usize>p << 5), 16));
      let u0 = f32x4.splat(0), u1 = u0;
      const last = panel + (<usize>d << 5);
      let t: usize = 0;
      for (; panel < last; panel += 32) {
        const b0 = v128.load(panel), b1 = v128.load(panel, 16);
        let q = v128.load_splat<f32>(x + t);
        s0 = multiplyAdd(s0, q, b0); s1 = multiplyAdd(s1, q, b1);
        q = v128.load_splat<f32>(direction + t);
        u0 = multiplyAdd(u0, q, b0); u1 = multiplyAdd(u1, q, b1);
        t += 4;
      }
      u0 = f32x4.sub(xu, u0); u1 = f32x4.sub(xu, u1);
      s0 = f32x4.sub(s0, f32x4.mul(halfLambda, f32x4.mul(u0, u0)));
      s1 = f32x4.sub(s1, f32x4.mul(halfLambda, f32x4.mul(u1, u1)));
      const low = i32x4.splat(p * PANEL), high = i32x4.add(low, i32x4.splat(4));
      const isHigh = f32x4.gt(s1, s0);
      const value = v128.bitselect(s1, s0, isHigh);
      const better = f32x4.gt(value, m);
      m = v128.bitselect(value, m, better);
      best = v128.bitselect(v128.bitselect(high, low, isHigh), best, better);
    }
    writeBest(row, i32.MAX_VALUE, m, best, second, 0);
  }
}
