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

/**
 * to[s] = Σ_t from[t] · rotation[t][s], rows of the rotation `stride` floats apart. Four rows are read at a time from their
 * beginning to their end: reading columns, of which each line is in another memory page, takes twice the time from 512
 * dimensions on. Sums are in the order of t.
 */
function rotate(from: usize, d: i32, rotation: usize, stride: i32, to: usize): void {
  const row = <usize>stride << 2;
  const last = from + (<usize>d << 2);
  const end = to + row;
  memory.fill(to, 0, row);
  for (; from + 16 <= last; from += 16) {
    const q0 = v128.load_splat<f32>(from), q1 = v128.load_splat<f32>(from, 4);
    const q2 = v128.load_splat<f32>(from, 8), q3 = v128.load_splat<f32>(from, 12);
    for (let s = to; s < end; s += 16) {
      const at = rotation + row;
      let v = f32x4.add(v128.load(s), f32x4.mul(q0, v128.load(rotation)));
      v = f32x4.add(v, f32x4.mul(q1, v128.load(at)));
      v = f32x4.add(v, f32x4.mul(q2, v128.load(at + row)));
      v = f32x4.add(v, f32x4.mul(q3, v128.load(at + 2 * row)));
      v128.store(s, v);
      rotation += 16;
    }
    rotation += 3 * row;
  }
  for (; from < last; from += 4) {
    const q = v128.load_splat<f32>(from);
    for (let s = to; s < end; s += 16) {
      v128.store(s, f32x4.add(v128.load(s), f32x4.mul(q, v128.load(rotation))));
      rotation += 16;
    }
  }
}
