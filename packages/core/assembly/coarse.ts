// Coarse codes of the float32 candidates: 7 bits per dimension, a quarter of the bytes. A scan for one query reads the
// codes and scores exactly only the panels that can hold a result. x ≈ s · (code − 64), with one scale s per row.
// Layout of a chunk: codes [panels][⌈d/4⌉][8][4] bytes; dimensions past d hold 64, which is zero. Scales f32
// [panels][8]. Second operands below 128 make the relaxed dot product exact, so both builds give the same integers.
// Readable forms: src/kernels/reference/coarse.ts.
import { scorePanels } from './matmul';
import { maxLanes, multiplyAdd } from './simd';
import { offerPanels } from './topk';
import { SearchCoarse } from './records.generated';

const PANEL: i32 = 8;
const CHUNK_ROWS: i32 = 8192;
/** The code of zero. */
const ZERO: f32 = 64;
/** The largest magnitude of a code: 64 ± 63 stays in 7 bits. */
const LEVELS: f32 = 63;
/** The smallest scale: with it, products with a query of ordinary size are not subnormal numbers. */
const SCALE_MIN: f32 = 7.888609052210118e-31; // 2⁻¹⁰⁰

/**
 * Write the codes and scales of four adjacent rows of a panel, which begin at `column`. Raises stats f32 to the largest
 * ‖x/s − code‖², ‖code‖² and s of the rows, codes counted from zero.
 */
// @ts-ignore: decorator
@inline function packFour(column: usize, d: i32, codes: usize, scales: usize, stats: usize): void {
  const last = column + (<usize>d << 5);
  let peak = f32x4.splat(0);
  for (let x = column; x < last; x += 32) peak = f32x4.max(peak, f32x4.abs(v128.load(x)));
  const scale = f32x4.max(f32x4.splat(SCALE_MIN), f32x4.div(peak, f32x4.splat(LEVELS)));
  let error = f32x4.splat(0), length = f32x4.splat(0);
  for (let x = column; x < last; codes += 32) {
    let word = i32x4.splat(0);
    for (let byte = 0; byte < 32; byte += 8) {
      let code = f32x4.splat(0);
      if (x < last) {
        const ratio = f32x4.div(v128.load(x), scale);
        code = f32x4.floor(f32x4.add(ratio, f32x4.splat(0.5)));
        code = f32x4.max(f32x4.splat(-LEVELS), f32x4.min(f32x4.splat(LEVELS), code));
        const off = f32x4.sub(ratio, code);
        error = multiplyAdd(error, off, off);
        length = multiplyAdd(length, code, code);
        x += 32;
      }
      word = v128.or(word, i32x4.shl(i32x4.trunc_sat_f32x4_s(f32x4.add(code, f32x4.splat(ZERO))), byte));
    }
    v128.store(codes, word);
  }
  v128.store(scales, scale);
  store<f32>(stats, max(load<f32>(stats), maxLanes(error)));
  store<f32>(stats, max(load<f32>(stats, 4), maxLanes(length)), 4);
  store<f32>(stats, max(load<f32>(stats, 8), maxLanes(scale)), 8);
}

/**
 * Codes and scales of one chunk of packed candidates. stats f32[3] a panel: the largest ‖x/s − code‖², ‖code‖² and s of
 * its rows, sums in float32. Work items: panels.
 */
export function packCoarse(
  begin: i32, end: i32, slot: i32, packed: usize, d: i32, codes: usize, scales: usize, stats: usize,
): void {
  const quads = (d + 3) >> 2;
  for (let p = begin; p < end; p++) {
    const from = packed + <usize>p * (<usize>d << 5);
    const to = codes + <usize>p * (<usize>quads << 5);
    const at = stats + <usize>p * 12;
    store<f32>(at, 0); store<f32>(at, 0, 4); store<f32>(at, 0, 8);
    packFour(from, d, to, scales + (<usize>p << 5), at);
    packFour(from + 16, d, to + 16, scales + (<usize>p << 5) + 16, at);
  }
}

/** i32 sums of four rows and four dimensions with the query's bytes: accumulator[i] + Σ query[t] · code[i][t]. */
// @ts-ignore: decorator
@inline function quadDot(accumulator: v128, query: v128, codes: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(query, codes, accumulator);
}

/** [a0 + a1, a2 + a3, b0 + b1, b2 + b3]. */
// @ts-ignore: decorator
@inline function addPairs(a: v128, b: v128): v128 {
  return i32x4.add(
    i8x16.shuffle(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27),
    i8x16.shuffle(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31),
  );
}

/**
 * One query, like searchPanels, over candidates that have coarse codes: the same buffers, the same entries. Row i is
 * scored exactly where any row of its panel has s_i · (queryScale · (Σ code · query − offset) + slack) ≥ bound, which
 * holds for every row whose float32 score reaches the bound (src/topk/brute-force/coarse-codes.ts proves the slack).
 * queryBytes: i8[4 · quads]; queryShorts: i16[4 · quads], the same numbers; offset = 64 Σ query. Panels without an
 * allowed row are skipped. Work items: chunks.
 */
export function searchCoarse(begin: i32, end: i32, slot: i32, call: SearchCoarse): void {
  const query = call.query, queryBytes = call.queryBytes, queryShorts = call.queryShorts, offset = call.offset;
  const queryScale = call.queryScale, slack = call.slack, d = call.d, chunks = call.chunks;
  const codeChunks = call.codeChunks, scaleChunks = call.scaleChunks, n = call.n, mask = call.mask;
  const scratch = call.scratch, scratchStride = call.scratchStride, buffers = call.buffers;
  const slotStride = call.slotStride;
  const quads = (d + 3) >> 2;
  const scores = scratch + <usize>slot * <usize>scratchStride;
  const buffer = buffers + <usize>slot * <usize>slotStride;
  const shift = i32x4.splat(offset), scaleOfQuery = f32x4.splat(queryScale), more = f32x4.splat(slack);
  const lastByte = queryBytes + (<usize>quads << 2);
  const lastShort = queryShorts + (<usize>quads << 3);
  for (let chunk = begin; chunk < end; chunk++) {
    const packed = <usize>load<u32>(chunks + (<usize>chunk << 2));
    let codes = <usize>load<u32>(codeChunks + (<usize>chunk << 2));
    let scales = <usize>load<u32>(scaleChunks + (<usize>chunk << 2));
    const firstRow = chunk * CHUNK_ROWS;
    const panels = (min(CHUNK_ROWS, n - firstRow) + PANEL - 1) / PANEL;
    let bound = v128.load32_splat(buffer, 4);
    for (let p = 0; p < panels; p++) {
      if (mask != 0 && load<u8>(mask + <usize>(firstRow / PANEL + p)) == 0) {
        codes += <usize>quads << 5;
        scales += 32;
        continue;
      }
      let low: v128, high: v128;
      if (ASC_FEATURE_RELAXED_SIMD) {
        low = i32x4.splat(0); high = i32x4.splat(0);
        for (let q = queryBytes; q < lastByte; q += 4) {
          const four = v128.load32_splat(q);
          low = quadDot(low, four, v128.load(codes));
          high = quadDot(high, four, v128.load(codes, 16));
          codes += 32;
        }
      } else {
        let s0 = i32x4.splat(0), s1 = i32x4.splat(0), s2 = i32x4.splat(0), s3 = i32x4.splat(0);
        for (let q = queryShorts; q < lastShort; q += 8) {
          const four = v128.load64_splat(q);
          s0 = i32x4.add(s0, i32x4.dot_i16x8_s(four, v128.load8x8_u(codes)));
          s1 = i32x4.add(s1, i32x4.dot_i16x8_s(four, v128.load8x8_u(codes, 8)));
          s2 = i32x4.add(s2, i32x4.dot_i16x8_s(four, v128.load8x8_u(codes, 16)));
          s3 = i32x4.add(s3, i32x4.dot_i16x8_s(four, v128.load8x8_u(codes, 24)));
          codes += 32;
        }
        low = addPairs(s0, s1); high = addPairs(s2, s3);
      }
      low = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(low, shift)), scaleOfQuery);
      high = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(high, shift)), scaleOfQuery);
      low = f32x4.mul(f32x4.add(low, more), v128.load(scales));
      high = f32x4.mul(f32x4.add(high, more), v128.load(scales, 16));
      if (v128.any_true(v128.or(f32x4.ge(low, bound), f32x4.ge(high, bound)))) {
        const row = firstRow + p * PANEL;
        scorePanels(query, 1, d, packed + <usize>p * (<usize>d << 5), 1, scores, PANEL);
        offerPanels(buffer, scores, 1, row, n, 0, mask);
        bound = v128.load32_splat(buffer, 4);
      }
      scales += 32;
    }
  }
}
