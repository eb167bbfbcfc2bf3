/**
 * Products of row-major float32 matrices: A · B and Aᵀ · B, on the threads of a runtime, each of which has its scratch.
 *
 * A product is given by offsets, so that parts of matrices can be multiplied. Its bits are the same on any number of
 * threads and on every variant of the kernels. Letters: A [m, n], d columns of B and C.
 */
import { productScratchBytes } from '../kernels/families/multiply.ts';
import { MULTIPLY_KERNELS } from '../kernels/multiply-kernels.ts';
import { Scratch } from '../memory/scratch.ts';
import type { Runtime } from '../parallel/runtime.ts';

/** The most rows of C that a thread claims at a time: one block of the kernel. */
const GRAIN_ROWS = 256;

/** The operands of a product; a, b and c are byte offsets. */
export interface Product {
  /** [m, n]; `aStride` floats lie between two rows. */
  readonly a: number;
  readonly aStride: number;
  readonly m: number;
  readonly n: number;
  /** [n, d] for A · B, [m, d] for Aᵀ · B; d is a multiple of 4. */
  readonly b: number;
  readonly d: number;
  /** [m, d] for A · B, [n, d] for Aᵀ · B. */
  readonly c: number;
}

/** A product with the scratch memory that its kernel needs. */
export interface ProductCall extends Product {
  readonly scratch: number;
  readonly scratchStride: number;
}

const scratches = new WeakMap<Runtime, Scratch>();

/** C = A · B, n > 0. */
export function multiplyRows(runtime: Runtime, product: Product): void {
  const pool = runtime.load(MULTIPLY_KERNELS);
  pool.run('multiplyRows', product.m, rowGrain(product.m, runtime), productCall(runtime, product));
}

/** C += Aᵀ · B, m > 0. The rows of A are readable up to the next multiple of 4 columns. */
export function multiplyTransposed(runtime: Runtime, product: Product): void {
  const grain = rowGrain(product.n, runtime) / 4;
  const pool = runtime.load(MULTIPLY_KERNELS);
  pool.run('multiplyTransposed', Math.ceil(product.n / 4), grain, productCall(runtime, product));
}

/** Rows of C that a thread claims at a time, a multiple of 4. */
export function rowGrain(rows: number, { pool }: Runtime): number {
  return Math.min(GRAIN_ROWS, 4 * Math.ceil(rows / (4 * pool.threads)));
}

/** The record of a product, valid until the next call. */
export function productCall(runtime: Runtime, product: Product): ProductCall {
  const scratch = scratches.get(runtime) ?? new Scratch(runtime.heap);
  scratches.set(runtime, scratch);
  const scratchStride = productScratchBytes(product.d);
  const { offset } = scratch.reserve(scratchStride * runtime.pool.threads);
  return { ...product, scratch: offset, scratchStride };
}
