/** The set of the kernel of checksums; format/checksum.ts loads it. */
import { CHECKSUM_TEXT } from './checksum-kernels.generated.ts';
import { PARALLEL_CHECKSUM_KERNELS } from './contract.ts';
import type { KernelSet } from './kernel-set.ts';

/** The kernel of checksums. */
export const CHECKSUM_KERNELS: KernelSet<(typeof PARALLEL_CHECKSUM_KERNELS)[number]> = {
  text: CHECKSUM_TEXT,
  parallel: PARALLEL_CHECKSUM_KERNELS,
  records: [],
};
