// Kernels that build leaves: train codebooks, encode copies with their corrections, order the copies of a leaf, pack
// groups. Letters: d dimensions, M blocks of w dimensions, c the leaf's centroid, r = x − c the residual, e = r −
// decode(r). Lists of members: order[leafBegin[l] … leafBegin[l + 1]) are numbers of copies; copyRow[copy] is the row
// of a copy. Readable forms: src/kernels/reference/scann-build.ts.
import { keyOf, rowOf, sortKeys } from './keys';
import { EncodeCopies, OrderLeaves, PackGroups } from './records.generated';

/**
 * Copies of a leaf are sorted by their projection on the centroid plus this times the orthogonal spread; 1.5 is the
 * best value measured.
 */
const ACROSS_WEIGHT: f32 = 1.5;
/** The most rounds of coordinate descent, as in ScaNN. */
const ROUNDS_MAX: i32 = 10;

/**
 * Lloyd's iterations for the codebooks of blocks: sample [n, M·w] residuals, codebook [M][w][16], which holds the
 * initial words. A word that loses all its points does not change. Work items: blocks. scratch: 16·(w + 1) floats per
 * slot.
 */
export function trainBlocks(
  begin: i32, end: i32, slot: i32, sample: usize, n: i32, blocks: i32, width: i32, iterations: i32, codebook: usize,
  scratch: usize,
): void {
  const rowBytes = <usize>(blocks * width) << 2;
  const wordBytes = <usize>width << 6;
  const sums = scratch + <usize>slot * (wordBytes + 64);
  const counts = sums + wordBytes;
  for (let block = begin; block < end; block++) {
    const book = codebook + <usize>block * wordBytes;
    for (let iteration = 0; iteration < iterations; iteration++) {
      memory.fill(sums, 0, wordBytes + 64);
      let x = sample + (<usize>(block * width) << 2);
      for (let i = 0; i < n; i++) {
        const word = <usize>nearestWord(x, book, width) << 2;
        for (let t: usize = 0; t < <usize>width; t++) {
          const at = sums + (t << 6) + word;
          store<f32>(at, load<f32>(at) + load<f32>(x + (t << 2)));
        }
        store<f32>(counts + word, load<f32>(counts + word) + 1);
        x += rowBytes;
      }
      for (let word: usize = 0; word < 64; word += 4) {
        const count = load<f32>(counts + word);
        if (count == 0) continue;
        for (let t: usize = 0; t < <usize>width; t++) {
          store<f32>(book + (t << 6) + word, load<f32>(sums + (t << 6) + word) / count);
        }
      }
    }
  }
}

/** The nearest of 16 codewords [w][16], ties to the lower. */
// @ts-ignore: decorator
@inline function nearestWord(x: usize, book: usize, width: i32): i32 {
  let d0 = f32x4.splat(0), d1 = d0, d2 = d0, d3 = d0;
  for (let t = 0; t < width; t++) {
    const value = v128.load_splat<f32>(x);
    let e = f32x4.sub(value, v128.load(book)); d0 = f32x4.add(d0, f32x4.mul(e, e));
    e = f32x4.sub(value, v128.load(book, 16)); d1 = f32x4.add(d1, f32x4.mul(e, e));
    e = f32x4.sub(value, v128.load(book, 32)); d2 = f32x4.add(d2, f32x4.mul(e, e));
    e = f32x4.sub(value, v128.load(book, 48)); d3 = f32x4.add(d3, f32x4.mul(e, e));
    x += 4;
    book += 64;
  }
  return firstLeast(d0, d1, d2, d3);
}

/** The first lane of 16 that holds the least. */
// @ts-ignore: decorator
@inline export function firstLeast(d0: v128, d1: v128, d2: v128, d3: v128): i32 {
  let least = f32x4.pmin(f32x4.pmin(d0, d1), f32x4.pmin(d2, d3));
  least = f32x4.pmin(least, i32x4.shuffle(least, least, 2, 3, 0, 1));
  least = f32x4.pmin(least, i32x4.shuffle(least, least, 1, 0, 3, 2));
  const low = i16x8.narrow_i32x4_s(f32x4.eq(d0, least), f32x4.eq(d1, least));
  const high = i16x8.narrow_i32x4_s(f32x4.eq(d2, least), f32x4.eq(d3, least));
  return ctz(i8x16.bitmask(i8x16.narrow_i16x8_s(low, high)) | 0x10000) & 15;
}

/**
 * Codes of copies: codes [copies, M] bytes and one correction each. The error parallel to x has eta times the weight of
 * the orthogonal error (eta ≤ 1: nearest codewords). Codes start from the nearest words and are improved by up to ten
 * rounds of coordinate descent over the blocks, as in ScaNN's asymmetric hashing.
 *   kind 1: correction p = ⟨e, x⟩ / |x|², so that ⟨q, r⟩ ≈ ⟨q, decode⟩ + p ⟨q, x⟩
 *   kind 2: correction t = −(⟨c, r̂⟩ + |r̂|²/2) + |e|²/2 with r̂ = decode, so that the error of −|q − x|²/2 is ⟨q − x, e⟩
 * scratch: (M·w + 32·M) floats per slot. Work items: copies.
 */
export function encodeCopies(begin: i32, end: i32, slot: i32, call: EncodeCopies): void {
  const rows = call.rows, d = call.d, copyRow = call.copyRow, labels = call.labels, centroids = call.centroids;
  const codebook = call.codebook, blocks = call.blocks, width = call.width, eta = call.eta, kind = call.kind;
  const codes = call.codes, corrections = call.corrections, scratch = call.scratch;
  const rowBytes = <usize>d << 2;
  const padded = <usize>(blocks * width);
  const residual = scratch + <usize>slot * ((padded + <usize>blocks * 32) << 2);
  const errors = residual + (padded << 2);
  const alongs = errors + (<usize>blocks << 6);
  const wordBytes = <usize>width << 6;
  for (let copy = begin; copy < end; copy++) {
    const row = copyRow != 0 ? load<i32>(copyRow + (<usize>copy << 2)) : copy;
    const x = rows + <usize>row * rowBytes;
    const c = centroids + <usize>load<i32>(labels + (<usize>copy << 2)) * rowBytes;
    const code = codes + <usize>copy * <usize>blocks;
    let square: f32 = 0;
    for (let t: usize = 0; t < rowBytes; t += 4) {
      const value = load<f32>(x + t);
      store<f32>(residual + t, value - load<f32>(c + t));
      square += value * value;
    }
    for (let t = rowBytes; t < padded << 2; t += 4) store<f32>(residual + t, 0);
    let along: f32 = 0;
    for (let b = 0; b < blocks; b++) {
      const at = <usize>(b * width) << 2;
      const to = <usize>b << 6;
      const word = blockErrors(x, residual, at, rowBytes, codebook + <usize>b * wordBytes, width, errors + to, alongs + to);
      store<u8>(code + <usize>b, <u8>word);
      along += load<f32>(alongs + to + (<usize>word << 2));
    }
    if (eta > 1 && square > 0) along = descend(code, blocks, errors, alongs, along, eta, 1 / square);
    if (kind == 1) {
      store<f32>(corrections + (<usize>copy << 2), square > 0 ? along / square : 0);
    } else if (kind == 2) {
      store<f32>(corrections + (<usize>copy << 2), squaredCorrection(c, residual, code, codebook, blocks, width, rowBytes));
    }
  }
}

/** |e|² and ⟨e, x⟩ of a block for each of its 16 words; returns the word of the least |e|². */
// @ts-ignore: decorator
@inline function blockErrors(
  x: usize, residual: usize, at: usize, rowBytes: usize, book: usize, width: i32, errors: usize, alongs: usize,
): i32 {
  let d0 = f32x4.splat(0), d1 = d0, d2 = d0, d3 = d0, a0 = d0, a1 = d0, a2 = d0, a3 = d0;
  for (let t = 0; t < width; t++) {
    const value = v128.load_splat<f32>(residual + at);
    const xt = at < rowBytes ? v128.load_splat<f32>(x + at) : f32x4.splat(0);
    let e = f32x4.sub(value, v128.load(book));
    d0 = f32x4.add(d0, f32x4.mul(e, e)); a0 = f32x4.add(a0, f32x4.mul(e, xt));
    e = f32x4.sub(value, v128.load(book, 16));
    d1 = f32x4.add(d1, f32x4.mul(e, e)); a1 = f32x4.add(a1, f32x4.mul(e, xt));
    e = f32x4.sub(value, v128.load(book, 32));
    d2 = f32x4.add(d2, f32x4.mul(e, e)); a2 = f32x4.add(a2, f32x4.mul(e, xt));
    e = f32x4.sub(value, v128.load(book, 48));
    d3 = f32x4.add(d3, f32x4.mul(e, e)); a3 = f32x4.add(a3, f32x4.mul(e, xt));
    at += 4;
    book += 64;
  }
  v128.store(errors, d0); v128.store(errors, d1, 16); v128.store(errors, d2, 32); v128.store(errors, d3, 48);
  v128.store(alongs, a0); v128.store(alongs, a1, 16); v128.store(alongs, a2, 32); v128.store(alongs, a3, 48);
  return firstLeast(d0, d1, d2, d3);
}

/** Coordinate descent on eta·|e∥|² + |e⊥|²; never lets |⟨e, x⟩| grow. Returns ⟨e, x⟩. */
function descend(code: usize, blocks: i32, errors: usize, alongs: usize, along: f32, eta: f32, inverse: f32): f32 {
  const weight = f32x4.splat(eta - 1), over = f32x4.splat(inverse);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let isChanged = false;
    for (let b: usize = 0; b < <usize>blocks; b++) {
      const old = <usize>load<u8>(code + b);
      const e = errors + (b << 6), a = alongs + (b << 6);
      const rest = along - load<f32>(a + (old << 2));
      const rests = f32x4.splat(rest), before = f32x4.splat(along * along * inverse);
      const oldErrors = v128.load_splat<f32>(e + (old << 2)), olds = i32x4.splat(<i32>old);
      const c0 = changeOf(0, olds, v128.load(e), v128.load(a), rests, before, oldErrors, weight, over);
      const c1 = changeOf(4, olds, v128.load(e, 16), v128.load(a, 16), rests, before, oldErrors, weight, over);
      const c2 = changeOf(8, olds, v128.load(e, 32), v128.load(a, 32), rests, before, oldErrors, weight, over);
      const c3 = changeOf(12, olds, v128.load(e, 48), v128.load(a, 48), rests, before, oldErrors, weight, over);
      const least = f32x4.pmin(f32x4.pmin(c0, c1), f32x4.pmin(c2, c3));
      if (!v128.any_true(f32x4.lt(least, f32x4.splat(0)))) continue;
      const best = firstLeast(c0, c1, c2, c3);
      along = rest + load<f32>(a + (<usize>best << 2));
      store<u8>(code + b, <u8>best);
      isChanged = true;
    }
    if (!isChanged) break;
  }
  return along;
}

/** The change of the cost when one of the words first … first + 3 replaces the old one; 0 for the old one and where |e∥| would grow. */
// @ts-ignore: decorator
@inline export function changeOf(
  first: i32, olds: v128, errors: v128, alongs: v128, rests: v128, before: v128, oldErrors: v128, weight: v128, over: v128,
): v128 {
  const next = f32x4.add(rests, alongs);
  const parallel = f32x4.sub(f32x4.mul(f32x4.mul(next, next), over), before);
  const change = f32x4.add(f32x4.mul(weight, parallel), f32x4.sub(errors, oldErrors));
  const isOut = v128.or(
    f32x4.gt(parallel, f32x4.splat(0)), i32x4.eq(i32x4.add(i32x4(0, 1, 2, 3), i32x4.splat(first)), olds),
  );
  return v128.andnot(change, isOut);
}

function squaredCorrection(
  c: usize, residual: usize, code: usize, codebook: usize, blocks: i32, width: i32, rowBytes: usize,
): f32 {
  let sum: f32 = 0;
  for (let b = 0; b < blocks; b++) {
    const word = <usize>load<u8>(code + <usize>b) << 2;
    for (let t = 0; t < width; t++) {
      const at = <usize>(b * width + t) << 2;
      const decoded = load<f32>(codebook + (<usize>(b * width + t) << 6) + word);
      const e = load<f32>(residual + at) - decoded;
      const ct: f32 = at < rowBytes ? load<f32>(c + at) : 0;
      sum += (e * e - decoded * decoded) * 0.5 - ct * decoded;
    }
  }
  return sum;
}

/**
 * Order the copies of leaves: with a = ⟨r, c⟩/|c| and s = √((|r|² − a²)/(d − 1)) by a + 1.5 s descending, and write the
 * largest a and s of a group of 32 and all after it to bounds[quad][a×4, s×4]; quad of a leaf's first group: leafQuads.
 * keys: u64 for every copy. Work items: leaves.
 */
export function orderLeaves(begin: i32, end: i32, slot: i32, call: OrderLeaves): void {
  const rows = call.rows, d = call.d, copyRow = call.copyRow, centroids = call.centroids;
  const leafBegin = call.leafBegin, order = call.order, leafQuads = call.leafQuads, bounds = call.bounds;
  const keys = call.keys;
  const rowBytes = <usize>d << 2;
  const spread: f32 = d > 1 ? 1 / <f32>(d - 1) : 1;
  for (let leaf = begin; leaf < end; leaf++) {
    const first = load<i32>(leafBegin + (<usize>leaf << 2)), last = load<i32>(leafBegin + (<usize>leaf << 2), 4);
    const c = centroids + <usize>leaf * rowBytes;
    for (let i = first; i < last; i++) {
      const copy = load<i32>(order + (<usize>i << 2));
      projections(rowAt(rows, rowBytes, copyRow, copy), c, rowBytes, spread);
      store<u64>(keys + (<usize>i << 3), keyOf(projectedAlong + ACROSS_WEIGHT * projectedAcross, copy));
    }
    sortKeys(keys, first, last - 1);
    let along: f32 = -Infinity, across: f32 = 0;
    const quads = bounds + (<usize>load<i32>(leafQuads + (<usize>leaf << 2)) << 5);
    for (let i = last - 1; i >= first; i--) {
      const copy = rowOf(load<u64>(keys + (<usize>i << 3)));
      store<i32>(order + (<usize>i << 2), copy);
      projections(rowAt(rows, rowBytes, copyRow, copy), c, rowBytes, spread);
      along = max(along, projectedAlong);
      across = max(across, projectedAcross);
      const group = (i - first) >> 5;
      const at = quads + (<usize>(group >> 2) << 5) + (<usize>(group & 3) << 2);
      store<f32>(at, along);
      store<f32>(at, across, 16);
    }
  }
}

// @ts-ignore: decorator
@inline function rowAt(rows: usize, rowBytes: usize, copyRow: usize, copy: i32): usize {
  return rows + <usize>(copyRow != 0 ? load<i32>(copyRow + (<usize>copy << 2)) : copy) * rowBytes;
}

let projectedAlong: f32 = 0;
let projectedAcross: f32 = 0;

/** Compute a and s of a row and a centroid into the two variables above. */
function projections(x: usize, c: usize, rowBytes: usize, spread: f32): void {
  let dot: f32 = 0, square: f32 = 0, norm: f32 = 0;
  for (let t: usize = 0; t < rowBytes; t += 4) {
    const ct = load<f32>(c + t);
    const r = load<f32>(x + t) - ct;
    dot += r * ct;
    square += r * r;
    norm += ct * ct;
  }
  const along: f32 = norm > 0 ? dot / sqrt(norm) : 0;
  projectedAlong = along;
  projectedAcross = sqrt(max<f32>(0, square - along * along) * spread);
}

/**
 * Pack groups of 32: codes into nibbles (lut16.ts has the order), row numbers, bits of points that exist.
 * groupLeaf[g] is the leaf of group g; leafGroups its first group. correctionCodes: [copies, corrections] bytes.
 * Work items: groups.
 */
export function packGroups(begin: i32, end: i32, slot: i32, call: PackGroups): void {
  const groupLeaf = call.groupLeaf, leafGroups = call.leafGroups, leafBegin = call.leafBegin, order = call.order;
  const copyRow = call.copyRow, codes = call.codes, blocks = call.blocks, correctionCodes = call.correctionCodes;
  const corrections = call.corrections, packed = call.packed, rowOfSlot = call.rowOfSlot, valid = call.valid;
  const all = blocks + corrections;
  for (let group = begin; group < end; group++) {
    const leaf = <usize>load<i32>(groupLeaf + (<usize>group << 2)) << 2;
    const first = load<i32>(leafBegin + leaf) + ((group - load<i32>(leafGroups + leaf)) << 5);
    const count = min(32, load<i32>(leafBegin + leaf, 4) - first);
    const to = packed + ((<usize>group * <usize>all) << 4);
    memory.fill(to, 0, <usize>all << 4);
    for (let i = 0; i < count; i++) {
      const copy = load<i32>(order + (<usize>(first + i) << 2));
      const row = copyRow != 0 ? load<i32>(copyRow + (<usize>copy << 2)) : copy;
      store<i32>(rowOfSlot + (<usize>((group << 5) + i) << 2), row);
      packPoint(
        to, i, codes + <usize>copy * <usize>blocks, blocks, correctionCodes + <usize>copy * <usize>corrections, corrections,
      );
    }
    for (let i = count; i < 32; i++) store<i32>(rowOfSlot + (<usize>((group << 5) + i) << 2), -1);
    store<i32>(valid + (<usize>group << 2), count == 32 ? -1 : (1 << count) - 1);
  }
}

/** Write the codes of point i of a group into its nibbles, which must be 0 before. */
export function packPoint(
  group: usize, i: i32, codes: usize, blocks: i32, correctionCodes: usize, corrections: i32,
): void {
  const lane = i & 15;
  const at = group + <usize>(((lane & 7) << 1) | (lane >> 3));
  const shift = i < 16 ? 0 : 4;
  for (let b = 0; b < blocks; b++) {
    const to = at + (<usize>b << 4);
    store<u8>(to, load<u8>(to) | (load<u8>(codes + <usize>b) << <u8>shift));
  }
  for (let b = 0; b < corrections; b++) {
    const to = at + (<usize>(blocks + b) << 4);
    store<u8>(to, load<u8>(to) | (load<u8>(correctionCodes + <usize>b) << <u8>shift));
  }
}
