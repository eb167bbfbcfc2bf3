// Sums, lengths and gradients of rows of embeddings on row-major float32.
// Readable forms: src/kernels/reference/rows.ts.
import { multiplyAdd } from './simd';

/**
 * Weighted sums of rows anywhere in the memory: out[i][t] = Σ_j weights[j] · row_j[t], offsets[i] ≤ j < offsets[i + 1],
 * t < d; row j begins at float number places[j]. Without weights (0) all are 1. A sum without rows is 0; the first row
 * of a sum is stored, not added to 0, so that a sum of one row has its bits. out has outStride floats per row.
 * Forward this is the embedding bag; backward it sums the gradients of each id. Work items: sums.
 */
export function sumRows(
  begin: i32, end: i32, slot: i32, offsets: usize, places: usize, weights: usize, d: i32, out: usize, outStride: i32,
): void {
  const bytes = <usize>d << 2;
  for (let i = begin; i < end; i++) {
    const to = out + ((<usize>i * <usize>outStride) << 2);
    const first = <usize>load<u32>(offsets + (<usize>i << 2)) << 2;
    const last = <usize>load<u32>(offsets + (<usize>i << 2), 4) << 2;
    if (first == last) {
      memory.fill(to, 0, bytes);
      continue;
    }
    let t: usize = 0;
    for (; t + 64 <= bytes; t += 64) {
      let from = (<usize>load<u32>(places + first) << 2) + t;
      let w = f32x4.splat(weights ? load<f32>(weights + first) : 1);
      let s0 = f32x4.mul(w, v128.load(from)), s1 = f32x4.mul(w, v128.load(from, 16));
      let s2 = f32x4.mul(w, v128.load(from, 32)), s3 = f32x4.mul(w, v128.load(from, 48));
      for (let j = first + 4; j < last; j += 4) {
        from = (<usize>load<u32>(places + j) << 2) + t;
        w = f32x4.splat(weights ? load<f32>(weights + j) : 1);
        s0 = multiplyAdd(s0, w, v128.load(from));
        s1 = multiplyAdd(s1, w, v128.load(from, 16));
        s2 = multiplyAdd(s2, w, v128.load(from, 32));
        s3 = multiplyAdd(s3, w, v128.load(from, 48));
      }
      v128.store(to + t, s0);
      v128.store(to + t, s1, 16);
      v128.store(to + t, s2, 32);
      v128.store(to + t, s3, 48);
    }
    for (; t + 16 <= bytes; t += 16) {
      let sum = f32x4.mul(f32x4.splat(weights ? load<f32>(weights + first) : 1), v128.load((<usize>load<u32>(places + first) << 2) + t));
      for (let j = first + 4; j < last; j += 4) {
        const w = f32x4.splat(weights ? load<f32>(weights + j) : 1);
        sum = multiplyAdd(sum, w, v128.load((<usize>load<u32>(places + j) << 2) + t));
      }
      v128.store(to + t, sum);
    }
    for (; t < bytes; t += 4) {
      let sum: f32 = (weights ? load<f32>(weights + first) : 1) * load<f32>((<usize>load<u32>(places + first) << 2) + t);
      for (let j = first + 4; j < last; j += 4) {
        sum += (weights ? load<f32>(weights + j) : 1) * load<f32>((<usize>load<u32>(places + j) << 2) + t);
      }
      store<f32>(to + t, sum);
    }
  }
}

/**
 * Scale rows to length 1 in place, y = x / |x|; a row of zeros stays. rows: [n, stride floats], of which d are scaled;
 * lengths: [n]. Squares are summed in float64, in order. Work items: rows.
 */
export function normalizeRows(begin: i32, end: i32, slot: i32, rows: usize, stride: i32, d: i32, lengths: usize): void {
  const bytes = <usize>d << 2;
  for (let i = begin; i < end; i++) {
    const row = rows + ((<usize>i * <usize>stride) << 2);
    let square: f64 = 0;
    for (let t: usize = 0; t < bytes; t += 4) {
      const x = <f64>load<f32>(row + t);
      square += x * x;
    }
    const length = <f32>sqrt<f64>(square);
    store<f32>(lengths + (<usize>i << 2), length);
    if (square == 0) continue;
    const lengths4 = f32x4.splat(length);
    let t: usize = 0;
    for (; t + 16 <= bytes; t += 16) v128.store(row + t, f32x4.div(v128.load(row + t), lengths4));
    for (; t < bytes; t += 4) store<f32>(row + t, load<f32>(row + t) / length);
  }
}

/**
 * Gradients with respect to the rows before normalizeRows, in place: dx = (dy − y·⟨y, dy⟩) / |x|, 0 where |x| is 0.
 * gradients: [n, stride]; y: [n, yStride]; lengths: [n] the |x|. Computed in float64, rounded once. Work items: rows.
 */
export function denormalizeRows(
  begin: i32, end: i32, slot: i32, gradients: usize, stride: i32, y: usize, yStride: i32, d: i32, lengths: usize,
): void {
  const bytes = <usize>d << 2;
  for (let i = begin; i < end; i++) {
    const dy = gradients + ((<usize>i * <usize>stride) << 2);
    const unit = y + ((<usize>i * <usize>yStride) << 2);
    const length = <f64>load<f32>(lengths + (<usize>i << 2));
    if (length == 0) {
      memory.fill(dy, 0, bytes);
      continue;
    }
    let along: f64 = 0;
    for (let t: usize = 0; t < bytes; t += 4) along += <f64>load<f32>(dy + t) * <f64>load<f32>(unit + t);
    for (let t: usize = 0; t < bytes; t += 4) {
      store<f32>(dy + t, <f32>((<f64>load<f32>(dy + t) - <f64>load<f32>(unit + t) * along) / length));
    }
  }
}
