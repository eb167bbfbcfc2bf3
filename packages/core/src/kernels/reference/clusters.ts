/** Readable form of packages/core/assembly/clusters.ts. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { ClustersKernels } from '../families/clusters.ts';

/** The clusters kernels over `memory`. */
export function clustersReference(memory: LinearMemory): ClustersKernels {
  return {
    meanOfMembers(begin, end, _slot, rows, d, clusterBegin, order, centroids) {
      const { floats, integers } = memory;
      for (let c = begin; c < end; c++) {
        const first = integers[clusterBegin / 4 + c]!;
        const last = integers[clusterBegin / 4 + c + 1]!;
        for (let t = 0; t < d && first < last; t++) {
          let sum = 0;
          for (let i = first; i < last; i++) sum += floats[rows / 4 + integers[order / 4 + i]! * d + t]!;
          floats[centroids / 4 + c * d + t] = sum / (last - first);
        }
      }
    },
  };
}
