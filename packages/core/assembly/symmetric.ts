// Adds products to the upper half of a symmetric matrix. A blocked inverse spends most of its time in this kernel.
// Readable form: src/kernels/reference/symmetric.ts.
import { multiplyAdd } from './simd';

/** Rows of a work item; a panel of packed candidates is read once for all of them. */
const BLOCK: i32 = 16;

/**
 * C[r][8p + i] += Σ_t A[r][t] · packed[p][t][i] for rows r of the blocks [begin, end) of 16 and every panel p from the
 * diagonal on: A [n, d], C [n, n], n = 8 · panels a multiple of 16. The sum starts from the old value in C.
 * Work items: blocks of 16 rows.
 */
export function addSymmetric(
  begin: i32, end: i32, slot: i32, a: usize, d: i32, packed: usize, panels: i32, c: usize,
): void {
  const aBytes = <usize>d << 2;
  const panelBytes = <usize>d << 5;
  const cBytes = <usize>panels << 5;
  for (let block = begin; block < end; block++) {
    for (let p = 2 * block; p < panels; p++) {
      const panel = packed + <usize>p * panelBytes;
      for (let r = block * BLOCK; r < block * BLOCK + BLOCK; r += 4) {
        addTile(a + <usize>r * aBytes, aBytes, panel, panelBytes, c + <usize>r * cBytes + (<usize>p << 5), cBytes);
      }
    }
  }
}

/** 4 rows by 8 columns. */
// @ts-ignore: decorator
@inline function addTile(a: usize, aBytes: usize, panel: usize, panelBytes: usize, c: usize, cBytes: usize): void {
  let to = c;
  let s00 = v128.load(to), s01 = v128.load(to, 16); to += cBytes;
  let s10 = v128.load(to), s11 = v128.load(to, 16); to += cBytes;
  let s20 = v128.load(to), s21 = v128.load(to, 16); to += cBytes;
  let s30 = v128.load(to), s31 = v128.load(to, 16);
  let a1 = a + aBytes, a2 = a1 + aBytes, a3 = a2 + aBytes;
  const last = panel + panelBytes;
  for (; panel < last; panel += 32) {
    const b0 = v128.load(panel), b1 = v128.load(panel, 16);
    let q = v128.load_splat<f32>(a);
    s00 = multiplyAdd(s00, q, b0); s01 = multiplyAdd(s01, q, b1);
    q = v128.load_splat<f32>(a1);
    s10 = multiplyAdd(s10, q, b0); s11 = multiplyAdd(s11, q, b1);
    q = v128.load_splat<f32>(a2);
    s20 = multiplyAdd(s20, q, b0); s21 = multiplyAdd(s21, q, b1);
    q = v128.load_splat<f32>(a3);
    s30 = multiplyAdd(s30, q, b0); s31 = multiplyAdd(s31, q, b1);
    a += 4; a1 += 4; a2 += 4; a3 += 4;
  }
  to = c;
  v128.store(to, s00); v128.store(to, s01, 16); to += cBytes;
  v128.store(to, s10); v128.store(to, s11, 16); to += cBytes;
  v128.store(to, s20); v128.store(to, s21, 16); to += cBytes;
  v128.store(to, s30); v128.store(to, s31, 16);
}
