// The softmax and other losses pair by pair, for batches in which rows with the same query have different negatives. The
// formulas are those of softmax.ts, with weights per pair: accidental hits and masked columns have weight 0; with hard
// negatives only the columns with the largest logits have weight. Letters: a pair (u, g) is a row of the batch, its
// query u and the column group g of its positive; R groups of equal columns, group m of counts[m] columns with logit
// scale · ⟨q_u, c_m⟩ + offsets[m]. Readable form: src/kernels/reference/softmax-pairs.ts.
import { scorePanels } from './matmul';
import { sumLanes } from './simd';
import { expRow, largestWeighted } from './softmax';
import { bprRow, hingeRow, sumWeights } from './pairwise';
import { SoftmaxPairs } from './records.generated';

/** Bits of a float as an integer of the same order, and back. */
// @ts-ignore: decorator
@inline function ordered(bits: i32): i32 {
  return bits ^ ((bits >> 31) & i32.MAX_VALUE);
}

/** Σ weights[j] where logits[j] ≥ limit. Weights are integers, so the sum is exact up to 2²⁴ columns. */
// @ts-ignore: decorator
@inline function weightFrom(logits: usize, weights: usize, columns: i32, limit: f32): f32 {
  const limits = f32x4.splat(limit);
  let sums = f32x4.splat(0);
  const end = logits + (<usize>columns << 2);
  for (; logits < end; logits += 16) {
    sums = f32x4.add(sums, v128.and(v128.load(weights), f32x4.ge(v128.load(logits), limits)));
    weights += 16;
  }
  return sumLanes(sums);
}

/** Σ weights[j] where logits[j] > limit. */
// @ts-ignore: decorator
@inline function weightAbove(logits: usize, weights: usize, columns: i32, limit: f32): f32 {
  const limits = f32x4.splat(limit);
  let sums = f32x4.splat(0);
  const end = logits + (<usize>columns << 2);
  for (; logits < end; logits += 16) {
    sums = f32x4.add(sums, v128.and(v128.load(weights), f32x4.gt(v128.load(logits), limits)));
    weights += 16;
  }
  return sumLanes(sums);
}

/**
 * Reduce the weights so that only the `count` largest logits count, each as many times as its weight; ties to the lower
 * column.
 */
function keepLargest(logits: usize, weights: usize, columns: i32, count: i32): void {
  const end = logits + (<usize>columns << 2);
  const wanted = <f32>count;
  if (!(weightFrom(logits, weights, columns, -Infinity) > wanted)) return;
  // Bisection over the ordered integers between −∞ and the maximum finds the largest float that at least `count` logits
  // reach.
  let low: i64 = <i64>ordered(reinterpret<i32>(<f32>-Infinity));
  let high: i64 = <i64>ordered(reinterpret<i32>(largestWeighted(logits, weights, columns)));
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (weightFrom(logits, weights, columns, reinterpret<f32>(ordered(<i32>middle))) >= wanted) low = middle;
    else high = middle - 1;
  }
  const limit = reinterpret<f32>(ordered(<i32>low));
  const limits = f32x4.splat(limit);
  let ties = wanted - weightAbove(logits, weights, columns, limit);
  let w = weights;
  for (let at = logits; at < end; at += 16) {
    const values = v128.load(at);
    if (!v128.any_true(f32x4.eq(values, limits))) {
      v128.store(w, v128.and(v128.load(w), f32x4.gt(values, limits)));
    } else {
      for (let lane: usize = 0; lane < 16; lane += 4) {
        const value = load<f32>(at + lane);
        if (value > limit) continue;
        const kept: f32 = value == limit ? min(load<f32>(w + lane), ties) : 0;
        store<f32>(w + lane, kept);
        ties -= kept;
      }
    }
    w += 16;
  }
}

/** logits[m] = scale · (the best of the heads' scores) + offsets[m]. */
// @ts-ignore: decorator
@inline function bestOfHeads(scores: usize, heads: i32, columns: i32, scale: f32, offsets: usize, logits: usize): void {
  const bytes = <usize>columns << 2;
  const scales = f32x4.splat(scale);
  for (let j: usize = 0; j < bytes; j += 16) {
    let best = v128.load(scores + j);
    for (let h = 1; h < heads; h++) best = f32x4.max(best, v128.load(scores + <usize>h * bytes + j));
    v128.store(logits + j, f32x4.add(f32x4.mul(best, scales), v128.load(offsets + j)));
  }
}

/** Write the gradient of each column to the first head with the best score, over the scores. */
// @ts-ignore: decorator
@inline function gradientToHeads(
  gradient: usize, logits: usize, heads: i32, columns: i32, scale: f32, offsets: usize, scores: usize,
): void {
  const bytes = <usize>columns << 2;
  const scales = f32x4.splat(scale);
  for (let j: usize = 0; j < bytes; j += 16) {
    let rest = v128.load(gradient + j);
    const best = v128.load(logits + j), offset = v128.load(offsets + j);
    for (let at = scores + j; at < scores + <usize>heads * bytes; at += bytes) {
      const isBest = f32x4.eq(f32x4.add(f32x4.mul(v128.load(at), scales), offset), best);
      v128.store(at, v128.and(rest, isBest));
      rest = v128.andnot(rest, isBest);
    }
  }
}

/** to[j] += from[j] · share. */
// @ts-ignore: decorator
@inline function addScaled(to: usize, from: usize, columns: i32, share: f32): void {
  const shares = f32x4.splat(share);
  const bytes = <usize>columns << 2;
  for (let j: usize = 0; j < bytes; j += 16) {
    v128.store(to + j, f32x4.add(v128.load(to + j), f32x4.mul(v128.load(from + j), shares)));
  }
}

/**
 * weights[m] = the number of columns of group m that are negatives of pair (·, g): counts[m] without the positive
 * itself, without columns with the id of g (if ids are given), and without columns whose bit in `mask` is 0 (if a mask
 * is given).
 */
// @ts-ignore: decorator
@inline function negativesOf(g: i32, counts: usize, ids: usize, mask: usize, columns: i32, weights: usize): void {
  const bytes = <usize>columns << 2;
  const at = <usize>g << 2;
  if (ids == 0) {
    memory.copy(weights, counts, bytes);
    store<f32>(weights + at, load<f32>(weights + at) - 1);
  } else {
    const own = v128.load_splat<i32>(ids + at);
    for (let j: usize = 0; j < bytes; j += 16) {
      v128.store(weights + j, v128.andnot(v128.load(counts + j), i32x4.eq(v128.load(ids + j), own)));
    }
  }
  if (mask == 0) return;
  for (let j = 0; j < columns; j++) {
    const word = load<u32>(mask + ((<usize>j >> 5) << 2));
    if (((word >> (j & 31)) & 1) == 0) store<f32>(weights + (<usize>j << 2), 0);
  }
}

/**
 * Loss parts of every pair and logit gradients of a tile of queries: G [tile · heads, 8 · panels] from Q [U · heads, d]
 * and packed groups. Row r of the tile is query first + r; its pairs are [pairStarts[first + r], pairStarts[first + r +
 * 1]). masks: bit words [pairs, maskWords], or 0. ids: 0 keeps accidental hits. negatives: 0 keeps all. results [pairs,
 * 4] float64: the largest logit, Z, the logit of the positive, and the number of negatives with a larger one; for a
 * loss other than softmax (pairwise.ts) the loss, 1, 0 and that number. scratch: three rows of 8 · panels floats per slot. Work items: queries of the tile.
 */
export function softmaxPairs(begin: i32, end: i32, slot: i32, call: SoftmaxPairs): void {
  const first = call.first, heads = call.heads, queries = call.queries, d = call.d, packed = call.packed;
  const panels = call.panels, scale = call.scale, counts = call.counts, offsets = call.offsets, ids = call.ids;
  const masks = call.masks, maskWords = call.maskWords, negatives = call.negatives, pairStarts = call.pairStarts;
  const pairColumns = call.pairColumns, pairWeights = call.pairWeights, learn = call.learn, tile = call.tile;
  const results = call.results, scratch = call.scratch;
  const loss = call.loss, margin = call.margin, negativeWeight = call.negativeWeight;
  const columns = panels << 3;
  const bytes = <usize>columns << 2;
  const logits = scratch + 3 * <usize>slot * bytes;
  const weights = logits + bytes;
  const gradient = weights + bytes;
  for (let block = begin; block < end; block += 4) {
    const last = min(block + 4, end);
    const blockScores = tile + <usize>(block * heads) * bytes;
    const from = queries + ((<usize>((first + block) * heads) * <usize>d) << 2);
    scorePanels(from, (last - block) * heads, d, packed, panels, blockScores, columns);
    for (let row = block; row < last; row++) {
      const scores = tile + <usize>(row * heads) * bytes;
      const starts = pairStarts + (<usize>(first + row) << 2);
      const firstPair = load<i32>(starts), lastPair = load<i32>(starts, 4);
      bestOfHeads(scores, heads, columns, scale, offsets, logits);
      memory.fill(gradient, 0, bytes);
      for (let p = firstPair; p < lastPair; p++) {
        const g = load<i32>(pairColumns + (<usize>p << 2));
        const positive = load<f32>(logits + (<usize>g << 2));
        const mask = masks == 0 ? 0 : masks + ((<usize>p * <usize>maskWords) << 2);
        negativesOf(g, counts, ids, mask, columns, weights);
        if (negatives != 0) keepLargest(logits, weights, columns, negatives);
        const tied = weights + (<usize>g << 2);
        const larger = weightAbove(logits, weights, columns, positive);
        const own = gradient + (<usize>g << 2);
        const factor = load<f32>(pairWeights + (<usize>p << 2)) * scale;
        const result = results + (<usize>p << 5);
        store<f64>(result, <f64>larger, 24);
        if (loss != 0) {
          const total = sumWeights(weights, columns);
          const each: f64 = total > 0 ? (loss == 1 ? 1 : <f64>negativeWeight) / total : 0;
          const sum = loss == 1
            ? bprRow(logits, weights, columns, positive)
            : hingeRow(logits, weights, columns, margin);
          store<f64>(result, each * sum + (loss == 1 ? 0 : 1 - <f64>positive));
          store<f64>(result, 1, 8);
          store<f64>(result, 0, 16);
          if (learn == 0) continue;
          const slope = loss == 1 ? each * sumWeights(weights, columns) : 1;
          addScaled(gradient, weights, columns, <f32>(<f64>factor * each));
          store<f32>(own, load<f32>(own) - <f32>(<f64>factor * slope));
          continue;
        }
        store<f32>(tied, load<f32>(tied) + 1);
        const top = largestWeighted(logits, weights, columns);
        const total = expRow(logits, weights, columns, top, weights);
        store<f64>(result, <f64>top);
        store<f64>(result, total, 8);
        store<f64>(result, <f64>positive, 16);
        if (learn == 0) continue;
        addScaled(gradient, weights, columns, <f32>(<f64>factor / total));
        store<f32>(own, load<f32>(own) - factor);
      }
      if (learn != 0) gradientToHeads(gradient, logits, heads, columns, scale, offsets, scores);
    }
  }
}
