/** Gives the pool of a runtime with the kernels of models, which are loaded at the first call. */
import type { ParallelKernelName } from '../kernels/contract.ts';
import { MODEL_KERNELS } from '../kernels/model-kernels.ts';
import type { Pool } from './pool.ts';
import type { Runtime } from './runtime.ts';

/** The pool of a runtime, which then can also run the kernels of models. */
export function modelPool(runtime: Runtime): Pool<ParallelKernelName> {
  runtime.load(MODEL_KERNELS);
  return runtime.pool as Pool<ParallelKernelName>;
}
