/**
 * Gives the pool of a runtime with the kernels of models, of products and of the checksums of files, which are loaded at
 * the first call: together, because threads that have started are replaced when a set is loaded.
 */
import { CHECKSUM_KERNELS } from '../kernels/checksum-kernels.ts';
import type { ParallelKernelName } from '../kernels/contract.ts';
import { MODEL_KERNELS } from '../kernels/model-kernels.ts';
import { MULTIPLY_KERNELS } from '../kernels/multiply-kernels.ts';
import type { Pool } from './pool.ts';
import type { Runtime } from './runtime.ts';

/** The pool of a runtime, which then can also run the kernels of models. */
export function modelPool(runtime: Runtime): Pool<ParallelKernelName> {
  runtime.load(MULTIPLY_KERNELS);
  runtime.load(CHECKSUM_KERNELS);
  return runtime.load(MODEL_KERNELS) as Pool<ParallelKernelName>;
}
