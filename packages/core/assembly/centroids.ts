// Scores of a query with int16 centroids, and the choice of the best of them. Centroids are integers c16 = round(c ·
// s), s = 32,000 / max |c|; the query is scaled in the same way. By Cauchy-Schwarz every sum of products is below 2³⁰.
// Layout: panels of 16 centroids, [panel][pair of dimensions][16][2] int16; pairs are even in number. Readable forms:
// src/kernels/reference/scann.ts.
import { keyOf } from './keys';
import { WHOLE } from './lut16';

/** The norm of int16 vectors: rounding may increase an element above 32,000, but not above 32,767. */
const NORM: f32 = 32000;
/** Bins of the histogram that finds a threshold. */
const BINS: i32 = 256;
/** Bytes of that histogram. */
export const HISTOGRAM_BYTES: usize = 1024;

/**
 * Write the query as int16, zeros from d to its stride, a multiple of four. Returns 1/scale, 0 for a zero query.
 */
export function quantizeQuery(query: usize, d: i32, stride: i32, to: usize): f32 {
  let square: f32 = 0;
  for (let t = 0; t < d; t++) {
    const value = load<f32>(query + (<usize>t << 2));
    square += value * value;
  }
  const norm = sqrt(square);
  const scale = f32x4.splat(norm > 0 ? NORM / norm : 0);
  for (let t: usize = 0; t < <usize>stride; t += 4) {
    const whole = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(query + (t << 2)), scale)));
    v128.store64_lane(to + (t << 1), i16x8.narrow_i32x4_s(whole, whole), 0);
  }
  return norm > 0 ? norm / NORM : 0;
}

/** Scores of one panel: scores[i] = unscale · ⟨c16_i, q16⟩ + addend[i]. Returns the maxima of lanes i, i+4, i+8, i+12. */
// @ts-ignore: decorator
@inline export function scorePanel16(panel: usize, pairs: i32, q16: usize, unscale: v128, addend: usize, scores: usize): v128 {
  let s0 = i32x4.splat(0), s1 = i32x4.splat(0), s2 = i32x4.splat(0), s3 = i32x4.splat(0);
  const last = panel + (<usize>pairs << 6);
  for (; panel < last; panel += 128) {
    let q = v128.load_splat<i32>(q16);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(q, v128.load(panel)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(q, v128.load(panel, 16)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(q, v128.load(panel, 32)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(q, v128.load(panel, 48)));
    q = v128.load_splat<i32>(q16, 4);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(q, v128.load(panel, 64)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(q, v128.load(panel, 80)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(q, v128.load(panel, 96)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(q, v128.load(panel, 112)));
    q16 += 8;
  }
  const f0 = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(s0), unscale), v128.load(addend));
  const f1 = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(s1), unscale), v128.load(addend, 16));
  const f2 = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(s2), unscale), v128.load(addend, 32));
  const f3 = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(s3), unscale), v128.load(addend, 48));
  v128.store(scores, f0);
  v128.store(scores, f1, 16);
  v128.store(scores, f2, 32);
  v128.store(scores, f3, 48);
  return f32x4.pmax(f32x4.pmax(f0, f1), f32x4.pmax(f2, f3));
}

/**
 * Write the keys (score, 16 · panel + lane) of at least the `wanted` best lanes of `panels` scored panels, unsorted;
 * all finite ones if there are fewer. maxima: 4 lane maxima per panel (scorePanel16). Returns the number of keys.
 *
 * The wanted-th largest lane maximum is a lower bound of the wanted-th best score. It is estimated with a histogram, so
 * the result has a few per cent more keys than `wanted`.
 */
export function gatherBest(
  scores: usize, maxima: usize, panelIds: usize, panels: i32, wanted: i32, histogram: usize, keys: usize,
): i32 {
  let high = f32x4.splat(-Infinity), low = f32x4.splat(Infinity);
  const none = f32x4.splat(-Infinity), some = f32x4.splat(Infinity);
  for (let p = 0; p < panels; p++) {
    const lanes = v128.load(maxima + (<usize>p << 4));
    high = f32x4.pmax(high, lanes);
    low = f32x4.pmin(low, v128.bitselect(lanes, some, f32x4.gt(lanes, none)));
  }
  const best = largest(high), least = -largest(f32x4.neg(low));
  let bound: f32 = Infinity;
  const range = best - least;
  const scale: f32 = range > 0 ? <f32>(BINS - 1) / range : 0;
  const top = f32x4.splat(best), step = f32x4.splat(scale);
  if (scale > 0 && scale < Infinity && wanted < 4 * panels) {
    for (let at: usize = 0; at < HISTOGRAM_BYTES; at += 16) v128.store(histogram + at, i32x4.splat(0));
    const lastBin = f32x4.splat(<f32>(BINS - 1)), whole = f32x4.splat(WHOLE);
    for (let p = 0; p < panels; p++) {
      const lanes = v128.load(maxima + (<usize>p << 4));
      const distances = f32x4.pmin(lastBin, f32x4.mul(f32x4.sub(top, lanes), step));
      const bins = v128.and(i32x4.shl(f32x4.add(distances, whole), 2), i32x4.splat((BINS - 1) << 2));
      count(histogram + <usize>i32x4.extract_lane(bins, 0));
      count(histogram + <usize>i32x4.extract_lane(bins, 1));
      count(histogram + <usize>i32x4.extract_lane(bins, 2));
      count(histogram + <usize>i32x4.extract_lane(bins, 3));
    }
    let sum = 0, bin = 0;
    for (; bin < BINS - 1; bin++) {
      sum += load<i32>(histogram + (<usize>bin << 2));
      if (sum >= wanted) break;
    }
    // The last bin also counts values that are not finite, so it gives no bound.
    if (bin < BINS - 1) bound = <f32>bin + 0.5;
  }
  const limit = f32x4.splat(bound);
  let found = 0;
  for (let p = 0; p < panels; p++) {
    const lanes = v128.load(maxima + (<usize>p << 4));
    if (!v128.any_true(within(top, lanes, step, limit))) continue;
    const from = scores + (<usize>p << 6);
    let bits = i32x4.bitmask(within(top, v128.load(from), step, limit)) |
      (i32x4.bitmask(within(top, v128.load(from, 16), step, limit)) << 4) |
      (i32x4.bitmask(within(top, v128.load(from, 32), step, limit)) << 8) |
      (i32x4.bitmask(within(top, v128.load(from, 48), step, limit)) << 12);
    const first = load<i32>(panelIds + (<usize>p << 2)) << 4;
    while (bits != 0) {
      const i = ctz(bits);
      bits &= bits - 1;
      store<u64>(keys + (<usize>found << 3), keyOf(load<f32>(from + (<usize>i << 2)), first + i));
      found++;
    }
  }
  return found;
}

/** The largest lane, without a branch; no lane may be NaN. */
function largest(lanes: v128): f32 {
  let most = f32x4.pmax(lanes, i8x16.shuffle(lanes, lanes, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  most = f32x4.pmax(most, i8x16.shuffle(most, most, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  return f32x4.extract_lane(most, 0);
}

// @ts-ignore: decorator
@inline function count(at: usize): void {
  store<i32>(at, load<i32>(at) + 1);
}

/** Lanes whose distance from the best, in bins, is within the limit. */
// @ts-ignore: decorator
@inline function within(top: v128, scores: v128, step: v128, limit: v128): v128 {
  return f32x4.le(f32x4.mul(f32x4.sub(top, scores), step), limit);
}
