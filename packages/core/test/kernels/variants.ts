/** Every implementation of the kernels that this Node can run; a variant it cannot run is a listed skip. */

import type { KernelVariant } from '../../src/kernels/contract.ts';
import { referenceKernels } from '../../src/kernels/reference/index.ts';
import { isSupported } from '../../src/kernels/wasm.ts';
import { Runtime } from '../../src/parallel/runtime.ts';

/** A variant with its runtime, or the reason why it is skipped. */
export interface VariantCase {
  variant: KernelVariant;
  runtime: Runtime;
  skip: string | false;
}

const reference: Runtime = new Runtime({ kernels: referenceKernels });

/** The readable kernels: what the others are compared with. */
export const referenceRuntime: Runtime = reference;

/** Reference, SIMD128 and relaxed SIMD. */
export const VARIANTS: readonly VariantCase[] = (['reference', 'simd128', 'relaxed'] as const).map((variant) => {
  const can = variant === 'reference' || isSupported(variant);
  return {
    variant,
    runtime: can && variant !== 'reference' ? new Runtime({ variant, threads: 2 }) : reference,
    skip: can ? false : `Node ${process.versions.node} has no ${variant} WebAssembly`,
  };
});
