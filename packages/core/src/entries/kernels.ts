/** The readable reference of every kernel (`shortlist/kernels`). Re-exports only. */

// kernels
export { referenceKernels } from '../kernels/reference/index.ts';
