// Centroids as means of their members. Readable form: src/kernels/reference/clusters.ts.

/**
 * centroids[c] = mean of the rows order[i], i in [clusterBegin[c], clusterBegin[c + 1]), summed in float64 in that order; an
 * empty cluster keeps its centroid. scratch: 8·(d + 1) bytes per slot. Work items: clusters.
 */
export function meanOfMembers(
  begin: i32, end: i32, slot: i32, rows: usize, d: i32, clusterBegin: usize, order: usize, centroids: usize, scratch: usize,
): void {
  const bytes = <usize>d << 2;
  const sums = scratch + <usize>slot * <usize>(d + 1) * 8;
  const even = <usize>(d & ~1) << 2;
  for (let c = begin; c < end; c++) {
    const first = load<i32>(clusterBegin + (<usize>c << 2)), last = load<i32>(clusterBegin + (<usize>c << 2), 4);
    if (first == last) continue;
    memory.fill(sums, 0, bytes << 1);
    for (let i = first; i < last; i++) {
      const x = rows + <usize>load<i32>(order + (<usize>i << 2)) * bytes;
      for (let t: usize = 0; t < even; t += 8) {
        const to = sums + (t << 1);
        v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(v128.load_zero<f64>(x + t))));
      }
      if (even < bytes) {
        const to = sums + (even << 1);
        store<f64>(to, load<f64>(to) + <f64>load<f32>(x + even));
      }
    }
    const to = centroids + <usize>c * bytes;
    const count = <f64>(last - first);
    for (let t: usize = 0; t < bytes; t += 4) store<f32>(to + t, <f32>(load<f64>(sums + (t << 1)) / count));
  }
}
