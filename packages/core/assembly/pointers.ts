// Embeddings composed of codebook rows: hashes ids to rows, gathers vectors, and sums gradients by row.
//   vector(i)[j·w .. (j+1)·w) = Σ_s table[pointer(i, j, s)],   j < columns, s < sums
// Letters: w width of a codebook row, terms = columns · sums pointers per id, term = j · sums + s.
// Readable forms: src/kernels/reference/pointers.ts.
import { GatherClustered, GroupUses } from './records.generated';

/** The Mersenne prime 2³¹ − 1 of the hash family; ids and coefficients are below it. */
const PRIME: u64 = 0x7fffffff;

/**
 * pointer(i, term) = base[term] + ((a·id_i + b) mod p) mod rows[term], for every `step`-th term: step − 1, 2·step − 1,
 * … coefficients: [terms, 4] uint32: a in [1, p), b in [0, p), base, rows. out: [count, terms] int32. Source: Carter
 * and Wegman 1979, proposition 7. Without b, id 0 would have row 0 in every column. Work items: ids.
 *
 * The remainder is computed by a multiplication: with L = ⌈log2 rows⌉ and m = ⌈2^(31 + L)/rows⌉ the quotient of any
 * number below 2³¹ is (m · number) >> (31 + L) (Granlund and Montgomery 1994). A division would take twenty cycles.
 */
export function hashPointers(
  begin: i32, end: i32, slot: i32, ids: usize, coefficients: usize, terms: i32, step: i32, out: usize,
): void {
  const rowBytes = <usize>terms << 2;
  for (let t = step - 1; t < terms; t += step) {
    const c = coefficients + (<usize>t << 4);
    const a = <u64>load<u32>(c), b = <u64>load<u32>(c, 4);
    const base = load<u32>(c, 8), rows = load<u32>(c, 12);
    const shift = shiftOf(rows), inverse = inverseOf(rows, shift);
    const a4 = i32x4.splat(<i32>a), b2 = i64x2.splat(b), rows4 = i32x4.splat(rows), inverse4 = i32x4.splat(<i32>inverse);
    const base4 = i32x4.splat(base);
    let to = out + <usize>begin * rowBytes + (<usize>t << 2);
    let i = begin;
    for (; i + 4 <= end; i += 4) {
      const hashes = i32x4.add(hashOfFour(v128.load(ids + (<usize>i << 2)), a4, b2, rows4, inverse4, <i32>shift), base4);
      v128.store_lane<u32>(to, hashes, 0);
      v128.store_lane<u32>(to + rowBytes, hashes, 1);
      v128.store_lane<u32>(to + 2 * rowBytes, hashes, 2);
      v128.store_lane<u32>(to + 3 * rowBytes, hashes, 3);
      to += rowBytes << 2;
    }
    for (; i < end; i++) {
      store<u32>(to, base + hashOf(load<u32>(ids + (<usize>i << 2)), a, b, rows, inverse, shift));
      to += rowBytes;
    }
  }
}

/** 31 + ⌈log2 rows⌉. */
// @ts-ignore: decorator
@inline function shiftOf(rows: u32): u64 {
  return 63 - <u64>clz<u32>(rows - 1);
}

/** ⌈2^shift / rows⌉. */
// @ts-ignore: decorator
@inline function inverseOf(rows: u32, shift: u64): u64 {
  return ((<u64>1 << shift) + <u64>rows - 1) / <u64>rows;
}

/** ((a·id + b) mod p) mod rows. */
// @ts-ignore: decorator
@inline function hashOf(id: u32, a: u64, b: u64, rows: u32, inverse: u64, shift: u64): u32 {
  const product = a * <u64>id + b;
  // With product = h·2³¹ + l = h·p + (h + l): the quotient by p is h or, from h + l = p on, h + 1, since h + l < 2p.
  const quotient = (product + (product >> 31) + 1) >> 31;
  const rest = (product + quotient) & PRIME;
  return <u32>rest - <u32>((rest * inverse) >> shift) * rows;
}

/** hashOf of four ids, in 32-bit lanes; a and inverse are below 2³². */
// @ts-ignore: decorator
@inline function hashOfFour(ids: v128, a: v128, b: v128, rows: v128, inverse: v128, shift: i32): v128 {
  const rest = halves(restOf(i64x2.add(i64x2.extmul_low_i32x4_u(ids, a), b)), restOf(i64x2.add(i64x2.extmul_high_i32x4_u(ids, a), b)));
  const quotient = halves(
    i64x2.shr_u(i64x2.extmul_low_i32x4_u(rest, inverse), shift),
    i64x2.shr_u(i64x2.extmul_high_i32x4_u(rest, inverse), shift),
  );
  return i32x4.sub(rest, i32x4.mul(quotient, rows));
}

/** product mod p of two lanes. */
// @ts-ignore: decorator
@inline function restOf(product: v128): v128 {
  const once = i64x2.add(i64x2.add(product, i64x2.shr_u(product, 31)), i64x2.splat(1));
  return v128.and(i64x2.add(product, i64x2.shr_u(once, 31)), i64x2.splat(PRIME));
}

/** The low halves of two and two 64-bit lanes. */
// @ts-ignore: decorator
@inline function halves(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
}

/** out[i][j·w + t] = Σ_s table[pointers[i][j][s]][t]; out has outStride floats per row. Work items: ids. */
export function gatherPointers(
  begin: i32, end: i32, slot: i32, table: usize, w: i32, pointers: usize, columns: i32, sums: i32,
  out: usize, outStride: i32,
): void {
  const bytes = <usize>w << 2;
  const vectors = bytes & ~15;
  for (let i = begin; i < end; i++) {
    let pointer = pointers + ((<usize>i * <usize>(columns * sums)) << 2);
    let to = out + ((<usize>i * <usize>outStride) << 2);
    for (let j = 0; j < columns; j++) {
      const first = table + <usize>load<u32>(pointer) * bytes;
      let t: usize = 0;
      if (sums == 1) {
        for (; t < vectors; t += 16) v128.store(to + t, v128.load(first + t));
        for (; t < bytes; t += 4) store<f32>(to + t, load<f32>(first + t));
      } else {
        const second = table + <usize>load<u32>(pointer, 4) * bytes;
        for (; t < vectors; t += 16) v128.store(to + t, f32x4.add(v128.load(first + t), v128.load(second + t)));
        for (; t < bytes; t += 4) store<f32>(to + t, load<f32>(first + t) + load<f32>(second + t));
      }
      for (let s = 2; s < sums; s++) {
        const from = table + <usize>load<u32>(pointer + (<usize>s << 2)) * bytes;
        for (t = 0; t < vectors; t += 16) v128.store(to + t, f32x4.add(v128.load(to + t), v128.load(from + t)));
        for (; t < bytes; t += 4) store<f32>(to + t, load<f32>(to + t) + load<f32>(from + t));
      }
      pointer += <usize>sums << 2;
      to += bytes;
    }
  }
}

/**
 * Vectors of a clustered table with its helper table: hashPointers, readPointers and gatherPointers in one pass over
 * the ids, without storing pointers.
 *   out[i][j·w + t] = table[j·blockRows + learned[id_i][j]][t] + table[h_j(id_i)][t]
 * coefficients as in hashPointers, [2·columns, 4]: h_j is number 2j + 1. Work items: ids.
 */
export function gatherClustered(begin: i32, end: i32, slot: i32, call: GatherClustered): void {
  const table = call.table, w = call.w, ids = call.ids, learned = call.learned, coefficients = call.coefficients;
  const columns = call.columns, blockRows = call.blockRows, out = call.out, outStride = call.outStride;
  const bytes = <usize>w << 2;
  const stride = <usize>outStride << 2;
  const learnedBytes = <usize>columns << 1;
  for (let j = 0; j < columns; j++) {
    const c = coefficients + (<usize>(2 * j + 1) << 4);
    const a = <u64>load<u32>(c), b = <u64>load<u32>(c, 4);
    const helper = table + <usize>load<u32>(c, 8) * bytes, rows = load<u32>(c, 12);
    const shift = shiftOf(rows), inverse = inverseOf(rows, shift);
    const block = table + <usize>(j * blockRows) * bytes;
    const pointers = learned + (<usize>j << 1);
    const a4 = i32x4.splat(<i32>a), b2 = i64x2.splat(b), rows4 = i32x4.splat(rows), inverse4 = i32x4.splat(<i32>inverse);
    let to = out + <usize>begin * stride + <usize>j * bytes;
    let i = begin;
    for (; i + 4 <= end; i += 4) {
      const at = ids + (<usize>i << 2);
      const hashes = hashOfFour(v128.load(at), a4, b2, rows4, inverse4, <i32>shift);
      const l0 = <usize>load<u16>(pointers + <usize>load<u32>(at) * learnedBytes);
      const l1 = <usize>load<u16>(pointers + <usize>load<u32>(at, 4) * learnedBytes);
      const l2 = <usize>load<u16>(pointers + <usize>load<u32>(at, 8) * learnedBytes);
      const l3 = <usize>load<u16>(pointers + <usize>load<u32>(at, 12) * learnedBytes);
      addRows(block + l0 * bytes, helper + <usize>i32x4.extract_lane(hashes, 0) * bytes, bytes, to);
      to += stride;
      addRows(block + l1 * bytes, helper + <usize>i32x4.extract_lane(hashes, 1) * bytes, bytes, to);
      to += stride;
      addRows(block + l2 * bytes, helper + <usize>i32x4.extract_lane(hashes, 2) * bytes, bytes, to);
      to += stride;
      addRows(block + l3 * bytes, helper + <usize>i32x4.extract_lane(hashes, 3) * bytes, bytes, to);
      to += stride;
    }
    for (; i < end; i++) {
      const id = load<u32>(ids + (<usize>i << 2));
      const first = block + <usize>load<u16>(pointers + <usize>id * learnedBytes) * bytes;
      addRows(first, helper + <usize>hashOf(id, a, b, rows, inverse, shift) * bytes, bytes, to);
      to += stride;
    }
  }
}

/** to = first + second, of rows of codebooks. */
// @ts-ignore: decorator
@inline function addRows(first: usize, second: usize, bytes: usize, to: usize): void {
  let t: usize = 0;
  for (; t + 32 <= bytes; t += 32) {
    const low = f32x4.add(v128.load(first + t), v128.load(second + t));
    const high = f32x4.add(v128.load(first + t, 16), v128.load(second + t, 16));
    v128.store(to + t, low);
    v128.store(to + t, high, 16);
  }
  for (; t < bytes; t += 4) store<f32>(to + t, load<f32>(first + t) + load<f32>(second + t));
}

/**
 * Gradients of distinct codebook rows: out[g] = Σ over uses u in [starts[g], starts[g+1]) of the slice of the gradient
 * that the use fed; uses[u] = i · terms + term. gradients has stride floats per row; out [groups, w]. Work items: groups.
 */
export function sumUses(
  begin: i32, end: i32, slot: i32, starts: usize, uses: usize, gradients: usize, stride: i32, w: i32,
  terms: i32, sums: i32, out: usize,
): void {
  const bytes = <usize>w << 2;
  // Quotients as in hashPointers; uses are below 2³¹.
  const termShift = shiftOf(terms), sumShift = shiftOf(sums);
  const perTerm = inverseOf(terms, termShift), perSum = inverseOf(sums, sumShift);
  for (let g = begin; g < end; g++) {
    const to = out + <usize>g * bytes;
    const first = uses + (<usize>load<i32>(starts + (<usize>g << 2)) << 2);
    const last = uses + (<usize>load<i32>(starts + (<usize>g << 2), 4) << 2);
    let t: usize = 0;
    for (; t + 32 <= bytes; t += 32) {
      let low = f32x4.splat(0), high = low;
      for (let u = first; u < last; u += 4) {
        const from = t + sliceOf(load<u32>(u), gradients, stride, w, terms, perTerm, termShift, perSum, sumShift);
        low = f32x4.add(low, v128.load(from));
        high = f32x4.add(high, v128.load(from, 16));
      }
      v128.store(to + t, low);
      v128.store(to + t, high, 16);
    }
    for (; t + 16 <= bytes; t += 16) {
      let sum = f32x4.splat(0);
      for (let u = first; u < last; u += 4) {
        const from = t + sliceOf(load<u32>(u), gradients, stride, w, terms, perTerm, termShift, perSum, sumShift);
        sum = f32x4.add(sum, v128.load(from));
      }
      v128.store(to + t, sum);
    }
    for (; t < bytes; t += 4) {
      let sum: f32 = 0;
      for (let u = first; u < last; u += 4) {
        sum += load<f32>(t + sliceOf(load<u32>(u), gradients, stride, w, terms, perTerm, termShift, perSum, sumShift));
      }
      store<f32>(to + t, sum);
    }
  }
}

/** Byte offset of the slice of the gradient that belongs to a use. */
// @ts-ignore: decorator
@inline function sliceOf(
  use: u32, gradients: usize, stride: i32, w: i32, terms: i32, perTerm: u64, termShift: u64, perSum: u64, sumShift: u64,
): usize {
  const i = <u32>((<u64>use * perTerm) >> termShift);
  const j = <u32>((<u64>(use - i * <u32>terms) * perSum) >> sumShift);
  return gradients + ((<usize>i * <usize>stride + <usize>(j * <u32>w)) << 2);
}

/**
 * Counting sort of pointers by row: writes uses in order of (row, position), the distinct rows, and where each begins.
 * The table has `parts` parts of partRows rows each. The pointers [ids][part][sums] of a part are rows of that part, so
 * parts are sorted separately: part p writes uses, distinct and starts from p · ids · sums on, and the number of its
 * distinct rows to groups[p]. counters: [parts · partRows] int32, zero; zero again afterwards. Work items: parts.
 */
export function groupUses(begin: i32, end: i32, slot: i32, call: GroupUses): void {
  const pointers = call.pointers, ids = call.ids, parts = call.parts, sums = call.sums, partRows = call.partRows;
  const counters = call.counters, uses = call.uses, distinct = call.distinct, starts = call.starts;
  const groups = call.groups;
  const terms = parts * sums;
  const skip = <usize>(terms - sums) << 2;
  for (let part = begin; part < end; part++) {
    let pointer = pointers + (<usize>(part * sums) << 2);
    for (let i = 0; i < ids; i++) {
      for (let s = 0; s < sums; s++) {
        const at = counters + (<usize>load<u32>(pointer) << 2);
        store<i32>(at, load<i32>(at) + 1);
        pointer += 4;
      }
      pointer += skip;
    }
    let first = part * ids * sums;
    const base = <usize>first << 2;
    let group = base;
    for (let row = part * partRows; row < (part + 1) * partRows; row++) {
      const at = counters + (<usize>row << 2);
      const count = load<i32>(at);
      if (count == 0) continue;
      store<i32>(distinct + group, row);
      store<i32>(starts + group, first);
      store<i32>(at, first);
      first += count;
      group += 4;
    }
    store<i32>(groups + (<usize>part << 2), <i32>((group - base) >> 2));
    pointer = pointers + (<usize>(part * sums) << 2);
    let use = part * sums;
    for (let i = 0; i < ids; i++) {
      for (let s = 0; s < sums; s++) {
        const at = counters + (<usize>load<u32>(pointer) << 2);
        const position = load<i32>(at);
        store<i32>(uses + (<usize>position << 2), use + s);
        store<i32>(at, position + 1);
        pointer += 4;
      }
      pointer += skip;
      use += terms;
    }
    for (let at = base; at < group; at += 4) store<i32>(counters + (<usize>load<i32>(distinct + at) << 2), 0);
  }
}

/**
 * Overwrite hashed pointers by learned ones: out[i][j][0] = base[j] + learned[id_i][j], learned [V, columns] uint16.
 * Work items: ids.
 */
export function readPointers(
  begin: i32, end: i32, slot: i32, ids: usize, learned: usize, columns: i32, sums: i32, blockRows: i32, out: usize,
): void {
  for (let i = begin; i < end; i++) {
    const from = learned + ((<usize>load<u32>(ids + (<usize>i << 2)) * <usize>columns) << 1);
    const to = out + ((<usize>i * <usize>(columns * sums)) << 2);
    for (let j = 0; j < columns; j++) {
      store<u32>(to + (<usize>(j * sums) << 2), <u32>(j * blockRows) + <u32>load<u16>(from + (<usize>j << 1)));
    }
  }
}

/**
 * readPointers for a table in which only some ids have learned pointers: their bits are set in `bits`, ranks[id / 32]
 * is the number of learned ids before that word, and learned is [learned ids, columns] uint16. Pointers of other ids do
 * not change. Work items: ids.
 */
export function readLearnedPointers(
  begin: i32, end: i32, slot: i32, ids: usize, bits: usize, ranks: usize, learned: usize,
  columns: i32, sums: i32, blockRows: i32, out: usize,
): void {
  for (let i = begin; i < end; i++) {
    const id = load<u32>(ids + (<usize>i << 2));
    const at = <usize>(id >> 5) << 2;
    const word = load<u32>(bits + at);
    const bit: u32 = 1 << (id & 31);
    if ((word & bit) == 0) continue;
    const rank = load<u32>(ranks + at) + popcnt<u32>(word & (bit - 1));
    const from = learned + ((<usize>rank * <usize>columns) << 1);
    const to = out + ((<usize>i * <usize>(columns * sums)) << 2);
    for (let j = 0; j < columns; j++) {
      store<u32>(to + (<usize>(j * sums) << 2), <u32>(j * blockRows) + <u32>load<u16>(from + (<usize>j << 1)));
    }
  }
}
