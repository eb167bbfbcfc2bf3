/** The set of the kernels of models; parallel/model-pool.ts loads it. */
import { PARALLEL_MODEL_KERNELS } from './contract.ts';
import type { KernelSet } from './kernel-set.ts';
import { MODEL_TEXT } from './model-kernels.generated.ts';
import { MODEL_RECORDS } from './records.ts';

/** The kernels of models. */
export const MODEL_KERNELS: KernelSet<(typeof PARALLEL_MODEL_KERNELS)[number]> = {
  text: MODEL_TEXT,
  parallel: PARALLEL_MODEL_KERNELS,
  records: MODEL_RECORDS,
};
