/**
 * The random draws of which synthetic data is made. Only + − × ÷ occur, which IEEE 754 rounds the same way everywhere:
 * a seed gives the same draws on every platform, which exp, log and pow do not promise.
 */
import type { Generator } from '../random/generator.ts';

/** `length` numbers near the standard normal: four uniforms sum to mean 2 and variance 1/3, and √3 makes that 1. */
export function bells(length: number, generator: Generator): Float64Array {
  return Float64Array.from({ length }, () => {
    const sum = generator.uniform() + generator.uniform() + generator.uniform() + generator.uniform();
    return (sum - 2) * 1.7320508075688772;
  });
}

/** (1 + x/16)¹⁶, near exp(x) for small x and growing with x; from −15 down it is 16⁻¹⁶, never 0. */
export function appeal(x: number): number {
  const base = Math.max(1 / 16, 1 + x / 16);
  const fourth = base * base * (base * base);
  return fourth * fourth * (fourth * fourth);
}

/** `count` weights 1 / (rank + offset), all less the one of rank = count so that the tail ends, in random order. */
export function longTail(count: number, offset: number, generator: Generator): Float64Array {
  return Float64Array.from(generator.permutation(count), (rank) => 1 / (rank + offset) - 1 / (count + offset));
}

/**
 * `count` distinct indices, one after the other, each with the probability of its weight among those left.
 *
 * @param weights above 0, at least `count` of them; those drawn are set to 0
 */
export function drawDistinct(weights: Float64Array, count: number, generator: Generator): Int32Array {
  const drawn = new Int32Array(count);
  const cumulative = new Float64Array(weights.length);
  let total = accumulate(weights, cumulative);
  for (let i = 0; i < count; ) {
    const index = firstAbove(cumulative, generator.uniform() * total);
    if (weights[index] === 0) {
      // Drawn before. Summing again only now, not after every draw, changes no probability.
      total = accumulate(weights, cumulative);
      continue;
    }
    weights[index] = 0;
    drawn[i++] = index;
  }
  return drawn;
}

function accumulate(weights: Float64Array, cumulative: Float64Array): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    total += weights[i]!;
    cumulative[i] = total;
  }
  return total;
}

/** The first index whose value is above `bound`; `values` ascend and the last is above. */
function firstAbove(values: Float64Array, bound: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}
