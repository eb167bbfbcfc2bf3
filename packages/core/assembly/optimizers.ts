// Sparse optimizer steps on distinct rows: parameters [V, d], rows [n] int32, gradients [n, stride floats].
// Work items: rows of the gradient. Readable forms: src/kernels/reference/optimizers.ts.

/** a[row] += g²;  p[row] −= rate · g / sqrt(a[row] + epsilon)   (Keras 3 Adagrad; Duchi, Hazan, Singer 2011) */
export function adagradRows(
  begin: i32, end: i32, slot: i32, parameters: usize, accumulators: usize, rows: usize, gradients: usize, stride: i32,
  d: i32, rate: f32, epsilon: f32,
): void {
  const bytes = <usize>d << 2;
  const vectors = bytes & ~15;
  const rates = f32x4.splat(rate), epsilons = f32x4.splat(epsilon);
  for (let i = begin; i < end; i++) {
    const row = <usize>load<u32>(rows + (<usize>i << 2)) * bytes;
    const p = parameters + row;
    const a = accumulators + row;
    const g = gradients + ((<usize>i * <usize>stride) << 2);
    let t: usize = 0;
    for (; t < vectors; t += 16) {
      const gradient = v128.load(g + t);
      const sum = f32x4.add(v128.load(a + t), f32x4.mul(gradient, gradient));
      v128.store(a + t, sum);
      const step = f32x4.div(f32x4.mul(rates, gradient), f32x4.sqrt(f32x4.add(sum, epsilons)));
      v128.store(p + t, f32x4.sub(v128.load(p + t), step));
    }
    for (; t < bytes; t += 4) {
      const gradient = load<f32>(g + t);
      const sum = load<f32>(a + t) + gradient * gradient;
      store<f32>(a + t, sum);
      store<f32>(p + t, load<f32>(p + t) - rate * gradient / sqrt<f32>(sum + epsilon));
    }
  }
}

/** p[row] −= rate · g */
export function sgdRows(
  begin: i32, end: i32, slot: i32, parameters: usize, rows: usize, gradients: usize, stride: i32, d: i32, rate: f32,
): void {
  const bytes = <usize>d << 2;
  for (let i = begin; i < end; i++) {
    const p = parameters + <usize>load<u32>(rows + (<usize>i << 2)) * bytes;
    const g = gradients + ((<usize>i * <usize>stride) << 2);
    for (let t: usize = 0; t < bytes; t += 4) store<f32>(p + t, load<f32>(p + t) - rate * load<f32>(g + t));
  }
}
