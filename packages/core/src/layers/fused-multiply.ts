/**
 * The products of vectors/multiply.ts for the layers of models. They may use fused multiply-adds, which do not round a
 * term before they add it. With relaxed SIMD they are a fifth faster, and their last bits differ from those without it
 * (docs/decisions/fused-products.md); on one kind of machine they have the same bits on any number of threads.
 */
import { modelPool } from '../parallel/model-pool.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { type Product, productCall, rowGrain } from '../vectors/multiply.ts';

/** C = A · B, n > 0. */
export function multiplyRowsFused(runtime: Runtime, product: Product): void {
  const grain = rowGrain(product.m, runtime);
  modelPool(runtime).run('multiplyRowsFused', product.m, grain, productCall(runtime, product));
}

/** C += Aᵀ · B. The rows of A are readable up to the next multiple of 4 columns. */
export function multiplyTransposedFused(runtime: Runtime, product: Product): void {
  if (product.m === 0) return;
  const grain = rowGrain(product.n, runtime) / 4;
  const groups = Math.ceil(product.n / 4);
  modelPool(runtime).run('multiplyTransposedFused', groups, grain, productCall(runtime, product));
}
