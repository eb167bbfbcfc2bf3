// Assigns rows to centroids. Letters: n rows, d dimensions; centroids packed in panels of 8 (matmul.ts), halfSquares[c] = |c|²/2,
// +∞ past the last. Readable forms: src/kernels/reference/assign.ts.
import { maxLanes, multiplyAdd } from './simd';
import { AssignNearest, AssignSecond } from './records.generated';

/** Centroids in a panel (matmul.ts). */
const PANEL: i32 = 8;
/** The norm of a row in int16: rounding may increase an element above 32,000, but not above 32,767. */
const NORM: f32 = 32000;
/** The largest difference between a scaled element and its int16 form: a half, and the rounding of the scaling. */
const OFF: f32 = 0.51;
/** The largest relative error of a float32 operation, with room for the rounding of the error terms. */
const ROUNDING: f32 = 6.1e-8;

/**
 * labels[i] = argmax_c ⟨x_i, c⟩ − |c|²/2, the nearest centroid, ties to the lower number; scores[i] the maximum. All scores are
 * float32; four rows share each load of centroids. Work items: blocks of 4 rows.
 */
export function nearestOfPanels(
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

/**
 * The same labels and bits of scores as nearestOfPanels, in about half its time where there are many centroids: all scores in
 * int16 first, with |error| ≤ E, then again in float32 for panels with a score within 2E of the best. Without packed16 (0) all
 * panels are scored in float32, one row at a time.
 *   x16 = round(x · 32,000/|x|), c16 = round(c · s), packed16: panels [pair of dimensions][8][2] int16; unscale = 1/s
 *   E = (0.51 (max |c16|₁ + |x16|₁) + 0.27 d)/(s · 32,000/|x|) + (d + 8) 2⁻²⁴ (max |c|²/2 + |x| max |c|)
 * By Cauchy and Schwarz a product of x16 with c16 is below 2³¹ while |c16| ≤ 32,000. limits: max |c16|₁, max |c|, max |c|²/2.
 * scratch: 16·(4·panels + 2·pairs + 2) bytes per slot, pairs rounded up to even. Work items: blocks of 4 rows.
 */
export function assignNearest(begin: i32, end: i32, slot: i32, call: AssignNearest): void {
  const rows = call.rows, n = call.n, d = call.d, packed = call.packed, halfSquares = call.halfSquares;
  const packed16 = call.packed16, panels = call.panels, unscale = call.unscale, limits = call.limits;
  const labels = call.labels, scores = call.scores, scratch = call.scratch, scratchStride = call.scratchStride;
  const bytes = <usize>d << 2;
  const pairBytes = <usize>((d + 1) >> 1) << 2;
  const areaBytes = <usize>panels << 4;
  const own = scratch + <usize>slot * scratchStride;
  const shorts = own + 32;
  const maxima = shorts + ((pairBytes + 7) >> 3 << 5);
  for (let item = begin; item < end; item++) {
    const first = item << 2;
    const count = min(4, n - first);
    const x = rows + <usize>first * bytes;
    if (packed16 == 0) {
      for (let i = 0; i < count; i++) {
        refine(x + <usize>i * bytes, first + i, d, packed, halfSquares, panels, maxima, -Infinity, labels, scores);
      }
      continue;
    }
    for (let i = 0; i < 4; i++) {
      const row = x + <usize>min(i, count - 1) * bytes;
      quantizeRow(row, d, unscale, limits, shorts + <usize>i * pairBytes, own + (<usize>i << 2));
    }
    const u0 = v128.load_splat<f32>(own), u1 = v128.load_splat<f32>(own, 4);
    const u2 = v128.load_splat<f32>(own, 8), u3 = v128.load_splat<f32>(own, 12);
    let m0 = f32x4.splat(-Infinity), m1 = m0, m2 = m0, m3 = m0;
    let panel = packed16, to = maxima;
    for (let p = 0; p < panels; p++) {
      let s00 = i32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
      let a0 = shorts, a1 = a0 + pairBytes, a2 = a1 + pairBytes, a3 = a2 + pairBytes;
      const last = a1;
      for (; a0 < last; a0 += 4) {
        const b0 = v128.load(panel), b1 = v128.load(panel, 16);
        let q = v128.load_splat<i32>(a0);
        s00 = i32x4.add(s00, i32x4.dot_i16x8_s(q, b0)); s01 = i32x4.add(s01, i32x4.dot_i16x8_s(q, b1));
        q = v128.load_splat<i32>(a1);
        s10 = i32x4.add(s10, i32x4.dot_i16x8_s(q, b0)); s11 = i32x4.add(s11, i32x4.dot_i16x8_s(q, b1));
        q = v128.load_splat<i32>(a2);
        s20 = i32x4.add(s20, i32x4.dot_i16x8_s(q, b0)); s21 = i32x4.add(s21, i32x4.dot_i16x8_s(q, b1));
        q = v128.load_splat<i32>(a3);
        s30 = i32x4.add(s30, i32x4.dot_i16x8_s(q, b0)); s31 = i32x4.add(s31, i32x4.dot_i16x8_s(q, b1));
        a1 += 4; a2 += 4; a3 += 4; panel += 32;
      }
      const h0 = v128.load(halfSquares + (<usize>p << 5)), h1 = v128.load(halfSquares + (<usize>p << 5), 16);
      let best = larger(s00, s01, u0, h0, h1);
      v128.store(to, best); m0 = f32x4.pmax(m0, best);
      best = larger(s10, s11, u1, h0, h1);
      v128.store(to + areaBytes, best); m1 = f32x4.pmax(m1, best);
      best = larger(s20, s21, u2, h0, h1);
      v128.store(to + 2 * areaBytes, best); m2 = f32x4.pmax(m2, best);
      best = larger(s30, s31, u3, h0, h1);
      v128.store(to + 3 * areaBytes, best); m3 = f32x4.pmax(m3, best);
      to += 16;
    }
    for (let i = 0; i < count; i++) {
      const most = i < 2 ? (i == 0 ? m0 : m1) : i == 2 ? m2 : m3;
      const limit = maxLanes(most) - load<f32>(own + (<usize>i << 2), 16);
      const row = x + <usize>i * bytes;
      refine(row, first + i, d, packed, halfSquares, panels, maxima + <usize>i * areaBytes, limit, labels, scores);
    }
  }
}

/** The larger of lanes i and i + 4 of a panel's scores. */
// @ts-ignore: decorator
@inline function larger(low: v128, high: v128, unscale: v128, halfLow: v128, halfHigh: v128): v128 {
  return f32x4.pmax(
    f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(low), unscale), halfLow),
    f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(high), unscale), halfHigh),
  );
}

/**
 * Write a row as int16. `out` gets the factor of products with it and, 16 bytes later, twice the bound E of its scores.
 */
function quantizeRow(row: usize, d: i32, unscale: f32, limits: usize, shorts: usize, out: usize): void {
  let square: f32 = 0;
  for (let t = 0; t < d; t++) {
    const value = load<f32>(row + (<usize>t << 2));
    square += value * value;
  }
  const norm = sqrt(square);
  const scale: f32 = norm > 0 ? NORM / norm : 0;
  let sum = 0;
  for (let t = 0; t < d; t++) {
    const value = <i32>nearest(load<f32>(row + (<usize>t << 2)) * scale);
    sum += abs(value);
    store<i16>(shorts + (<usize>t << 1), <i16>value);
  }
  if (d & 1) store<i16>(shorts + (<usize>d << 1), 0);
  const step = unscale * norm / NORM;
  const rounded = step * (OFF * (load<f32>(limits) + <f32>sum) + 0.27 * <f32>d);
  const summed = <f32>(d + 8) * ROUNDING * (load<f32>(limits, 8) + norm * load<f32>(limits, 4));
  store<f32>(out, step);
  store<f32>(out, 2 * (rounded + summed), 16);
}

/** The best centroid of a row in float32, among panels with a score that is NaN or at least `limit`. */
function refine(
  x: usize, row: i32, d: i32, packed: usize, halfSquares: usize, panels: i32, maxima: usize, limit: f32, labels: usize,
  scores: usize,
): void {
  const bound = f32x4.splat(limit);
  let m = f32x4.splat(-Infinity), starts = i32x4.splat(0);
  let p = 0;
  while (p < panels) {
    const at = maxima + (<usize>p << 4);
    if (p + 4 <= panels) {
      const low = f32x4.pmax(v128.load(at), v128.load(at, 16));
      const high = f32x4.pmax(v128.load(at, 32), v128.load(at, 48));
      if (i32x4.all_true(f32x4.lt(f32x4.pmax(low, high), bound))) {
        p += 4;
        continue;
      }
    }
    if (!i32x4.all_true(f32x4.lt(v128.load(at), bound))) {
      let s0 = f32x4.neg(v128.load(halfSquares + (<usize>p << 5)));
      let s1 = f32x4.neg(v128.load(halfSquares + (<usize>p << 5), 16));
      let panel = packed + <usize>p * (<usize>d << 5);
      for (let t: usize = 0; t < <usize>d << 2; t += 4) {
        const q = v128.load_splat<f32>(x + t);
        s0 = multiplyAdd(s0, q, v128.load(panel)); s1 = multiplyAdd(s1, q, v128.load(panel, 16));
        panel += 32;
      }
      const low = i32x4.splat(p * PANEL);
      const isHigh = f32x4.gt(s1, s0);
      const value = v128.bitselect(s1, s0, isHigh);
      const better = f32x4.gt(value, m);
      m = v128.bitselect(value, m, better);
      starts = v128.bitselect(v128.bitselect(i32x4.add(low, i32x4.splat(4)), low, isHigh), starts, better);
    }
    p++;
  }
  writeBest(row, i32.MAX_VALUE, m, starts, labels, scores);
}

/** Write the best of four lanes. The centroid of a lane is its panel start plus the lane; ties to the lower centroid. */
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
 * scratch: d floats per slot. Work items: rows.
 */
export function assignSecond(begin: i32, end: i32, slot: i32, call: AssignSecond): void {
  const rows = call.rows, d = call.d, packed = call.packed, halfSquares = call.halfSquares, panels = call.panels;
  const centroids = call.centroids, labels = call.labels, lambda = call.lambda, second = call.second;
  const scratch = call.scratch;
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
