// Products of matrices for the layers of models, with fused multiply-adds where the machine has them. The SIMD128 build
// gives the same bits as multiply.ts. The relaxed build uses the fused instruction, which does not round a product before
// it is added: it is a fifth faster and has other last bits (docs/decisions/fused-products.md).
// Readable forms: src/kernels/reference/multiply.ts.
import { addTerm, multiplyBlocks } from './multiply';
import { MultiplyRows, MultiplyRowsFused, MultiplyTransposedFused } from './records.generated';

/** With fewer rows, packing B costs more than it saves. */
const PACKED_ROWS_MIN: i32 = 8;

/** One row of C without packing: C[·] = Σ_j A[j] · B[j][·]. */
// @ts-ignore: decorator
@inline function multiplyRow(a: usize, n: i32, b: usize, d: i32, c: usize): void {
  const dBytes = <usize>d << 2;
  const last = a + (<usize>n << 2);
  let t: usize = 0;
  for (; t + 64 <= dBytes; t += 64) {
    let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
    let row = b + t;
    for (let at = a; at < last; at += 4) {
      const q = v128.load_splat<f32>(at);
      s0 = addTerm(true, s0, q, v128.load(row)); s1 = addTerm(true, s1, q, v128.load(row, 16));
      s2 = addTerm(true, s2, q, v128.load(row, 32)); s3 = addTerm(true, s3, q, v128.load(row, 48));
      row += dBytes;
    }
    const to = c + t;
    v128.store(to, s0); v128.store(to, s1, 16); v128.store(to, s2, 32); v128.store(to, s3, 48);
  }
  for (; t < dBytes; t += 16) {
    let s = f32x4.splat(0);
    let row = b + t;
    for (let at = a; at < last; at += 4) {
      s = addTerm(true, s, v128.load_splat<f32>(at), v128.load(row));
      row += dBytes;
    }
    v128.store(c + t, s);
  }
}

/** `multiplyRows` with fused terms. Work items: rows of A. */
export function multiplyRowsFused(begin: i32, end: i32, slot: i32, call: MultiplyRowsFused): void {
  if (end - begin >= PACKED_ROWS_MIN) {
    multiplyBlocks(true, false, changetype<MultiplyRows>(call), begin, end, call.n, slot);
    return;
  }
  const d = call.d;
  for (let r = begin; r < end; r++) {
    const a = call.a + ((<usize>r * <usize>call.aStride) << 2);
    multiplyRow(a, call.n, call.b, d, call.c + ((<usize>r * <usize>d) << 2));
  }
}

/** `multiplyTransposed` with fused terms. Work items: groups of 4 columns of A. */
export function multiplyTransposedFused(begin: i32, end: i32, slot: i32, call: MultiplyTransposedFused): void {
  multiplyBlocks(true, true, changetype<MultiplyRows>(call), 4 * begin, min(4 * end, call.n), call.m, slot);
}
