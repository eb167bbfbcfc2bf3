// Building blocks shared by the kernels: four-lane arithmetic and its horizontal forms.
// Products are rounded before they are added (except in multiply-fused.ts): SIMD128 and relaxed SIMD agree bit for bit.

/** accumulator + a · b, lane by lane. */
// @ts-ignore: decorator
@inline export function multiplyAdd(accumulator: v128, a: v128, b: v128): v128 {
  return f32x4.add(accumulator, f32x4.mul(a, b));
}

/** accumulator + (a − b)², lane by lane. */
// @ts-ignore: decorator
@inline export function squareAdd(accumulator: v128, a: v128, b: v128): v128 {
  const difference = f32x4.sub(a, b);
  return f32x4.add(accumulator, f32x4.mul(difference, difference));
}

/** (l0 + l2) + (l1 + l3). */
// @ts-ignore: decorator
@inline export function sumLanes(a: v128): f32 {
  const halves = f32x4.add(a, i8x16.shuffle(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return f32x4.extract_lane(halves, 0) + f32x4.extract_lane(halves, 1);
}

/** The largest lane. */
// @ts-ignore: decorator
@inline export function maxLanes(a: v128): f32 {
  return max(
    max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)),
    max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)),
  );
}
