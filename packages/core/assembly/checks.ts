// Checks of whole arrays. Readable forms: src/kernels/reference/checks.ts.

/** The index of the first of `length` floats that is NaN or infinite; −1 when all are finite. */
export function findNotFinite(values: usize, length: i32): i32 {
  let i = 0;
  for (; i + 16 <= length; i += 16) {
    const at = values + (<usize>i << 2);
    // x − x is 0 for a finite x and NaN otherwise; NaN stays NaN in a sum.
    const a = v128.load(at), b = v128.load(at, 16), c = v128.load(at, 32), e = v128.load(at, 48);
    const low = f32x4.add(f32x4.sub(a, a), f32x4.sub(b, b));
    const high = f32x4.add(f32x4.sub(c, c), f32x4.sub(e, e));
    const sum = f32x4.add(low, high);
    if (v128.any_true(f32x4.ne(sum, sum))) break;
  }
  for (; i < length; i++) {
    const x = load<f32>(values + (<usize>i << 2));
    if (x - x != 0) return i;
  }
  return -1;
}
