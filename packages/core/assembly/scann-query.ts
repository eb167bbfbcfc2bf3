// Transforms a query in the same way as the coded rows: takes the first d dimensions, subtracts the mean if there is one,
// then rotates if there is a rotation. Letters: d dimensions, stride: d rounded up to 4. Readable form: src/kernels/reference/scann.ts.
import { quantizeQuery, scorePanel16 } from './centroids';
import { ScannCall, ScannIndex } from './records.generated';

/**
 * Returns the offset of the transformed query `item`: that of the thread's area, or its old offset when no transform is needed.
 * Zeros follow up to a whole number of blocks, since codes are looked up a block at a time.
 */
export function transformQuery(index: ScannIndex, call: ScannCall, scratch: usize, item: i32): usize {
  const query = call.queries + <usize>item * (<usize>index.stride << 2);
  const to = scratch + call.areaQuery, q16 = scratch + call.areaQuery16;
  const mean = index.mean, rotation = index.rotation;
  const d = index.dimensions, stride = index.codedStride;
  const whole = max(stride, index.productBlocks * index.blockWidth);
  if (mean == 0 && rotation == 0 && index.isPrefix == 0 && whole == stride) return query;
  const bytes = <usize>d << 2;
  memory.copy(to, query, bytes);
  if (mean != 0) {
    for (let t: usize = 0; t < bytes; t += 4) {
      store<f32>(to + t, load<f32>(to + t) - load<f32>(mean + t));
    }
  }
  memory.fill(to + bytes, 0, (<usize>whole << 2) - bytes);
  if (rotation != 0) rotate(index, q16, quantizeQuery(to, d, stride, q16), to);
  return to;
}

/**
 * Rotate a query of int16: to[s] = inverse · Σ_t q16[t] · rotation[t][s], with the columns of the rotation as int16 in the panels of
 * centroids (centroids.ts), which take half the reads of float32.
 */
function rotate(index: ScannIndex, q16: usize, inverse: f32, to: usize): void {
  const pairs = index.pairs;
  const unscale = f32x4.splat(index.rotationUnscale * inverse);
  const bytes = <usize>pairs << 6;
  const panels = <usize>((index.dimensions + 15) >> 4);
  const end = index.rotation + panels * bytes;
  memory.fill(to, 0, panels << 6);
  for (let panel = index.rotation; panel < end; panel += bytes) {
    // The sums are added to these zeros and written in their place.
    scorePanel16(panel, pairs, q16, unscale, to, to);
    to += 64;
  }
}
