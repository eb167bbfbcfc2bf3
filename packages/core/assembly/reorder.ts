// Exact scores of listed rows, four rows at a time with one lane per row. Sums are in the order of the dimensions, so
// scores have the same bits as in the exact index. Letters: d dimensions (stride: a multiple of 4, zeros past d).
// Readable forms: src/kernels/reference/scann.ts.
import { finiteScore, keyOf, rowOf as indexOf, scoreOf, selectKeys } from './keys';

/** For up to this many keys, insertion into a sorted list is faster than selection. */
const INSERT_MAX: i32 = 32;
/** Bytes that one read brings into the cache: a cache line. */
const TOUCH_BYTES: usize = 64;

/** Four dimensions of a float32 row. */
// @ts-ignore: decorator
@inline function four32(row: usize, t: usize): v128 {
  return v128.load(row + (t << 2));
}

/** Four dimensions of a bfloat16 row: the upper halves of float32. */
// @ts-ignore: decorator
@inline function four16(row: usize, t: usize): v128 {
  return i32x4.shl(v128.load16x4_u(row + (t << 1)), 16);
}

/** Four dimensions of an int8 row, times the scale of each. */
// @ts-ignore: decorator
@inline function four8(row: usize, t: usize, scales: usize): v128 {
  const wide = i16x8.extend_low_i8x16_s(v128.load32_zero(row + t));
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(wide)), v128.load(scales + (t << 2)));
}

// @ts-ignore: decorator
@inline function four(kind: i32, row: usize, t: usize, scales: usize): v128 {
  return kind == 0 ? four32(row, t) : kind == 1 ? four16(row, t) : four8(row, t, scales);
}

/** Bytes of a row: 4, 2 or 1 per dimension, and 4 for the factor of a row of kind 3. */
// @ts-ignore: decorator
@inline export function rowBytes(kind: i32, stride: i32): usize {
  return kind > 2 ? <usize>stride + 4 : (<usize>stride << 2) >> <usize>kind;
}

/** The factors of four rows of `bytes` bytes: 1 where they have none. */
// @ts-ignore: decorator
@inline function factorsOf(bytes: usize, stride: usize, r0: usize, r1: usize, r2: usize, r3: usize): v128 {
  if (bytes == stride) return f32x4.splat(1);
  const factors = v128.load32_lane(r1 + stride, v128.load32_zero(r0 + stride), 1);
  return v128.load32_lane(r3 + stride, v128.load32_lane(r2 + stride, factors, 2), 3);
}

/** Sums of four rows; squared: Σ (q − f·x)², else Σ q·(f·x), with the factors f of the rows. */
// @ts-ignore: decorator
@inline function scoreFour(
  kind: i32, squared: bool, query: usize, stride: usize, bytes: usize, scales: usize,
  r0: usize, r1: usize, r2: usize, r3: usize,
): v128 {
  let sum = f32x4.splat(0);
  const factors = kind == 2 ? factorsOf(bytes, stride, r0, r1, r2, r3) : sum;
  for (let t: usize = 0; t < stride; t += 4) {
    const x0 = four(kind, r0, t, scales), x1 = four(kind, r1, t, scales);
    const x2 = four(kind, r2, t, scales), x3 = four(kind, r3, t, scales);
    const low01 = i8x16.shuffle(x0, x1, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const low23 = i8x16.shuffle(x2, x3, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const high01 = i8x16.shuffle(x0, x1, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    const high23 = i8x16.shuffle(x2, x3, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    const q = query + (t << 2);
    sum = term(kind, squared, factors, sum, v128.load_splat<f32>(q), i8x16.shuffle(low01, low23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
    sum = term(kind, squared, factors, sum, v128.load_splat<f32>(q, 4), i8x16.shuffle(low01, low23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31));
    sum = term(kind, squared, factors, sum, v128.load_splat<f32>(q, 8), i8x16.shuffle(high01, high23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
    sum = term(kind, squared, factors, sum, v128.load_splat<f32>(q, 12), i8x16.shuffle(high01, high23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31));
  }
  return sum;
}

// @ts-ignore: decorator
@inline function term(kind: i32, squared: bool, factors: v128, sum: v128, q: v128, scaled: v128): v128 {
  const x = kind == 2 ? f32x4.mul(scaled, factors) : scaled;
  if (squared) {
    const difference = f32x4.sub(q, x);
    return f32x4.add(sum, f32x4.mul(difference, difference));
  }
  return f32x4.add(sum, f32x4.mul(q, x));
}

// @ts-ignore: decorator
@inline function scoreAll(
  kind: i32, squared: bool, query: usize, stride: usize, bytes: usize, rows: usize, scales: usize, placeOf: usize,
  slots: usize, count: i32, keys: usize,
): void {
  const sign: f32 = squared ? -1 : 1;
  for (let i = 0; i < count; i += 4) {
    const from = slots + (<usize>i << 2);
    const last = count - 1 - i;
    const s0 = load<i32>(from), s1 = last > 0 ? load<i32>(from, 4) : s0;
    const s2 = last > 1 ? load<i32>(from, 8) : s0, s3 = last > 2 ? load<i32>(from, 12) : s0;
    const sums = scoreFour(
      kind, squared, query, stride, bytes, scales,
      rows + <usize>place(placeOf, s0) * bytes, rows + <usize>place(placeOf, s1) * bytes,
      rows + <usize>place(placeOf, s2) * bytes, rows + <usize>place(placeOf, s3) * bytes,
    );
    const to = keys + (<usize>i << 3);
    store<u64>(to, keyOf(finiteScore(sign * f32x4.extract_lane(sums, 0)), s0));
    if (last > 0) store<u64>(to, keyOf(finiteScore(sign * f32x4.extract_lane(sums, 1)), s1), 8);
    if (last > 1) store<u64>(to, keyOf(finiteScore(sign * f32x4.extract_lane(sums, 2)), s2), 16);
    if (last > 2) store<u64>(to, keyOf(finiteScore(sign * f32x4.extract_lane(sums, 3)), s3), 24);
  }
}

/** Byte offset of the row of a slot. */
// @ts-ignore: decorator
@inline function place(placeOf: usize, slot: i32): i32 {
  return placeOf == 0 ? slot : load<i32>(placeOf + (<usize>slot << 2));
}

/**
 * Find the `wanted` best keys, sorted, by insertion into a short list. Insertions are rare, so few branches are
 * mispredicted.
 */
function insertBest(keys: usize, found: i32, wanted: i32, best: usize): void {
  let count = 0;
  let bound: u64 = 0;
  const last = best + (<usize>(wanted - 1) << 3);
  for (let i = 0; i < found; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    if (key <= bound) continue;
    let to = count < wanted ? best + (<usize>count << 3) : last;
    if (count < wanted) count++;
    while (to > best && load<u64>(to - 8) < key) {
      store<u64>(to, load<u64>(to - 8));
      to -= 8;
    }
    store<u64>(to, key);
    if (count == wanted) bound = load<u64>(last);
  }
}

/** The number of keys whose score is at least `least`. */
function countFrom(keys: usize, found: i32, least: f32): i32 {
  // Row −1 has the least of all keys with this score.
  const bound = keyOf(least, -1);
  let count = 0;
  for (let i = 0; i < found; i++) count += load<u64>(keys + (<usize>i << 3)) >= bound ? 1 : 0;
  return count;
}

/**
 * Keep at least the `wanted` best of keys (score, slot), with their ties, as keys (score, row). Returns the number of
 * keys kept. Only their rows are looked up, because each lookup reads a cache line. best: room for `wanted` keys, at
 * least 32.
 */
export function bestRows(keys: usize, found: i32, wanted: i32, rowOf: usize, best: usize): i32 {
  let least: f32 = -Infinity;
  if (wanted < found && wanted <= INSERT_MAX) {
    insertBest(keys, found, wanted, best);
    least = scoreOf(load<u64>(best + (<usize>(wanted - 1) << 3)));
    if (countFrom(keys, found, least) == wanted) {
      for (let i = 0; i < wanted; i++) {
        const key = load<u64>(best + (<usize>i << 3));
        store<u64>(keys + (<usize>i << 3), keyOf(scoreOf(key), load<i32>(rowOf + (<usize>indexOf(key) << 2))));
      }
      return wanted;
    }
  } else if (wanted < found) {
    selectKeys(keys, 0, found - 1, wanted - 1);
    least = scoreOf(load<u64>(keys + (<usize>(wanted - 1) << 3)));
  }
  let kept = 0;
  for (let i = 0; i < found; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    const score = scoreOf(key);
    if (score < least) continue;
    store<u64>(keys + (<usize>kept << 3), keyOf(score, load<i32>(rowOf + (<usize>indexOf(key) << 2))));
    kept++;
  }
  return kept;
}

/**
 * Keys (exact score, slot) of the listed slots. kind: 0 float32, 1 bfloat16, 2 int8 with a scale per dimension, 3 the same
 * times a float32 factor, which follows the row. A row is at placeOf[slot], or at its slot where placeOf is 0.
 * squared: score = −Σ (q − x)², else Σ q·x.
 */
export function exactKeys(
  kind: i32, squared: bool, query: usize, stride: i32, rows: usize, scales: usize, placeOf: usize,
  slots: usize, count: i32, keys: usize,
): void {
  const s = <usize>stride;
  const bytes = rowBytes(kind, stride);
  if (squared) {
    if (kind == 0) scoreAll(0, true, query, s, bytes, rows, scales, placeOf, slots, count, keys);
    else if (kind == 1) scoreAll(1, true, query, s, bytes, rows, scales, placeOf, slots, count, keys);
    else scoreAll(2, true, query, s, bytes, rows, scales, placeOf, slots, count, keys);
  } else {
    if (kind == 0) scoreAll(0, false, query, s, bytes, rows, scales, placeOf, slots, count, keys);
    else if (kind == 1) scoreAll(1, false, query, s, bytes, rows, scales, placeOf, slots, count, keys);
    else scoreAll(2, false, query, s, bytes, rows, scales, placeOf, slots, count, keys);
  }
}

/**
 * Prefetch the listed rows by reading one word of every pair of cache lines, because WebAssembly has no prefetch
 * instruction. The sum of the words is returned so that the compiler does not remove the reads.
 */
export function touchRows(
  kind: i32, stride: i32, rows: usize, placeOf: usize, slots: usize, count: i32,
): i32 {
  const bytes = rowBytes(kind, stride);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const slot = load<i32>(slots + (<usize>i << 2));
    const first = rows + <usize>place(placeOf, slot) * bytes;
    for (let at: usize = 0; at < bytes; at += TOUCH_BYTES) sum += load<i32>(first + at);
  }
  return sum;
}

/**
 * Copy float32 rows to their slots as float32, bfloat16 or int8 (kinds of exactKeys): row rowOf[slot], or the slot's own
 * number where rowOf is 0; stride floats per row, zeros past d. Kind 2: round(v[t]) within ±127, v[t] = x[t] · inverseScales[t];
 * kind 3: round(v[t]/f), f = max |v|/127, and f after the row; f is 1 where all v are whole numbers within ±127,
 * and 0 where all are 0.
 * Work items: slots.
 */
export function storeRows(
  begin: i32, end: i32, slot: i32, rows: usize, d: i32, rowOf: usize, kind: i32, inverseScales: usize, stride: i32,
  to: usize,
): void {
  const bytes = rowBytes(kind, stride);
  for (let i = begin; i < end; i++) {
    const row = rowOf != 0 ? load<i32>(rowOf + (<usize>i << 2)) : i;
    const target = to + <usize>i * bytes;
    memory.fill(target, 0, bytes);
    if (row < 0) continue;
    const from = rows + ((<usize>row * <usize>d) << 2);
    if (kind == 0) {
      memory.copy(target, from, <usize>d << 2);
    } else if (kind == 1) {
      for (let t: usize = 0; t < <usize>d; t++) {
        const bits = load<u32>(from + (t << 2));
        // Round half to even on the upper 16 bits.
        store<u16>(target + (t << 1), <u16>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16));
      }
    } else {
      let inverse: f32 = 1;
      if (kind > 2) {
        let most: f32 = 0;
        let isWhole = true;
        for (let t: usize = 0; t < <usize>d; t++) {
          const value = load<f32>(from + (t << 2)) * load<f32>(inverseScales + (t << 2));
          isWhole = isWhole && value == nearest(value);
          // A value that is no number, 0 · ∞, is stored as 0.
          if (abs(value) > most) most = abs(value);
        }
        let factor: f32 = most > 0 ? 1 : 0;
        if (most > 127 || (most > 0 && !isWhole)) {
          factor = min<f32>(most, f32.MAX_VALUE) / 127;
          inverse = 1 / factor;
        }
        store<f32>(target + <usize>stride, factor);
      }
      for (let t: usize = 0; t < <usize>d; t++) {
        const scaled = nearest(load<f32>(from + (t << 2)) * load<f32>(inverseScales + (t << 2)) * inverse);
        store<i8>(target + t, <i8>min<f32>(127, max<f32>(-127, scaled)));
      }
    }
  }
}
