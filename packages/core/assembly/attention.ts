// Causal self-attention of sequences of rows, forward and backward, on row-major float32 (Vaswani et al. 2017, equation 1,
// with the mask of Kang and McAuley 2018). A row of x holds the query q, the key k and the value v of an item; each head has
// `width` columns of each. For each head, item i of a sequence, and the items j ≤ i of the same sequence:
//   s_ij = scale · ⟨q_i, k_j⟩;  p_ij = exp(s_ij) / Σ_j exp(s_ij);  y_i = Σ_j p_ij · v_j
//   g_ij = ⟨dy_i, v_j⟩;  ds_ij = scale · p_ij · (g_ij − Σ_j p_ij · g_ij)
//   dq_i = Σ_j ds_ij · k_j;  dk_j = Σ_i ds_ij · q_i;  dv_j = Σ_i p_ij · dy_i
// With `lastOnly` this is done for the last item i of each sequence only, whose y is the row of the sequence.
// The backward pass computes p again, so that no memory grows with the square of a length.
// Readable forms: src/kernels/reference/attention.ts.
import { maxLanes, multiplyAdd, sumLanes } from './simd';
import { expLanes } from './softmax';
import { CausalAttention, CausalAttentionGradient } from './records.generated';

/** Bytes of `count` floats, rounded up to whole vectors. */
// @ts-ignore: decorator
@inline function vectorBytes(count: i32): usize {
  return <usize>((count + 3) & ~3) << 2;
}

/** ⟨a, b⟩ of floats of `bytes` bytes. */
// @ts-ignore: decorator
@inline function dot(a: usize, b: usize, bytes: usize): f32 {
  let sums = f32x4.splat(0);
  let t: usize = 0;
  for (; t + 16 <= bytes; t += 16) sums = multiplyAdd(sums, v128.load(a + t), v128.load(b + t));
  let sum = sumLanes(sums);
  for (; t < bytes; t += 4) sum += load<f32>(a + t) * load<f32>(b + t);
  return sum;
}

/** to[j] = scale · ⟨row, rows_j⟩, j < count, and 0 up to the next multiple of 4; `stride` bytes lie between two rows. */
function products(row: usize, rows: usize, stride: usize, count: i32, bytes: usize, scale: f32, to: usize): void {
  v128.store(to + vectorBytes(count) - 16, f32x4.splat(0));
  let j = 0;
  for (; j + 4 <= count; j += 4) {
    const r1 = rows + stride, r2 = r1 + stride, r3 = r2 + stride;
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    let t: usize = 0;
    for (; t + 16 <= bytes; t += 16) {
      const q = v128.load(row + t);
      s0 = multiplyAdd(s0, q, v128.load(rows + t)); s1 = multiplyAdd(s1, q, v128.load(r1 + t));
      s2 = multiplyAdd(s2, q, v128.load(r2 + t)); s3 = multiplyAdd(s3, q, v128.load(r3 + t));
    }
    let a = sumLanes(s0), b = sumLanes(s1), c = sumLanes(s2), d = sumLanes(s3);
    for (; t < bytes; t += 4) {
      const q = load<f32>(row + t);
      a += q * load<f32>(rows + t); b += q * load<f32>(r1 + t); c += q * load<f32>(r2 + t); d += q * load<f32>(r3 + t);
    }
    store<f32>(to, scale * a); store<f32>(to, scale * b, 4); store<f32>(to, scale * c, 8); store<f32>(to, scale * d, 12);
    rows = r3 + stride;
    to += 16;
  }
  for (; j < count; j++) {
    store<f32>(to, scale * dot(row, rows, bytes));
    rows += stride;
    to += 4;
  }
}

/** row[j] = exp(row[j]) / Σ_j exp(row[j]), j < count, and 0 up to the next multiple of 4. */
function softmax(row: usize, count: i32): void {
  const end = row + vectorBytes(count);
  for (let at = row + (<usize>count << 2); at < end; at += 4) store<f32>(at, -Infinity);
  let largest = f32x4.splat(-Infinity);
  for (let at = row; at < end; at += 16) largest = f32x4.pmax(largest, v128.load(at));
  const tops = f32x4.splat(maxLanes(largest));
  let sums = f32x4.splat(0);
  for (let at = row; at < end; at += 16) {
    const e = expLanes(f32x4.sub(v128.load(at), tops));
    v128.store(at, e);
    sums = f32x4.add(sums, e);
  }
  const inverses = f32x4.splat(<f32>1 / sumLanes(sums));
  for (let at = row; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), inverses));
}

/** to[t] = Σ_j weights[j] · rows_j[t] in the order of the rows, j < count; `stride` bytes lie between two rows. */
function weightedSum(weights: usize, rows: usize, stride: usize, count: i32, bytes: usize, to: usize): void {
  const last = weights + (<usize>count << 2);
  let t: usize = 0;
  for (; t + 64 <= bytes; t += 64) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    let row = rows + t;
    for (let at = weights; at < last; at += 4) {
      const w = v128.load_splat<f32>(at);
      s0 = multiplyAdd(s0, w, v128.load(row)); s1 = multiplyAdd(s1, w, v128.load(row, 16));
      s2 = multiplyAdd(s2, w, v128.load(row, 32)); s3 = multiplyAdd(s3, w, v128.load(row, 48));
      row += stride;
    }
    v128.store(to + t, s0); v128.store(to + t, s1, 16); v128.store(to + t, s2, 32); v128.store(to + t, s3, 48);
  }
  for (; t + 16 <= bytes; t += 16) {
    let sums = f32x4.splat(0);
    let row = rows + t;
    for (let at = weights; at < last; at += 4) {
      sums = multiplyAdd(sums, v128.load_splat<f32>(at), v128.load(row));
      row += stride;
    }
    v128.store(to + t, sums);
  }
  for (; t < bytes; t += 4) {
    let sum: f32 = 0;
    let row = rows + t;
    for (let at = weights; at < last; at += 4) {
      sum += load<f32>(at) * load<f32>(row);
      row += stride;
    }
    store<f32>(to + t, sum);
  }
}

/** to[t] += factor · from[t]. */
// @ts-ignore: decorator
@inline function addScaled(factor: f32, from: usize, bytes: usize, to: usize): void {
  const factors = f32x4.splat(factor);
  let t: usize = 0;
  for (; t + 16 <= bytes; t += 16) v128.store(to + t, multiplyAdd(v128.load(to + t), factors, v128.load(from + t)));
  for (; t < bytes; t += 4) store<f32>(to + t, load<f32>(to + t) + factor * load<f32>(from + t));
}

/** y [rows, yStride], of which the first heads · width columns are written; with `lastOnly` [sequences, yStride], 0 for an empty sequence. Work items: sequences. */
export function causalAttention(begin: i32, end: i32, slot: i32, call: CausalAttention): void {
  const heads = call.heads, bytes = <usize>call.width << 2, all = <usize>heads * bytes;
  const stride = <usize>call.stride << 2, yStride = <usize>call.yStride << 2;
  const weights = call.scratch + <usize>slot * call.scratchStride;
  for (let s = begin; s < end; s++) {
    const offsets = call.offsets + (<usize>s << 2);
    const first = load<i32>(offsets), count = load<i32>(offsets, 4) - first;
    const from = call.lastOnly ? count - 1 : 0, to = call.y + <usize>(call.lastOnly ? s - from : first) * yStride;
    if (call.lastOnly && count == 0) memory.fill(call.y + <usize>s * yStride, 0, all);
    for (let head = 0; head < heads; head++) {
      const column = <usize>head * bytes;
      const q = call.x + <usize>first * stride + column, k = q + all, v = k + all;
      const y = to + column;
      for (let i = max(from, 0); i < count; i++) {
        products(q + <usize>i * stride, k, stride, i + 1, bytes, call.scale, weights);
        softmax(weights, i + 1);
        weightedSum(weights, v, stride, i + 1, bytes, y + <usize>i * yStride);
      }
    }
  }
}

/** dx [rows, stride], of which every column is written, padding with 0; with `lastOnly` dy has a row for each sequence. Work items: sequences. */
export function causalAttentionGradient(begin: i32, end: i32, slot: i32, call: CausalAttentionGradient): void {
  const heads = call.heads, bytes = <usize>call.width << 2, all = <usize>heads * bytes, scale = call.scale;
  const stride = <usize>call.stride << 2, dyStride = <usize>call.dyStride << 2;
  const weights = call.scratch + <usize>slot * call.scratchStride, slopes = weights + (call.scratchStride >> 1);
  for (let s = begin; s < end; s++) {
    const offsets = call.offsets + (<usize>s << 2);
    const first = load<i32>(offsets), count = load<i32>(offsets, 4) - first;
    const from = call.lastOnly ? count - 1 : 0, dyFirst = call.dy + <usize>(call.lastOnly ? s - from : first) * dyStride;
    const at = <usize>first * stride;
    memory.fill(call.dx + at, 0, <usize>count * stride);
    for (let head = 0; head < heads; head++) {
      const column = at + <usize>head * bytes;
      const q = call.x + column, k = q + all, v = k + all;
      const dq = call.dx + column, dk = dq + all, dv = dk + all;
      for (let i = max(from, 0); i < count; i++) {
        const row = <usize>i * stride, dy = dyFirst + <usize>i * dyStride + <usize>head * bytes;
        products(q + row, k, stride, i + 1, bytes, scale, weights);
        softmax(weights, i + 1);
        products(dy, v, stride, i + 1, bytes, 1, slopes);
        const means = f32x4.splat(dot(weights, slopes, vectorBytes(i + 1))), scales = f32x4.splat(scale);
        for (let at: usize = 0; at < vectorBytes(i + 1); at += 16) {
          const g = f32x4.sub(v128.load(slopes + at), means);
          v128.store(slopes + at, f32x4.mul(f32x4.mul(v128.load(weights + at), g), scales));
        }
        weightedSum(slopes, k, stride, i + 1, bytes, dq + row);
        for (let j = 0; j <= i; j++) {
          const at = <usize>j << 2, other = <usize>j * stride;
          addScaled(load<f32>(slopes + at), q + row, bytes, dk + other);
          addScaled(load<f32>(weights + at), dy, bytes, dv + other);
        }
      }
    }
  }
}
