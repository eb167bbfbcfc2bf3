// Sparse optimizer steps on distinct rows: parameters [V, d], rows [n] int32, gradients [n, stride floats].
// Work items: rows of the gradient. Readable forms: src/kernels/reference/optimizers.ts.
import { AdamRows } from './records.generated';

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

/**
 * Adam on the named rows (Kingma and Ba 2015). Other rows keep their moments, as in TensorFlow Addons' LazyAdam.
 * A row of the state holds m [d], v [d], β1^t, β2^t, t the steps of this row:
 *   m ← β1·m + (1−β1)·g;  v ← β2·v + (1−β2)·g²;  p ← p − rate·(m/(1−β1^t) / (√(v/(1−β2^t)) + epsilon) + decay·p)
 */
export function adamRows(begin: i32, end: i32, slot: i32, call: AdamRows): void {
  const parameters = call.parameters, state = call.state, rows = call.rows, gradients = call.gradients;
  const stride = call.stride, d = call.d, rate = call.rate, beta1 = call.beta1, beta2 = call.beta2;
  const epsilon = call.epsilon, decay = call.decay;
  const bytes = <usize>d << 2;
  const vectors = bytes & ~15;
  const stateBytes = 2 * bytes + 8;
  const one: f32 = 1;
  const keep1 = f32x4.splat(beta1), take1 = f32x4.splat(one - beta1);
  const keep2 = f32x4.splat(beta2), take2 = f32x4.splat(one - beta2);
  const rates = f32x4.splat(rate), epsilons = f32x4.splat(epsilon), decays = f32x4.splat(decay);
  for (let i = begin; i < end; i++) {
    const row = <usize>load<u32>(rows + (<usize>i << 2));
    const p = parameters + row * bytes;
    const m = state + row * stateBytes;
    const v = m + bytes;
    const powers = v + bytes;
    const g = gradients + ((<usize>i * <usize>stride) << 2);
    const power1 = load<f32>(powers) * beta1;
    const power2 = load<f32>(powers, 4) * beta2;
    store<f32>(powers, power1);
    store<f32>(powers, power2, 4);
    const correction1 = one - power1, correction2 = one - power2;
    const corrections1 = f32x4.splat(correction1), corrections2 = f32x4.splat(correction2);
    let t: usize = 0;
    for (; t < vectors; t += 16) {
      const gradient = v128.load(g + t);
      const mean = f32x4.add(f32x4.mul(keep1, v128.load(m + t)), f32x4.mul(take1, gradient));
      const square = f32x4.add(f32x4.mul(keep2, v128.load(v + t)), f32x4.mul(take2, f32x4.mul(gradient, gradient)));
      v128.store(m + t, mean);
      v128.store(v + t, square);
      const root = f32x4.add(f32x4.sqrt(f32x4.div(square, corrections2)), epsilons);
      const move = f32x4.add(f32x4.div(f32x4.div(mean, corrections1), root), f32x4.mul(decays, v128.load(p + t)));
      v128.store(p + t, f32x4.sub(v128.load(p + t), f32x4.mul(rates, move)));
    }
    for (; t < bytes; t += 4) {
      const gradient = load<f32>(g + t);
      const mean = beta1 * load<f32>(m + t) + (one - beta1) * gradient;
      const square = beta2 * load<f32>(v + t) + (one - beta2) * (gradient * gradient);
      store<f32>(m + t, mean);
      store<f32>(v + t, square);
      const root = sqrt<f32>(square / correction2) + epsilon;
      const move = mean / correction1 / root + decay * load<f32>(p + t);
      store<f32>(p + t, load<f32>(p + t) - rate * move);
    }
  }
}
