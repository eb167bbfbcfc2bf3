// Layer normalization (Ba, Kiros, Hinton 2016, arXiv 1607.06450), forward and backward, on row-major float32.
//   mean = Σ x / d;  r = 1 / √(Σ (x − mean)² / d + epsilon);  x̂ = (x − mean) · r;  y = γ ⊙ x̂ + β
//   g = γ ⊙ dy;  dx = r · (g − Σ g / d − x̂ · Σ g⊙x̂ / d);  dγ = Σ rows dy ⊙ x̂;  dβ = Σ rows dy
// A row has d columns and padding of 0, which stays 0. Sums have four lanes, added at the end (sumLanes).
// Readable forms: src/kernels/reference/layers.ts.
import { multiplyAdd, sumLanes } from './simd';
import { LayerNormGradient } from './records.generated';

/** Ones for the columns below d of the vector that begins at column t. */
// @ts-ignore: decorator
@inline function columnsBelow(d: i32, t: i32): v128 {
  return i32x4.lt_s(i32x4.add(i32x4.splat(t), i32x4(0, 1, 2, 3)), i32x4.splat(d));
}

/** x̂ of the vector at column t; 0 in the padding. */
// @ts-ignore: decorator
@inline function normalized(x: usize, t: i32, d: i32, mean: v128, inverse: v128): v128 {
  const value = f32x4.mul(f32x4.sub(v128.load(x + (<usize>t << 2)), mean), inverse);
  return v128.and(value, columnsBelow(d, t));
}

/**
 * y [n, stride] of x [n, stride]; weights [2, stride] are γ and β; statistics [n, 2] the mean and r of each row.
 * Work items: rows.
 */
export function layerNormRows(
  begin: i32, end: i32, slot: i32, x: usize, stride: i32, d: i32, weights: usize, epsilon: f32, y: usize, statistics: usize,
): void {
  const bytes = <usize>stride << 2;
  for (let i = begin; i < end; i++) {
    const from = x + <usize>i * bytes, to = y + <usize>i * bytes;
    let sums = f32x4.splat(0);
    for (let t = 0; t < d; t += 4) sums = f32x4.add(sums, v128.load(from + (<usize>t << 2)));
    const mean = sumLanes(sums) / <f32>d;
    const means = f32x4.splat(mean);
    let squares = f32x4.splat(0);
    for (let t = 0; t < d; t += 4) {
      const difference = v128.and(f32x4.sub(v128.load(from + (<usize>t << 2)), means), columnsBelow(d, t));
      squares = multiplyAdd(squares, difference, difference);
    }
    const inverse: f32 = <f32>1 / sqrt<f32>(sumLanes(squares) / <f32>d + epsilon);
    store<f32>(statistics + (<usize>i << 3), mean);
    store<f32>(statistics + (<usize>i << 3), inverse, 4);
    const inverses = f32x4.splat(inverse);
    for (let t = 0; t < d; t += 4) {
      const at = <usize>t << 2;
      v128.store(to + at, multiplyAdd(v128.load(weights + bytes + at), v128.load(weights + at), normalized(from, t, d, means, inverses)));
    }
  }
}

/** dx [n, stride], and products [n, stride] = dy ⊙ x̂, of dy [n, dyStride]. Work items: rows. */
export function layerNormGradient(begin: i32, end: i32, slot: i32, call: LayerNormGradient): void {
  const d = call.d, weights = call.weights;
  const bytes = <usize>call.stride << 2;
  for (let i = begin; i < end; i++) {
    const row = <usize>i * bytes;
    const x = call.x + row, dx = call.dx + row, products = call.products + row;
    const dy = call.dy + ((<usize>i * <usize>call.dyStride) << 2);
    const statistics = call.statistics + (<usize>i << 3);
    const means = v128.load_splat<f32>(statistics), inverses = v128.load_splat<f32>(statistics, 4);
    let sums = f32x4.splat(0), alongs = f32x4.splat(0);
    for (let t = 0; t < d; t += 4) {
      const at = <usize>t << 2;
      const unit = normalized(x, t, d, means, inverses), gradient = v128.load(dy + at);
      v128.store(products + at, f32x4.mul(gradient, unit));
      const g = f32x4.mul(v128.load(weights + at), gradient);
      sums = f32x4.add(sums, g);
      alongs = multiplyAdd(alongs, g, unit);
    }
    const sum = f32x4.splat(sumLanes(sums) / <f32>d), along = f32x4.splat(sumLanes(alongs) / <f32>d);
    for (let t = 0; t < d; t += 4) {
      const at = <usize>t << 2;
      const unit = normalized(x, t, d, means, inverses), g = f32x4.mul(v128.load(weights + at), v128.load(dy + at));
      const change = f32x4.mul(inverses, f32x4.sub(f32x4.sub(g, sum), f32x4.mul(unit, along)));
      v128.store(dx + at, v128.and(change, columnsBelow(d, t)));
    }
  }
}
