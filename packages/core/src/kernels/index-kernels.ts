/** The set of the kernels of indexes; every runtime loads it. */
import { PARALLEL_INDEX_KERNELS } from './contract.ts';
import { INDEX_TEXT } from './index-kernels.generated.ts';
import type { KernelSet } from './kernel-set.ts';
import { INDEX_RECORDS } from './records.ts';

/** The kernels of indexes. */
export const INDEX_KERNELS: KernelSet = {
  text: INDEX_TEXT,
  parallel: PARALLEL_INDEX_KERNELS,
  records: INDEX_RECORDS,
};
