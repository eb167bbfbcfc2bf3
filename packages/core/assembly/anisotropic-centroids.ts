// Anisotropic centroids, which minimise the error of the inner products with their members
// (src/clustering/anisotropic-centroids.ts has the formula). Readable form:
// src/kernels/reference/anisotropic-centroids.ts.
import { multiplyAdd, sumLanes } from './simd';
import { AnisotropicCentroids } from './records.generated';

/** Conjugate gradients end when the squared relative residual is below this, which is about float32 rounding. */
const RESIDUAL: f32 = 1e-13;
/**
 * The most steps. The condition number is at most η, so with η = 2.5 each step reduces the error to less than a
 * quarter.
 */
const STEPS_MAX: i32 = 64;

/**
 * c = (I + Σ b x xᵀ)⁻¹ Σ a x for members x of a leaf, by conjugate gradients; a leaf whose Σ a x is zero keeps its centroid.
 * Members of leaf l are rows order[i], i from leafBegin[l] in steps of ⌈size/membersMax⌉; coefficients[i] = (a, b) float32.
 * sums[l] = (step Σ ⟨x, c⟩, step Σ |c|²) float64. scratch: 12·(d + 4) bytes per slot. Work items: leaves.
 */
export function anisotropicCentroids(begin: i32, end: i32, slot: i32, call: AnisotropicCentroids): void {
  const rows = call.rows, d = call.d, leafBegin = call.leafBegin, order = call.order, membersMax = call.membersMax;
  const coefficients = call.coefficients, centroids = call.centroids, sums = call.sums, scratch = call.scratch;
  const bytes = <usize>d << 2;
  const residual = scratch + <usize>slot * 3 * (bytes + 16);
  const direction = residual + bytes + 16;
  const image = direction + bytes + 16;
  for (let leaf = begin; leaf < end; leaf++) {
    const first = load<i32>(leafBegin + (<usize>leaf << 2)), last = load<i32>(leafBegin + (<usize>leaf << 2), 4);
    const step = max(1, (last - first + membersMax - 1) / membersMax);
    const c = centroids + <usize>leaf * bytes;
    memory.fill(residual, 0, bytes);
    for (let i = first; i < last; i += step) {
      const x = rows + <usize>load<i32>(order + (<usize>i << 2)) * bytes;
      addMultiple(residual, load<f32>(coefficients + (<usize>i << 3)), x, d);
    }
    let square = dot(residual, residual, d);
    if (square > 0) {
      memory.copy(direction, residual, bytes);
      memory.fill(c, 0, bytes);
      const limit = square * RESIDUAL;
      for (let done = 0; done < STEPS_MAX && square > limit; done++) {
        memory.copy(image, direction, bytes);
        for (let i = first; i < last; i += step) {
          const x = rows + <usize>load<i32>(order + (<usize>i << 2)) * bytes;
          addMultiple(image, load<f32>(coefficients + (<usize>i << 3), 4) * dot(x, direction, d), x, d);
        }
        const length = square / dot(direction, image, d);
        addMultiple(c, length, direction, d);
        addMultiple(residual, -length, image, d);
        const next = dot(residual, residual, d);
        const turn = next / square;
        for (let t: usize = 0; t < bytes; t += 4) {
          store<f32>(direction + t, load<f32>(residual + t) + turn * load<f32>(direction + t));
        }
        square = next;
      }
    }
    let products: f64 = 0, count = 0;
    for (let i = first; i < last; i += step) {
      products += <f64>dot(rows + <usize>load<i32>(order + (<usize>i << 2)) * bytes, c, d);
      count += step;
    }
    store<f64>(sums + (<usize>leaf << 4), products * <f64>step);
    store<f64>(sums + (<usize>leaf << 4), <f64>dot(c, c, d) * <f64>count, 8);
  }
}

/** ⟨a, b⟩: four lanes, then the numbers after the last whole vector. */
function dot(a: usize, b: usize, d: i32): f32 {
  let lanes = f32x4.splat(0);
  const wide = a + (<usize>(d & ~3) << 2), last = a + (<usize>d << 2);
  for (; a < wide; a += 16) {
    lanes = multiplyAdd(lanes, v128.load(a), v128.load(b));
    b += 16;
  }
  let sum = sumLanes(lanes);
  for (; a < last; a += 4) {
    sum += load<f32>(a) * load<f32>(b);
    b += 4;
  }
  return sum;
}

/** to += factor · x. */
function addMultiple(to: usize, factor: f32, x: usize, d: i32): void {
  const lanes = f32x4.splat(factor);
  const wide = to + (<usize>(d & ~3) << 2), last = to + (<usize>d << 2);
  for (; to < wide; to += 16) {
    v128.store(to, multiplyAdd(v128.load(to), lanes, v128.load(x)));
    x += 16;
  }
  for (; to < last; to += 4) {
    store<f32>(to, load<f32>(to) + factor * load<f32>(x));
    x += 4;
  }
}
