// Scores of rows with panels of candidates, row-major float32. Letters: m rows of A, n rows of B, d the inner or the vector dimension.
// Every element is summed in a fixed order, so results do not depend on batch, tile or thread.
// Readable forms: src/kernels/reference/matmul.ts.
import { multiplyAdd, squareAdd } from './simd';

/** Rows in a panel of packed candidates: two vectors of four lanes. */
const PANEL: i32 = 8;

/**
 * Pack rows of B [n, d] into panels: packed[p][t][i] = B[8p + i][t]; rows past n are zero.
 * Work items: panels [begin, end).
 */
export function packPanels(begin: i32, end: i32, slot: i32, b: usize, n: i32, d: i32, packed: usize): void {
  for (let p = begin; p < end; p++) {
    const out = packed + ((<usize>(p * PANEL) * <usize>d) << 2);
    for (let i = 0; i < PANEL; i++) {
      const row = p * PANEL + i;
      const from = b + ((<usize>row * <usize>d) << 2);
      const to = out + (<usize>i << 2);
      if (row < n) {
        for (let t = 0; t < d; t++) store<f32>(to + (<usize>t << 5), load<f32>(from + (<usize>t << 2)));
      } else {
        for (let t = 0; t < d; t++) store<f32>(to + (<usize>t << 5), 0);
      }
    }
  }
}

/** A term of a sum: a · b, or (a − b)². */
// @ts-ignore: decorator
@inline function add(squared: bool, sum: v128, a: v128, b: v128): v128 {
  return squared ? squareAdd(sum, a, b) : multiplyAdd(sum, a, b);
}

/** The score of a sum: a smaller distance is better. */
// @ts-ignore: decorator
@inline function signed(squared: bool, sum: v128): v128 {
  return squared ? f32x4.neg(sum) : sum;
}

/** Scores of 4 rows of A with one panel: out[r][0..7], r = 0..3 at distance outStride bytes; squared: −Σ (a − b)². */
// @ts-ignore: decorator
@inline function score4(squared: bool, a: usize, aStride: usize, panel: usize, d: i32, out: usize, outStride: usize): void {
  let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s10 = f32x4.splat(0), s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0), s21 = f32x4.splat(0), s30 = f32x4.splat(0), s31 = f32x4.splat(0);
  let a1 = a + aStride, a2 = a1 + aStride, a3 = a2 + aStride;
  const last = panel + (<usize>d << 5);
  for (; panel < last; panel += 32) {
    const b0 = v128.load(panel), b1 = v128.load(panel, 16);
    let q = v128.load_splat<f32>(a);
    s00 = add(squared, s00, q, b0); s01 = add(squared, s01, q, b1);
    q = v128.load_splat<f32>(a1);
    s10 = add(squared, s10, q, b0); s11 = add(squared, s11, q, b1);
    q = v128.load_splat<f32>(a2);
    s20 = add(squared, s20, q, b0); s21 = add(squared, s21, q, b1);
    q = v128.load_splat<f32>(a3);
    s30 = add(squared, s30, q, b0); s31 = add(squared, s31, q, b1);
    a += 4; a1 += 4; a2 += 4; a3 += 4;
  }
  v128.store(out, signed(squared, s00)); v128.store(out, signed(squared, s01), 16); out += outStride;
  v128.store(out, signed(squared, s10)); v128.store(out, signed(squared, s11), 16); out += outStride;
  v128.store(out, signed(squared, s20)); v128.store(out, signed(squared, s21), 16); out += outStride;
  v128.store(out, signed(squared, s30)); v128.store(out, signed(squared, s31), 16);
}

/** Scores of one row of A with one panel: out[0..7]. */
// @ts-ignore: decorator
@inline function score1(squared: bool, a: usize, panel: usize, d: i32, out: usize): void {
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0);
  const last = panel + (<usize>d << 5);
  for (; panel < last; panel += 32) {
    const q = v128.load_splat<f32>(a);
    s0 = add(squared, s0, q, v128.load(panel));
    s1 = add(squared, s1, q, v128.load(panel, 16));
    a += 4;
  }
  v128.store(out, signed(squared, s0)); v128.store(out, signed(squared, s1), 16);
}

// @ts-ignore: decorator
@inline function scoreRows(
  squared: bool, a: usize, rows: i32, d: i32, packed: usize, panels: i32, out: usize, outStride: i32,
): void {
  const rowBytes = <usize>d << 2;
  const panelBytes = <usize>d << 5;
  const strideBytes = <usize>outStride << 2;
  const end = packed + <usize>panels * panelBytes;
  let r = 0;
  for (; r + 4 <= rows; r += 4) {
    const row = a + <usize>r * rowBytes;
    let to = out + <usize>r * strideBytes;
    for (let panel = packed; panel < end; panel += panelBytes) {
      score4(squared, row, rowBytes, panel, d, to, strideBytes);
      to += 32;
    }
  }
  for (; r < rows; r++) {
    const row = a + <usize>r * rowBytes;
    let to = out + <usize>r * strideBytes;
    for (let panel = packed; panel < end; panel += panelBytes) {
      score1(squared, row, panel, d, to);
      to += 32;
    }
  }
}

/**
 * Scores of rows with panels: out[r][8p + i] = Σ_t A[r][t] · packed[p][t][i], A [rows, d].
 * outStride is in floats and is a multiple of 8.
 */
export function scorePanels(
  a: usize, rows: i32, d: i32, packed: usize, panels: i32, out: usize, outStride: i32,
): void {
  assert(d > 0 && outStride >= 8 * panels && (outStride & 7) == 0, 'scorePanels: shapes');
  scoreRows(false, a, rows, d, packed, panels, out, outStride);
}

/** `scorePanels` with −Σ_t (A[r][t] − packed[p][t][i])² for the score. */
export function distancePanels(
  a: usize, rows: i32, d: i32, packed: usize, panels: i32, out: usize, outStride: i32,
): void {
  scoreRows(true, a, rows, d, packed, panels, out, outStride);
}
