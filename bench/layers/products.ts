/**
 * The product of two square matrices on one core, in GFLOP/s: ours with and without fused terms, beside NumPy's. Times
 * are of the CPU, not of the clock, since a product of milliseconds is often interrupted on a machine that others use. A round
 * is the fastest of some products.
 */
import { Matrix, Runtime } from 'shortlist';
import { multiplyRows, multiplyRowsFused } from 'shortlist/layers';
import { interleaveSides, type Measured } from '../harness/interleave.ts';

const ROUNDS = 15;
const PRODUCTS = 20;

/** The figures of one size. */
export interface ProductFigures {
  readonly variant: string;
  readonly exact: Measured;
  readonly fused: Measured;
  readonly peer: Measured | null;
  /** The largest difference of an element from the product in float64. */
  readonly exactError: number;
  readonly fusedError: number;
}

/** Measure products of [size, size]; `peer` gives the GFLOP/s of a round of its own. */
export async function measureProducts(size: number, peer: (() => Promise<number>) | null): Promise<ProductFigures> {
  const runtime = new Runtime({ threads: 1 });
  const [a, b, c] = [new Matrix(size, size, runtime), new Matrix(size, size, runtime), new Matrix(size, size, runtime)];
  for (const [seed, { data }] of [a, b].entries()) data.forEach((_, i) => (data[i] = Math.sin(1.7 * i + seed)));
  const operands = { a: a.offset, aStride: size, m: size, n: size, b: b.offset, d: size, c: c.offset };
  const expected = inDoubles(a.data, b.data, size);
  const round = (multiply: typeof multiplyRows) => (): number => {
    let fastest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < PRODUCTS; i++) {
      const start = process.cpuUsage();
      multiply(runtime, operands);
      const { user, system } = process.cpuUsage(start);
      fastest = Math.min(fastest, user + system);
    }
    return (2 * size ** 3) / 1e3 / fastest;
  };
  const errorOf = (multiply: typeof multiplyRows): number => {
    multiply(runtime, operands);
    return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - c.data[i]!)), 0);
  };
  const [exactError, fusedError] = [errorOf(multiplyRows), errorOf(multiplyRowsFused)];
  const sides = [round(multiplyRows), round(multiplyRowsFused), ...(peer ? [peer] : [])];
  const [exact, fused, theirs = null] = await interleaveSides(sides, ROUNDS);
  return { variant: runtime.variant, exact: exact!, fused: fused!, peer: theirs, exactError, fusedError };
}

function inDoubles(a: Float32Array, b: Float32Array, size: number): Float64Array {
  const product = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const value = a[i * size + k]!;
      for (let j = 0; j < size; j++) product[i * size + j]! += value * b[k * size + j]!;
    }
  }
  return product;
}
