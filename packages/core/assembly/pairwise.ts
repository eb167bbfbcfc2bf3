// Losses of a positive against weighted negatives one by one, for one pair of softmax-pairs.ts: BPR (Rendle and others,
// UAI 2009) and the cosine contrastive loss of SimpleX (Mao and others, CIKM 2021). N = Σ weights:
//   bpr:                Σ_m weights[m] · log(1 + exp(s_m − s_g)) / N
//   cosine contrastive: (1 − s_g) + negativeWeight · Σ_m weights[m] · max(0, s_m − margin) / N
// Readable form: src/kernels/reference/pairwise.ts.
import { expLanes } from './softmax';
import { multiplyAdd, sumLanes } from './simd';

/** log(1 + e) of four lanes in [0, 1]: 2·atanh(e / (2 + e)), whose series to the 13th power is exact to 2e-8. */
// @ts-ignore: decorator
@inline function logOnePlusLanes(e: v128): v128 {
  const x = f32x4.div(e, f32x4.add(f32x4.splat(2), e));
  const square = f32x4.mul(x, x);
  let p = f32x4.splat(2.0 / 13.0);
  p = multiplyAdd(f32x4.splat(2.0 / 11.0), p, square);
  p = multiplyAdd(f32x4.splat(2.0 / 9.0), p, square);
  p = multiplyAdd(f32x4.splat(2.0 / 7.0), p, square);
  p = multiplyAdd(f32x4.splat(2.0 / 5.0), p, square);
  p = multiplyAdd(f32x4.splat(2.0 / 3.0), p, square);
  p = multiplyAdd(f32x4.splat(2.0), p, square);
  return f32x4.mul(p, x);
}

/** Σ weights in float64. */
// @ts-ignore: decorator
@inline export function sumWeights(weights: usize, columns: i32): f64 {
  let sum: f64 = 0;
  const end = weights + (<usize>columns << 2);
  for (; weights < end; weights += 16) sum += <f64>sumLanes(v128.load(weights));
  return sum;
}

/** weights[m] ← weights[m] · σ(s_m − s_g); returns Σ weights[m] · log(1 + exp(s_m − s_g)) of the weights before. */
export function bprRow(logits: usize, weights: usize, columns: i32, positive: f32): f64 {
  const end = logits + (<usize>columns << 2);
  const positives = f32x4.splat(positive), one = f32x4.splat(1), zero = f32x4.splat(0);
  let loss: f64 = 0;
  for (; logits < end; logits += 16) {
    const z = f32x4.sub(v128.load(logits), positives);
    const weight = v128.load(weights);
    const e = expLanes(f32x4.neg(f32x4.abs(z)));
    const share = f32x4.div(one, f32x4.add(one, e));
    const sigmoid = v128.bitselect(share, f32x4.mul(e, share), f32x4.ge(z, zero));
    const term = f32x4.add(f32x4.max(z, zero), logOnePlusLanes(e));
    // A column without weight may have any logit: it adds nothing, also where its term is infinite.
    const counts = f32x4.gt(weight, zero);
    loss += <f64>sumLanes(v128.and(f32x4.mul(weight, term), counts));
    v128.store(weights, v128.and(f32x4.mul(weight, sigmoid), counts));
    weights += 16;
  }
  return loss;
}

/** weights[m] ← weights[m] where s_m > margin, else 0; returns Σ weights[m] · (s_m − margin) of those. */
export function hingeRow(logits: usize, weights: usize, columns: i32, margin: f32): f64 {
  const end = logits + (<usize>columns << 2);
  const margins = f32x4.splat(margin);
  let loss: f64 = 0;
  for (; logits < end; logits += 16) {
    const over = f32x4.sub(v128.load(logits), margins);
    const kept = v128.and(v128.load(weights), f32x4.gt(over, f32x4.splat(0)));
    loss += <f64>sumLanes(v128.and(f32x4.mul(kept, over), f32x4.gt(kept, f32x4.splat(0))));
    v128.store(weights, kept);
    weights += 16;
  }
  return loss;
}
