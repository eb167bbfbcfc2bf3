// Product codes of 16 or 256 codewords per block. Readable form: src/kernels/reference/product.ts.
// Letters: d dimensions, M blocks of w consecutive ones (the last may be smaller), K codewords, e = r − decode(r).
import { keyOf, rowOf, sortKeys } from './keys';
import { changeOf, firstLeast } from './scann-build';
import { EncodeProduct } from './records.generated';

/** The most rounds of coordinate descent, as in ScaNN. */
const ROUNDS_MAX: i32 = 10;

/**
 * codes [n, M] bytes of residuals [n, d] by words [d, K]: row t holds dimension t of the K codewords of its block. With
 * originals = 0 or eta ≤ 1, the code is the nearest codeword of each block, ties to the lower. Otherwise coordinate
 * descent starts there, as in ScaNN's asymmetric hashing (arXiv 1908.10396): in up to ten rounds, each block, in the
 * order of |e_b|² descending, takes the word that lowers eta·|e∥|² + |e⊥|² most among those that do not raise |e∥|,
 * where ∥ means parallel to originals [n, d]. K: a multiple of 16. scratch: 8·M·(K + 1) bytes per slot, not needed for
 * nearest words. Work items: points.
 */
export function encodeProduct(begin: i32, end: i32, slot: i32, call: EncodeProduct): void {
  const residuals = call.residuals, originals = call.originals, d = call.d, words = call.words;
  const codewords = call.codewords, width = call.width, eta = call.eta, codes = call.codes, scratch = call.scratch;
  const scratchStride = call.scratchStride;
  assert((codewords & 15) == 0 && width > 0, 'encodeProduct: codewords, width');
  const rowBytes = <usize>d << 2;
  const wordBytes = <usize>codewords << 2;
  const blocks = (d + width - 1) / width;
  const errors = scratch + <usize>slot * scratchStride;
  const alongs = errors + <usize>blocks * wordBytes;
  const keys = alongs + <usize>blocks * wordBytes;
  for (let point = begin; point < end; point++) {
    const r = residuals + <usize>point * rowBytes;
    const code = codes + <usize>point * <usize>blocks;
    const x = originals + <usize>point * rowBytes;
    let square: f32 = 0;
    if (originals != 0 && eta > 1) {
      for (let t: usize = 0; t < rowBytes; t += 4) square += load<f32>(x + t) * load<f32>(x + t);
    }
    if (square == 0) {
      for (let b = 0; b < blocks; b++) {
        const first = b * width;
        const book = words + <usize>first * wordBytes;
        store<u8>(code + <usize>b, <u8>nearest(r + (<usize>first << 2), min(width, d - first), book, codewords));
      }
      continue;
    }
    let along: f32 = 0;
    for (let b = 0; b < blocks; b++) {
      const first = b * width;
      const at = <usize>first << 2;
      const to = <usize>b * wordBytes;
      const book = words + <usize>first * wordBytes;
      const word = blockErrors(r + at, x + at, min(width, d - first), book, codewords, errors + to, alongs + to);
      store<u8>(code + <usize>b, <u8>word);
      along += load<f32>(alongs + to + (<usize>word << 2));
      store<u64>(keys + (<usize>b << 3), keyOf(load<f32>(errors + to + (<usize>word << 2)), b));
    }
    sortKeys(keys, 0, blocks - 1);
    descend(code, blocks, codewords, errors, alongs, keys, along, eta, 1 / square);
  }
}

/** The nearest of a block's codewords, ties to the lower. */
// @ts-ignore: decorator
@inline function nearest(r: usize, width: i32, book: usize, codewords: i32): i32 {
  const stride = <usize>codewords << 2;
  let best = f32x4.splat(Infinity);
  let word = 0;
  for (let first = 0; first < codewords; first += 16) {
    let d0 = f32x4.splat(0), d1 = d0, d2 = d0, d3 = d0;
    let at = book + (<usize>first << 2);
    for (let t = 0; t < width; t++) {
      const value = v128.load_splat<f32>(r + (<usize>t << 2));
      let e = f32x4.sub(value, v128.load(at)); d0 = f32x4.add(d0, f32x4.mul(e, e));
      e = f32x4.sub(value, v128.load(at, 16)); d1 = f32x4.add(d1, f32x4.mul(e, e));
      e = f32x4.sub(value, v128.load(at, 32)); d2 = f32x4.add(d2, f32x4.mul(e, e));
      e = f32x4.sub(value, v128.load(at, 48)); d3 = f32x4.add(d3, f32x4.mul(e, e));
      at += stride;
    }
    const least = f32x4.pmin(f32x4.pmin(d0, d1), f32x4.pmin(d2, d3));
    if (!v128.any_true(f32x4.lt(least, best))) continue;
    const lane = firstLeast(d0, d1, d2, d3);
    word = first + lane;
    let low = f32x4.pmin(least, i32x4.shuffle(least, least, 2, 3, 0, 1));
    low = f32x4.pmin(low, i32x4.shuffle(low, low, 1, 0, 3, 2));
    best = low;
  }
  return word;
}

/** |e|² and ⟨e, x⟩ of a block for each of its codewords; returns the nearest. */
// @ts-ignore: decorator
@inline function blockErrors(
  r: usize, x: usize, width: i32, book: usize, codewords: i32, errors: usize, alongs: usize,
): i32 {
  const stride = <usize>codewords << 2;
  for (let first: usize = 0; first < stride; first += 16) {
    let error = f32x4.splat(0), along = f32x4.splat(0);
    let at = book + first;
    for (let t: usize = 0; t < <usize>width << 2; t += 4) {
      const e = f32x4.sub(v128.load_splat<f32>(r + t), v128.load(at));
      error = f32x4.add(error, f32x4.mul(e, e));
      along = f32x4.add(along, f32x4.mul(e, v128.load_splat<f32>(x + t)));
      at += stride;
    }
    v128.store(errors + first, error);
    v128.store(alongs + first, along);
  }
  let word = 0;
  let best = v128.load_splat<f32>(errors);
  for (let first = 0; first < codewords; first += 16) {
    const at = errors + (<usize>first << 2);
    const d0 = v128.load(at), d1 = v128.load(at, 16), d2 = v128.load(at, 32), d3 = v128.load(at, 48);
    if (!v128.any_true(f32x4.lt(f32x4.pmin(f32x4.pmin(d0, d1), f32x4.pmin(d2, d3)), best))) continue;
    word = first + firstLeast(d0, d1, d2, d3);
    best = v128.load_splat<f32>(errors + (<usize>word << 2));
  }
  return word;
}

/** Coordinate descent over the blocks in the order of `keys`. */
function descend(
  code: usize, blocks: i32, codewords: i32, errors: usize, alongs: usize, keys: usize, along: f32, eta: f32, inverse: f32,
): void {
  const wordBytes = <usize>codewords << 2;
  const weight = f32x4.splat(eta - 1), over = f32x4.splat(inverse);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let isChanged = false;
    for (let i = 0; i < blocks; i++) {
      const b = <usize>rowOf(load<u64>(keys + (<usize>i << 3)));
      const old = <i32>load<u8>(code + b);
      const e = errors + b * wordBytes, a = alongs + b * wordBytes;
      const rest = along - load<f32>(a + (<usize>old << 2));
      const rests = f32x4.splat(rest), before = f32x4.splat(along * along * inverse), olds = i32x4.splat(old);
      const oldErrors = v128.load_splat<f32>(e + (<usize>old << 2));
      let best = f32x4.splat(0);
      let word = old;
      for (let first = 0; first < codewords; first += 16) {
        const at = <usize>first << 2;
        const c0 = changeOf(first, olds, v128.load(e + at), v128.load(a + at), rests, before, oldErrors, weight, over);
        const c1 = changeOf(first + 4, olds, v128.load(e + at, 16), v128.load(a + at, 16), rests, before, oldErrors, weight, over);
        const c2 = changeOf(first + 8, olds, v128.load(e + at, 32), v128.load(a + at, 32), rests, before, oldErrors, weight, over);
        const c3 = changeOf(first + 12, olds, v128.load(e + at, 48), v128.load(a + at, 48), rests, before, oldErrors, weight, over);
        let least = f32x4.pmin(f32x4.pmin(c0, c1), f32x4.pmin(c2, c3));
        if (!v128.any_true(f32x4.lt(least, best))) continue;
        least = f32x4.pmin(least, i32x4.shuffle(least, least, 2, 3, 0, 1));
        best = f32x4.pmin(least, i32x4.shuffle(least, least, 1, 0, 3, 2));
        word = first + firstLeast(c0, c1, c2, c3);
      }
      if (word == old) continue;
      along = rest + load<f32>(a + (<usize>word << 2));
      store<u8>(code + b, <u8>word);
      isChanged = true;
    }
    if (!isChanged) break;
  }
}
