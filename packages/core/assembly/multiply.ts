// Products of row-major float32 matrices: A · B and Aᵀ · B. Letters: A [m, n], B [n, d] or [m, d].
// Every element is one sum in the order of its terms, in float32, so results do not depend on blocks, tiles or threads.
// Blocking after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (ACM TOMS 34, 2008): DEPTH
// terms of 8 columns of B (a panel) and of 4 rows of A (a tile) are packed so that they are read one after another from
// the first-level cache, whatever the strides of A and B are. The sums of a block stay in scratch between two depths.
// Readable forms: src/kernels/reference/multiply.ts.
import { multiplyAdd } from './simd';
import { MultiplyRows, MultiplyTransposed } from './records.generated';

/** Terms that are packed at a time: a panel of 8 KiB and a tile of 4 KiB share a first-level cache of 32 KiB. */
const DEPTH: i32 = 256;
/** Rows of a block. A panel is packed again for each block; its tiles, 256 KiB, stay in the second-level cache. */
const BLOCK: i32 = 256;
/** Bytes of two panels, and of the tiles of a block: [2][DEPTH][8] and [BLOCK / 4][DEPTH][4] floats. */
const PANELS_BYTES: usize = <usize>DEPTH << 6;
const TILES_BYTES: usize = <usize>(BLOCK * DEPTH) << 2;
/** sum + a · b: fused where the caller allows it and the build has the instruction (relaxed SIMD), else rounded in between. */
// @ts-ignore: decorator
@inline export function addTerm(isFused: bool, sum: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFused) return f32x4.relaxed_madd(a, b, sum);
  }
  return multiplyAdd(sum, a, b);
}

/** sums[i][·] += Σ_j tile[j][i] · panel[j][·], i = 0..3, or = where `isFirst`; `stride` bytes lie between two rows. */
// @ts-ignore: decorator
@inline function addTile(
  isFused: bool, isFirst: bool, tile: usize, panel: usize, depth: i32, sums: usize, stride: usize,
): void {
  const r1 = sums + stride, r2 = r1 + stride, r3 = r2 + stride;
  let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  if (!isFirst) {
    s00 = v128.load(sums); s01 = v128.load(sums, 16); s10 = v128.load(r1); s11 = v128.load(r1, 16);
    s20 = v128.load(r2); s21 = v128.load(r2, 16); s30 = v128.load(r3); s31 = v128.load(r3, 16);
  }
  const last = tile + (<usize>depth << 4);
  for (; tile < last; tile += 16) {
    const b0 = v128.load(panel), b1 = v128.load(panel, 16);
    let q = v128.load_splat<f32>(tile);
    s00 = addTerm(isFused, s00, q, b0); s01 = addTerm(isFused, s01, q, b1);
    q = v128.load_splat<f32>(tile, 4);
    s10 = addTerm(isFused, s10, q, b0); s11 = addTerm(isFused, s11, q, b1);
    q = v128.load_splat<f32>(tile, 8);
    s20 = addTerm(isFused, s20, q, b0); s21 = addTerm(isFused, s21, q, b1);
    q = v128.load_splat<f32>(tile, 12);
    s30 = addTerm(isFused, s30, q, b0); s31 = addTerm(isFused, s31, q, b1);
    panel += 32;
  }
  v128.store(sums, s00); v128.store(sums, s01, 16); v128.store(r1, s10); v128.store(r1, s11, 16);
  v128.store(r2, s20); v128.store(r2, s21, 16); v128.store(r3, s30); v128.store(r3, s31, 16);
}

/** `addTile` for all tiles of a block; `stride` bytes lie between two rows of the sums. */
function addTiles(
  isFused: bool, isFirst: bool, tiles: usize, count: i32, panel: usize, depth: i32, sums: usize, stride: usize,
): void {
  const tileBytes = <usize>depth << 4;
  for (let i = 0; i < count; i++) {
    if (ASC_FEATURE_RELAXED_SIMD && isFused) addTile(true, isFirst, tiles, panel, depth, sums, stride);
    else addTile(false, isFirst, tiles, panel, depth, sums, stride);
    tiles += tileBytes;
    sums += stride << 2;
  }
}

/** panel[j][0..7] = `depth` rows of B from `b`, at a distance of `stride` bytes; [0..3] where no more columns are left. */
function packPanel(b: usize, stride: usize, depth: i32, isWide: bool, panel: usize): void {
  const last = panel + (<usize>depth << 5);
  for (; panel < last; panel += 32) {
    v128.store(panel, v128.load(b));
    if (isWide) v128.store(panel, v128.load(b, 16), 16);
    b += stride;
  }
}

/** Two panels of 16 columns: a row of them is one cache line, which is read once although rows may share the sets of the cache. */
function packPair(b: usize, stride: usize, depth: i32, panel: usize, second: usize): void {
  const last = panel + (<usize>depth << 5);
  for (; panel < last; panel += 32) {
    v128.store(panel, v128.load(b)); v128.store(panel, v128.load(b, 16), 16);
    v128.store(second, v128.load(b, 32)); v128.store(second, v128.load(b, 48), 16);
    second += 32;
    b += stride;
  }
}

/** tile[j][i] = A[i][j] of 4 rows from `a`, at a distance of `stride` bytes; the first stands for rows past `rows`. */
function packRows(a: usize, stride: usize, rows: i32, depth: i32, tile: usize): void {
  const a1 = rows > 1 ? stride : 0, a2 = rows > 2 ? 2 * stride : 0, a3 = rows > 3 ? 3 * stride : 0;
  const last = tile + (<usize>depth << 4);
  for (; tile < last; tile += 16) {
    let x = v128.load_zero<f32>(a);
    x = v128.load_lane<f32>(a + a1, x, 1);
    x = v128.load_lane<f32>(a + a2, x, 2);
    v128.store(tile, v128.load_lane<f32>(a + a3, x, 3));
    a += 4;
  }
}

/**
 * `packColumns` of four tiles, one after another: 16 columns are one cache line, which is read once although rows may share
 * the sets of the cache.
 */
function packColumns4(a: usize, stride: usize, depth: i32, tile: usize): void {
  const tileBytes = <usize>depth << 4, last = tile + tileBytes;
  const second = tileBytes, third = 2 * tileBytes, fourth = 3 * tileBytes;
  for (; tile < last; tile += 16) {
    v128.store(tile, v128.load(a)); v128.store(tile + second, v128.load(a, 16));
    v128.store(tile + third, v128.load(a, 32)); v128.store(tile + fourth, v128.load(a, 48));
    a += stride;
  }
}

/** tile[j][i] = A[j][i] of 4 columns from `a`, at a distance of `stride` bytes. */
function packColumns(a: usize, stride: usize, depth: i32, tile: usize): void {
  const last = tile + (<usize>depth << 4);
  for (; tile < last; tile += 16) {
    v128.store(tile, v128.load(a));
    a += stride;
  }
}

/** Copy or add `rows` rows of sums, at a distance of `stride` bytes, to C [·, d] from `c` on. */
function storeSums(isAdded: bool, sums: usize, stride: usize, rows: i32, d: i32, c: usize): void {
  const dBytes = <usize>d << 2;
  for (let r = 0; r < rows; r++) {
    for (let t: usize = 0; t < dBytes; t += 16) {
      const sum = v128.load(sums + t);
      v128.store(c + t, isAdded ? f32x4.add(v128.load(c + t), sum) : sum);
    }
    sums += stride;
    c += dBytes;
  }
}

/**
 * Rows [begin, end) of C = A · B, or with `isTransposed` of C += Aᵀ · B. Each sum has `terms` terms, at least one. The
 * records of both products have the same fields.
 */
// @ts-ignore: decorator
@inline export function multiplyBlocks(
  isFused: bool, isTransposed: bool, call: MultiplyRows, begin: i32, end: i32, terms: i32, slot: i32,
): void {
  blocks(
    isFused, isTransposed, begin, end, terms, call.a, <usize>call.aStride << 2, call.b, call.d, call.c,
    call.scratch + <usize>slot * <usize>call.scratchStride,
  );
}

function blocks(
  isFused: bool, isTransposed: bool, begin: i32, end: i32, terms: i32, a: usize, aBytes: usize, b: usize, d: i32,
  c: usize, panel: usize,
): void {
  assert(terms > 0 && (d & 3) == 0, 'multiplyBlocks: shapes');
  const dBytes = <usize>d << 2;
  const tiles = panel + PANELS_BYTES, block = tiles + TILES_BYTES;
  for (let first = begin; first < end; first += BLOCK) {
    const rows = min(BLOCK, end - first);
    const count = (rows + 3) >> 2;
    const to = c + <usize>first * dBytes;
    // Whole tiles of A · B are summed in C itself; where some would reach beyond its last row or column, in the scratch.
    const isDirect = !isTransposed && ((rows & 3) | (d & 7)) == 0;
    const sums = isDirect ? to : block, stride = isDirect ? dBytes : <usize>((d + 7) & ~7) << 2;
    for (let j = 0; j < terms; j += DEPTH) {
      const depth = min(DEPTH, terms - j);
      let i = 0;
      if (isTransposed) {
        const columns = a + <usize>j * aBytes + (<usize>first << 2);
        for (; i + 4 <= count; i += 4) {
          packColumns4(columns + (<usize>i << 4), aBytes, depth, tiles + (<usize>(i * depth) << 4));
        }
      }
      for (; i < count; i++) {
        const tile = tiles + (<usize>(i * depth) << 4), row = first + 4 * i;
        if (isTransposed) packColumns(a + <usize>j * aBytes + (<usize>row << 2), aBytes, depth, tile);
        else packRows(a + <usize>row * aBytes + (<usize>j << 2), aBytes, min(4, rows - 4 * i), depth, tile);
      }
      const from = b + <usize>j * dBytes, second = panel + (<usize>depth << 5);
      let t = 0;
      for (; t + 16 <= d; t += 16) {
        packPair(from + (<usize>t << 2), dBytes, depth, panel, second);
        addTiles(isFused, j == 0, tiles, count, panel, depth, sums + (<usize>t << 2), stride);
        addTiles(isFused, j == 0, tiles, count, second, depth, sums + (<usize>t << 2) + 32, stride);
      }
      for (; t < d; t += 8) {
        packPanel(from + (<usize>t << 2), dBytes, depth, t + 8 <= d, panel);
        addTiles(isFused, j == 0, tiles, count, panel, depth, sums + (<usize>t << 2), stride);
      }
    }
    if (!isDirect) storeSums(isTransposed, block, stride, rows, d, to);
  }
}

/**
 * C[r][·] = Σ_j A[r][j] · B[j][·] for r in [begin, end): A [m, n] at stride aStride floats, B [n, d], C [m, d]; n > 0.
 * d is a multiple of 4 (callers pad). Work items: rows of A.
 */
export function multiplyRows(begin: i32, end: i32, slot: i32, call: MultiplyRows): void {
  multiplyBlocks(false, false, call, begin, end, call.n, slot);
}

/**
 * C[j][·] += Σ_r A[r][j] · B[r][·] for j in [4·begin, min(4·end, n)): A [m, n] at stride aStride floats (readable up to
 * the next multiple of 4 columns), B [m, d], C [n, d]; m > 0. d is a multiple of 4. Work items: groups of 4 columns of A.
 */
export function multiplyTransposed(begin: i32, end: i32, slot: i32, call: MultiplyTransposed): void {
  multiplyBlocks(false, true, changetype<MultiplyRows>(call), 4 * begin, min(4 * end, call.n), call.m, slot);
}
