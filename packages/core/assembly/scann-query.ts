// Transforms a query in the same way as the coded rows: takes the first d dimensions, subtracts the mean if there is one,
// then rotates if there is a rotation. Letters: d dimensions, stride: d rounded up to 4. Readable form: src/kernels/reference/scann.ts.
import { ScannIndex } from './records.generated';

/**
 * Returns the offset of the transformed query: `to`, which has room for it twice, or its old offset when no transform is needed.
 * Zeros follow up to a whole number of blocks, since codes are looked up a block at a time.
 */
export function transformQuery(index: ScannIndex, query: usize, to: usize): usize {
  const mean = index.mean, rotation = index.rotation;
  const d = index.dimensions, stride = index.codedStride;
  const whole = max(stride, index.productBlocks * index.blockWidth);
  if (mean == 0 && rotation == 0 && index.isPrefix == 0 && whole == stride) return query;
  const bytes = <usize>d << 2;
  const centred = rotation == 0 ? to : to + (<usize>whole << 2);
  memory.copy(centred, query, bytes);
  if (mean != 0) {
    for (let t: usize = 0; t < bytes; t += 4) {
      store<f32>(centred + t, load<f32>(centred + t) - load<f32>(mean + t));
    }
  }
  if (rotation != 0) rotate(centred, d, rotation, stride, to);
  memory.fill(to + bytes, 0, (<usize>whole << 2) - bytes);
  return to;
}

/** to[s] = Σ_t from[t] · rotation[t][s], rows of the rotation `stride` floats apart. */
function rotate(from: usize, d: i32, rotation: usize, stride: i32, to: usize): void {
  const row = <usize>stride << 2;
  const last = from + (<usize>d << 2);
  let s: usize = 0;
  for (; s + 64 <= row; s += 64) {
    let v0 = f32x4.splat(0), v1 = v0, v2 = v0, v3 = v0;
    let at = rotation + s;
    for (let t = from; t < last; t += 4) {
      const q = v128.load_splat<f32>(t);
      v0 = f32x4.add(v0, f32x4.mul(q, v128.load(at)));
      v1 = f32x4.add(v1, f32x4.mul(q, v128.load(at, 16)));
      v2 = f32x4.add(v2, f32x4.mul(q, v128.load(at, 32)));
      v3 = f32x4.add(v3, f32x4.mul(q, v128.load(at, 48)));
      at += row;
    }
    v128.store(to + s, v0);
    v128.store(to + s, v1, 16);
    v128.store(to + s, v2, 32);
    v128.store(to + s, v3, 48);
  }
  for (; s < row; s += 16) {
    let v = f32x4.splat(0);
    let at = rotation + s;
    for (let t = from; t < last; t += 4) {
      v = f32x4.add(v, f32x4.mul(v128.load_splat<f32>(t), v128.load(at)));
      at += row;
    }
    v128.store(to + s, v);
  }
}
