// Look-up tables of a query and the scan of 4-bit codes with them ("LUT16", after André, Kermarrec and Le Scouarnec
// 2015, as ScaNN does it). Letters: M blocks of codes, of which the last few may be corrections; a group is 32 points;
// codes of a group are [block][16 bytes]. The low nibble of byte i is the code of point 8·(i mod 2) + ⌊i/2⌋, and the
// high nibble that of the point 16 further, so that the sums of the scan are in the order of the points. Entries of
// tables are 0 … 63, so that the sum of four blocks fits a byte before it is widened. Corrections may be much larger than
// the values of a block: then their entries are 0 … 255, and count 2^shift times. Readable forms:
// src/kernels/reference/scann-tables.ts.

/** Added to a float32 of 0 … 2²², it leaves the nearest integer in the low bits. */
export const WHOLE: f32 = 8388608;
/** The largest entry of a table: four of them fit a byte. */
const ENTRY_MAX: f32 = 63;
/** The largest entry of a table of corrections that is widened before it is added to others. */
const CORRECTION_MAX: f32 = 255;
/** The largest sum of the entries of all blocks; rounding may add half an entry for each block. */
const SUM_MAX: f32 = 28000;
/** The score of a point that may not be returned; other scores are larger. */
export const MASKED: i32 = -32768;

// @ts-ignore: decorator
@inline function lookup(table: v128, index: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, index);
  return i8x16.swizzle(table, index);
}

/**
 * values[b][j] = Σ_t query[b·w + t] · codebook[b][t][j] for the product blocks, w dimensions per block.
 * The query must be followed by zeros up to a whole block.
 */
export function blockValues(query: usize, codebook: usize, blocks: i32, width: i32, values: usize): void {
  for (let b = 0; b < blocks; b++) {
    let v0 = f32x4.splat(0), v1 = f32x4.splat(0), v2 = f32x4.splat(0), v3 = f32x4.splat(0);
    for (let t = 0; t < width; t++) {
      const q = v128.load_splat<f32>(query);
      v0 = f32x4.add(v0, f32x4.mul(q, v128.load(codebook)));
      v1 = f32x4.add(v1, f32x4.mul(q, v128.load(codebook, 16)));
      v2 = f32x4.add(v2, f32x4.mul(q, v128.load(codebook, 32)));
      v3 = f32x4.add(v3, f32x4.mul(q, v128.load(codebook, 48)));
      query += 4;
      codebook += 64;
    }
    v128.store(values, v0);
    v128.store(values, v1, 16);
    v128.store(values, v2, 32);
    v128.store(values, v3, 48);
    values += 64;
  }
}

/** values[b][j] = factor · corrections[b][j]. */
export function correctionValues(corrections: usize, blocks: i32, factor: f32, values: usize): void {
  const f = f32x4.splat(factor);
  for (let i: usize = 0; i < <usize>blocks << 6; i += 16) {
    v128.store(values + i, f32x4.mul(v128.load(corrections + i), f));
  }
}

/** Least values of each block to minima, and ranges of the blocks: the largest, and Σ. */
export function blockRanges(values: usize, blocks: i32, minima: usize): void {
  let most = f32x4.splat(0), sum = f32x4.splat(0);
  for (let b = 0; b < blocks; b++) {
    const v0 = v128.load(values), v1 = v128.load(values, 16), v2 = v128.load(values, 32), v3 = v128.load(values, 48);
    let low = f32x4.pmin(f32x4.pmin(v0, v1), f32x4.pmin(v2, v3));
    let high = f32x4.pmax(f32x4.pmax(v0, v1), f32x4.pmax(v2, v3));
    low = f32x4.pmin(low, i8x16.shuffle(low, low, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    high = f32x4.pmax(high, i8x16.shuffle(high, high, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    low = f32x4.pmin(low, i8x16.shuffle(low, low, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
    high = f32x4.pmax(high, i8x16.shuffle(high, high, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
    v128.store32_lane(minima + (<usize>b << 2), low, 0);
    const range = f32x4.sub(high, low);
    most = f32x4.pmax(most, range);
    sum = f32x4.add(sum, range);
    values += 64;
  }
  largestRange = f32x4.extract_lane(most, 0);
  sumOfRanges = f32x4.extract_lane(sum, 0);
}

/** The results of the last `blockRanges`. */
export let largestRange: f32 = 0;
export let sumOfRanges: f32 = 0;

/**
 * The scale with which the largest range of a product block is 63, limited so that int16 holds the scores of leaves that
 * differ by `spread`, and the sum of all blocks, whose ranges are `sum` together.
 */
export function tableScale(range: f32, sum: f32, spread: f32): f32 {
  let scale: f32 = sum > 0 ? SUM_MAX / sum : 0;
  if (range * scale > ENTRY_MAX) scale = ENTRY_MAX / range;
  if (spread * scale > 16000) scale = 16000 / spread;
  return scale;
}

/**
 * The shift of the entries of corrections, whose largest range is given in units of the scale: 0 if they are at most 63,
 * so that they are added like those of product blocks; otherwise the least with which they are at most 255.
 */
export function correctionShift(range: f32): i32 {
  if (range <= ENTRY_MAX) return 0;
  let shift = 1;
  for (range *= 0.5; range > CORRECTION_MAX; range *= 0.5) shift++;
  return shift;
}

/** tables[b][j] = round((values[b][j] − minima[b]) · scale) as bytes. Returns Σ_b minima[b]. */
export function quantizeTables(values: usize, minima: usize, blocks: i32, scale: f32, tables: usize): f32 {
  const s = f32x4.splat(scale);
  let sum: f32 = 0;
  for (let b = 0; b < blocks; b++) {
    sum += load<f32>(minima);
    const least = v128.load_splat<f32>(minima);
    const e0 = entries(v128.load(values), least, s), e1 = entries(v128.load(values, 16), least, s);
    const e2 = entries(v128.load(values, 32), least, s), e3 = entries(v128.load(values, 48), least, s);
    v128.store(tables, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(e0, e1), i16x8.narrow_i32x4_s(e2, e3)));
    minima += 4;
    values += 64;
    tables += 16;
  }
  return sum;
}

// @ts-ignore: decorator
@inline function entries(values: v128, least: v128, scale: v128): v128 {
  // Values are 0 … 255: the nearest integer is left in the low bits.
  return v128.and(f32x4.add(f32x4.mul(f32x4.sub(values, least), scale), f32x4.splat(WHOLE)), i32x4.splat(511));
}

/**
 * Scores of a group: out[point] = base + Σ_b tables[b][code] + Σ_c tables[c][code] · 2^shift, int16, saturating, where b
 * are product blocks and c corrections; points whose bit in `word` is 0 score MASKED. Returns the maxima of lanes i, i+8,
 * i+16, i+24.
 */
// @ts-ignore: decorator
@inline export function scoreGroup(
  codes: usize, tables: usize, blocks: i32, corrections: i32, shift: i32, base: v128, word: i32, out: usize,
): v128 {
  const nibble = i8x16.splat(15);
  let a0 = i16x8.splat(0), a1 = i16x8.splat(0), a2 = i16x8.splat(0), a3 = i16x8.splat(0);
  const quads = tables + (<usize>(blocks & ~3) << 4);
  const last = tables + (<usize>blocks << 4);
  // The sums begin with the corrections. a0 and a2 hold lanes of two bytes that were not separated, as below.
  for (let c: usize = 0; c < <usize>corrections << 4; c += 16) {
    const x = v128.load(codes + (last - tables) + c), t = v128.load(last + c);
    const low = lookup(t, v128.and(x, nibble)), high = lookup(t, v128.and(i16x8.shr_u(x, 4), nibble));
    const low1 = i16x8.shl(i16x8.shr_u(low, 8), shift), high1 = i16x8.shl(i16x8.shr_u(high, 8), shift);
    a0 = i16x8.add(a0, i16x8.add(i16x8.shl(v128.and(low, i16x8.splat(255)), shift), i16x8.shl(low1, 8)));
    a1 = i16x8.add(a1, low1);
    a2 = i16x8.add(a2, i16x8.add(i16x8.shl(v128.and(high, i16x8.splat(255)), shift), i16x8.shl(high1, 8)));
    a3 = i16x8.add(a3, high1);
  }
  while (tables < quads) {
    let x = v128.load(codes), t = v128.load(tables);
    let low = lookup(t, v128.and(x, nibble)), high = lookup(t, v128.and(i16x8.shr_u(x, 4), nibble));
    x = v128.load(codes, 16); t = v128.load(tables, 16);
    low = i8x16.add(low, lookup(t, v128.and(x, nibble)));
    high = i8x16.add(high, lookup(t, v128.and(i16x8.shr_u(x, 4), nibble)));
    x = v128.load(codes, 32); t = v128.load(tables, 32);
    low = i8x16.add(low, lookup(t, v128.and(x, nibble)));
    high = i8x16.add(high, lookup(t, v128.and(i16x8.shr_u(x, 4), nibble)));
    x = v128.load(codes, 48); t = v128.load(tables, 48);
    low = i8x16.add(low, lookup(t, v128.and(x, nibble)));
    high = i8x16.add(high, lookup(t, v128.and(i16x8.shr_u(x, 4), nibble)));
    a0 = i16x8.add(a0, low); a1 = i16x8.add(a1, i16x8.shr_u(low, 8));
    a2 = i16x8.add(a2, high); a3 = i16x8.add(a3, i16x8.shr_u(high, 8));
    codes += 64;
    tables += 64;
  }
  if (tables < last) {
    let low = i8x16.splat(0), high = i8x16.splat(0);
    for (; tables < last; tables += 16) {
      const x = v128.load(codes), t = v128.load(tables);
      low = i8x16.add(low, lookup(t, v128.and(x, nibble)));
      high = i8x16.add(high, lookup(t, v128.and(i16x8.shr_u(x, 4), nibble)));
      codes += 16;
    }
    a0 = i16x8.add(a0, low); a1 = i16x8.add(a1, i16x8.shr_u(low, 8));
    a2 = i16x8.add(a2, high); a3 = i16x8.add(a3, i16x8.shr_u(high, 8));
  }
  a0 = i16x8.add_sat_s(i16x8.sub(a0, i16x8.shl(a1, 8)), base);
  a1 = i16x8.add_sat_s(a1, base);
  a2 = i16x8.add_sat_s(i16x8.sub(a2, i16x8.shl(a3, 8)), base);
  a3 = i16x8.add_sat_s(a3, base);
  if (word != -1) {
    a0 = masked(a0, word);
    a1 = masked(a1, word >> 8);
    a2 = masked(a2, word >> 16);
    a3 = masked(a3, word >> 24);
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
  return i16x8.max_s(i16x8.max_s(a0, a1), i16x8.max_s(a2, a3));
}

/** Lanes whose bit among the low eight is 0 become MASKED. */
// @ts-ignore: decorator
@inline function masked(scores: v128, bits: i32): v128 {
  const bit = i16x8(1, 2, 4, 8, 16, 32, 64, 128);
  return v128.bitselect(scores, i16x8.splat(<i16>MASKED), i16x8.eq(v128.and(i16x8.splat(<i16>bits), bit), bit));
}

/** Bit i is set where score i of a group is above the bound. */
// @ts-ignore: decorator
@inline export function groupBits(scores: usize, bound: v128): i32 {
  const low = i8x16.narrow_i16x8_s(
    i16x8.gt_s(v128.load(scores), bound), i16x8.gt_s(v128.load(scores, 16), bound),
  );
  const high = i8x16.narrow_i16x8_s(
    i16x8.gt_s(v128.load(scores, 32), bound), i16x8.gt_s(v128.load(scores, 48), bound),
  );
  return i8x16.bitmask(low) | (i8x16.bitmask(high) << 16);
}
