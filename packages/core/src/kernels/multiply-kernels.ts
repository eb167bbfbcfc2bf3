/** The set of the kernels of products of matrices; vectors/multiply.ts loads it. */
import { PARALLEL_MULTIPLY_KERNELS } from './contract.ts';
import type { KernelSet } from './kernel-set.ts';
import { MULTIPLY_TEXT } from './multiply-kernels.generated.ts';
import { MULTIPLY_RECORDS } from './records.ts';

/** The kernels of products of matrices. */
export const MULTIPLY_KERNELS: KernelSet<(typeof PARALLEL_MULTIPLY_KERNELS)[number]> = {
  text: MULTIPLY_TEXT,
  parallel: PARALLEL_MULTIPLY_KERNELS,
  records: MULTIPLY_RECORDS,
};
