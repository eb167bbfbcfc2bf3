// Sparse optimizer steps on distinct rows: parameters [V, d], rows [n] int32, gradients [n, stride floats].
// Work items: rows of the gradient. Readable forms: src/kernels/reference/optimizers.ts.
import { AdamRows, MomentumRows } from './records.generated';

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
 * Row-wise Adagrad: one accumulator for each row, and one rate for all its numbers (FBGEMM's exact row-wise Adagrad):
 *   a[row] += mean(g²);  p[row] −= rate · g / (sqrt(a[row]) + epsilon);  the mean is summed in float64, in order
 */
export function rowWiseAdagradRows(
  begin: i32, end: i32, slot: i32, parameters: usize, accumulators: usize, rows: usize, gradients: usize, stride: i32,
  d: i32, rate: f32, epsilon: f32,
): void {
  const bytes = <usize>d << 2;
  for (let i = begin; i < end; i++) {
    const row = <usize>load<u32>(rows + (<usize>i << 2));
    const p = parameters + row * bytes;
    const a = accumulators + (row << 2);
    const g = gradients + ((<usize>i * <usize>stride) << 2);
    let square: f64 = 0;
    for (let t: usize = 0; t < bytes; t += 4) square += <f64>load<f32>(g + t) * <f64>load<f32>(g + t);
    const sum = <f32>(<f64>load<f32>(a) + square / <f64>d);
    store<f32>(a, sum);
    const factor = rate / (sqrt<f32>(sum) + epsilon);
    for (let t: usize = 0; t < bytes; t += 4) store<f32>(p + t, load<f32>(p + t) - factor * load<f32>(g + t));
  }
}

/**
 * SGD with momentum, Keras's form: m[row] ← momentum·m[row] − rate·g;  p[row] += m[row], or with Nesterov's
 * look-ahead p[row] += momentum·m[row] − rate·g
 */
export function momentumRows(begin: i32, end: i32, slot: i32, call: MomentumRows): void {
  const parameters = call.parameters, moments = call.moments, rows = call.rows, gradients = call.gradients;
  const stride = call.stride, d = call.d, rate = call.rate, momentum = call.momentum, nesterov = call.nesterov;
  const bytes = <usize>d << 2;
  for (let i = begin; i < end; i++) {
    const row = <usize>load<u32>(rows + (<usize>i << 2)) * bytes;
    const p = parameters + row;
    const m = moments + row;
    const g = gradients + ((<usize>i * <usize>stride) << 2);
    for (let t: usize = 0; t < bytes; t += 4) {
      const step = rate * load<f32>(g + t);
      const moment = momentum * load<f32>(m + t) - step;
      store<f32>(m + t, moment);
      store<f32>(p + t, load<f32>(p + t) + (nesterov ? momentum * moment - step : moment));
    }
  }
}

/**
 * Adam in Keras's form (Kingma and Ba 2015, section 2, "the order of computation"):
 *   m += (g − m)·take1;  v += (g² − v)·take2;  p −= m·α / (√v + epsilon),   α = rate·√(1−β2^t) / (1−β1^t)
 * A row of the state holds m [d], v [d], β1^t, β2^t, t the steps of this row. Items are the named rows (lazy Adam), or
 * with `all` every row: rows[row] is then the number of its gradient, or −1 for `zeros`, [d] zeros.
 */
export function adamRows(begin: i32, end: i32, slot: i32, call: AdamRows): void {
  const parameters = call.parameters, state = call.state, rows = call.rows, gradients = call.gradients;
  const stride = call.stride, d = call.d, rate = call.rate, beta1 = call.beta1, beta2 = call.beta2;
  const epsilon = call.epsilon, take1 = call.take1, take2 = call.take2, all = call.all, zeros = call.zeros;
  const bytes = <usize>d << 2;
  const vectors = bytes & ~15;
  const stateBytes = 2 * bytes + 8;
  const one: f32 = 1;
  const takes1 = f32x4.splat(take1), takes2 = f32x4.splat(take2), epsilons = f32x4.splat(epsilon);
  for (let i = begin; i < end; i++) {
    const named = load<i32>(rows + (<usize>i << 2));
    const row = <usize>(all ? i : named);
    const p = parameters + row * bytes;
    const m = state + row * stateBytes;
    const v = m + bytes;
    const powers = v + bytes;
    const g = all && named < 0 ? zeros : gradients + ((<usize>(all ? named : i) * <usize>stride) << 2);
    const power1 = load<f32>(powers) * beta1;
    const power2 = load<f32>(powers, 4) * beta2;
    store<f32>(powers, power1);
    store<f32>(powers, power2, 4);
    const alpha = rate * sqrt<f32>(one - power2) / (one - power1);
    const alphas = f32x4.splat(alpha);
    let t: usize = 0;
    for (; t < vectors; t += 16) {
      const gradient = v128.load(g + t);
      const mean0 = v128.load(m + t), square0 = v128.load(v + t);
      const mean = f32x4.add(mean0, f32x4.mul(f32x4.sub(gradient, mean0), takes1));
      const square = f32x4.add(square0, f32x4.mul(f32x4.sub(f32x4.mul(gradient, gradient), square0), takes2));
      v128.store(m + t, mean);
      v128.store(v + t, square);
      const move = f32x4.div(f32x4.mul(mean, alphas), f32x4.add(f32x4.sqrt(square), epsilons));
      v128.store(p + t, f32x4.sub(v128.load(p + t), move));
    }
    for (; t < bytes; t += 4) {
      const gradient = load<f32>(g + t);
      const mean0 = load<f32>(m + t), square0 = load<f32>(v + t);
      const mean = mean0 + (gradient - mean0) * take1;
      const square = square0 + (gradient * gradient - square0) * take2;
      store<f32>(m + t, mean);
      store<f32>(v + t, square);
      store<f32>(p + t, load<f32>(p + t) - mean * alpha / (sqrt<f32>(square) + epsilon));
    }
  }
}

/** p[row] −= p[row] · share: decoupled weight decay (Loshchilov and Hutter 2019), before the step as in Keras. */
export function decayRows(
  begin: i32, end: i32, slot: i32, parameters: usize, rows: usize, d: i32, share: f32,
): void {
  const bytes = <usize>d << 2;
  for (let i = begin; i < end; i++) {
    const p = parameters + <usize>load<u32>(rows + (<usize>i << 2)) * bytes;
    for (let t: usize = 0; t < bytes; t += 4) store<f32>(p + t, load<f32>(p + t) - load<f32>(p + t) * share);
  }
}

/** squares[i] = Σ_t gradients[i][t]², t < d, in float64, in order. squares: [n] float64. Work items: rows. */
export function squareRows(
  begin: i32, end: i32, slot: i32, gradients: usize, stride: i32, d: i32, squares: usize,
): void {
  const bytes = <usize>d << 2;
  for (let i = begin; i < end; i++) {
    const g = gradients + ((<usize>i * <usize>stride) << 2);
    let square: f64 = 0;
    for (let t: usize = 0; t < bytes; t += 4) square += <f64>load<f32>(g + t) * <f64>load<f32>(g + t);
    store<f64>(squares + (<usize>i << 3), square);
  }
}

/** out[i][t] = gradients[i][t] · scale, brought into ±limit. out: [n, d]. Work items: rows. */
export function clipRows(
  begin: i32, end: i32, slot: i32, gradients: usize, stride: i32, d: i32, scale: f32, limit: f32, out: usize,
): void {
  const bytes = <usize>d << 2;
  for (let i = begin; i < end; i++) {
    const g = gradients + ((<usize>i * <usize>stride) << 2);
    const to = out + <usize>i * bytes;
    for (let t: usize = 0; t < bytes; t += 4) {
      store<f32>(to + t, min<f32>(max<f32>(load<f32>(g + t) * scale, -limit), limit));
    }
  }
}
