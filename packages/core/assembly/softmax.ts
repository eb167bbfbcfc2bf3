// The in-batch softmax of distinct rows, its loss and its gradient with respect to the logits, in one pass per row.
// Letters: U distinct queries, M distinct candidates, n_u weight of query u, w_m weight of candidate m (its number of
// columns, divided by its sampling probability where one is given).
//   s = scale · ⟨q_u, c_m⟩;  Z_u = Σ_m w_m · exp(s − max);  G[u][m] = scale · (n_u · w_m · exp(s − max) / Z_u − pair weight)
// Readable form: src/kernels/reference/softmax.ts.
import { maxLanes, multiplyAdd, sumLanes } from './simd';
import { scorePanels } from './matmul';
import { SoftmaxTile } from './records.generated';

// expf after Cephes: x = n·ln2 + r, |r| ≤ ln2/2, a polynomial of degree 6 in r, then the exponent is added as bits.
// Largest relative error 2 units in the last place on [−87, 0]; below −87 the result is 0. NaN stays NaN.
const LOG2E: f32 = 1.44269504088896341;
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;

/** exp of four lanes ≤ 0. */
// @ts-ignore: decorator
@inline export function expLanes(x: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(LOG2E)));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2_HIGH)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(LN2_LOW)));
  let p = f32x4.splat(1.9875691500e-4);
  p = multiplyAdd(f32x4.splat(1.3981999507e-3), p, r);
  p = multiplyAdd(f32x4.splat(8.3334519073e-3), p, r);
  p = multiplyAdd(f32x4.splat(4.1665795894e-2), p, r);
  p = multiplyAdd(f32x4.splat(1.6666665459e-1), p, r);
  p = multiplyAdd(f32x4.splat(5.0000001201e-1), p, r);
  const square = f32x4.mul(r, r);
  p = f32x4.add(multiplyAdd(r, p, square), f32x4.splat(1));
  const bits = i32x4.shl(i32x4.trunc_sat_f32x4_s(n), 23);
  return v128.andnot(i32x4.add(p, bits), f32x4.lt(x, f32x4.splat(-87)));
}

/** Bytes of the columns that are summed in float32 before the partial sum is added in float64. */
const BLOCK: usize = 256 * 4;

/** to[j] = weights[j] · exp(min(0, logits[j] − top)) for `columns` columns, a multiple of 8; their sum in float64. */
// @ts-ignore: decorator
@inline export function expRow(logits: usize, weights: usize, columns: i32, top: f32, to: usize): f64 {
  const end = logits + (<usize>columns << 2);
  const tops = f32x4.splat(top);
  let total: f64 = 0;
  while (logits < end) {
    const stop = min(logits + BLOCK, end);
    let sums = f32x4.splat(0);
    for (; logits < stop; logits += 16) {
      const e = f32x4.mul(expLanes(f32x4.min(f32x4.sub(v128.load(logits), tops), f32x4.splat(0))), v128.load(weights));
      v128.store(to, e);
      sums = f32x4.add(sums, e);
      weights += 16; to += 16;
    }
    total += <f64>sumLanes(sums);
  }
  return total;
}

/** The largest of a row's logits whose weight is above 0; −∞ where there is none. */
// @ts-ignore: decorator
@inline export function largestWeighted(logits: usize, weights: usize, columns: i32): f32 {
  const lowest = f32x4.splat(-Infinity);
  let largest = lowest;
  const end = logits + (<usize>columns << 2);
  for (; logits < end; logits += 16) {
    const counts = f32x4.gt(v128.load(weights), f32x4.splat(0));
    largest = f32x4.pmax(largest, v128.bitselect(v128.load(logits), lowest, counts));
    weights += 16;
  }
  return maxLanes(largest);
}

/** Scale a row of logits in place; the result is `largestWeighted` of it. */
// @ts-ignore: decorator
@inline function scaleRow(logits: usize, weights: usize, columns: i32, scale: f32): f32 {
  const scales = f32x4.splat(scale), lowest = f32x4.splat(-Infinity);
  let largest = lowest;
  const end = logits + (<usize>columns << 2);
  for (; logits < end; logits += 16) {
    const logit = f32x4.mul(v128.load(logits), scales);
    v128.store(logits, logit);
    largest = f32x4.pmax(largest, v128.bitselect(logit, lowest, f32x4.gt(v128.load(weights), f32x4.splat(0))));
    weights += 16;
  }
  return maxLanes(largest);
}

/**
 * Softmax of one row of logits [columns] in place; columns is a multiple of 8, padding has weight 0.
 * result: [3] float64: the largest s, Z, and Σ pairs weight · s.
 */
// @ts-ignore: decorator
@inline function softmaxRow(
  logits: usize, columns: i32, scale: f32, rowWeight: f32, columnWeights: usize,
  pairColumns: usize, pairWeights: usize, firstPair: i32, lastPair: i32, result: usize,
): void {
  const end = logits + (<usize>columns << 2);
  const top = scaleRow(logits, columnWeights, columns, scale);
  let positive: f64 = 0;
  for (let p = firstPair; p < lastPair; p++) {
    const column = <usize>load<u32>(pairColumns + (<usize>p << 2)) << 2;
    positive += <f64>load<f32>(pairWeights + (<usize>p << 2)) * <f64>load<f32>(logits + column);
  }
  const total = expRow(logits, columnWeights, columns, top, logits);
  const factor = f32x4.splat(<f32>(<f64>rowWeight * <f64>scale / total));
  for (let at = logits; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), factor));
  for (let p = firstPair; p < lastPair; p++) {
    const to = logits + (<usize>load<u32>(pairColumns + (<usize>p << 2)) << 2);
    store<f32>(to, load<f32>(to) - scale * load<f32>(pairWeights + (<usize>p << 2)));
  }
  store<f64>(result, <f64>top);
  store<f64>(result, total, 8);
  store<f64>(result, positive, 16);
}

/**
 * Logit gradients of a tile of distinct queries: G [tile, 8 · panels] from Q [U, d] and packed candidates.
 * Row r of the tile is query first + r; its pairs are [pairStarts[first + r], pairStarts[first + r + 1]).
 * results [tile, 3] float64 as softmaxRow. Work items: rows of the tile.
 */
export function softmaxTile(begin: i32, end: i32, slot: i32, call: SoftmaxTile): void {
  const first = call.first, queries = call.queries, d = call.d, packed = call.packed, panels = call.panels;
  const scale = call.scale, rowWeights = call.rowWeights, columnWeights = call.columnWeights;
  const pairStarts = call.pairStarts, pairColumns = call.pairColumns, pairWeights = call.pairWeights;
  const tile = call.tile, results = call.results;
  const stride = panels << 3;
  for (let r = begin; r < end; r += 4) {
    const last = min(r + 4, end);
    const from = queries + ((<usize>(first + r) * <usize>d) << 2);
    scorePanels(from, last - r, d, packed, panels, tile + ((<usize>r * <usize>stride) << 2), stride);
    for (let row = r; row < last; row++) {
      const starts = pairStarts + (<usize>(first + row) << 2);
      softmaxRow(
        tile + ((<usize>row * <usize>stride) << 2), stride, scale, load<f32>(rowWeights + (<usize>(first + row) << 2)),
        columnWeights, pairColumns, pairWeights, load<i32>(starts), load<i32>(starts, 4), results + <usize>row * 24,
      );
    }
  }
}
