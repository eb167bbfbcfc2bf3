/** The table of readable kernels. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { KernelTable } from '../contract.ts';
import { alsReference } from './als.ts';
import { anisotropicCentroidsReference } from './anisotropic-centroids.ts';
import { assignReference } from './assign.ts';
import { attentionReference } from './attention.ts';
import { checksReference } from './checks.ts';
import { checksumReference } from './checksum.ts';
import { clustersReference } from './clusters.ts';
import { coarseReference } from './coarse.ts';
import { groupsReference } from './groups.ts';
import { layersReference } from './layers.ts';
import { matmulReference } from './matmul.ts';
import { multiplyReference } from './multiply.ts';
import { neighboursReference } from './neighbours.ts';
import { optimizersReference } from './optimizers.ts';
import { pointersReference } from './pointers.ts';
import { productReference } from './product.ts';
import { rowsReference } from './rows.ts';
import { scannReference } from './scann.ts';
import { scannBuildReference } from './scann-build.ts';
import { softmaxReference } from './softmax.ts';
import { symmetricReference } from './symmetric.ts';
import { topkReference } from './topk.ts';

/** Every kernel as a readable function over `memory`. */
export function referenceKernels(memory: LinearMemory): KernelTable {
  return {
    ...matmulReference(memory),
    ...multiplyReference(memory),
    ...layersReference(memory),
    ...attentionReference(memory),
    ...checksumReference(memory),
    ...checksReference(memory),
    ...topkReference(memory),
    ...coarseReference(memory),
    ...pointersReference(memory),
    ...softmaxReference(memory),
    ...optimizersReference(memory),
    ...anisotropicCentroidsReference(memory),
    ...assignReference(memory),
    ...clustersReference(memory),
    ...scannReference(memory),
    ...scannBuildReference(memory),
    ...productReference(memory),
    ...groupsReference(memory),
    ...neighboursReference(memory),
    ...alsReference(memory),
    ...symmetricReference(memory),
    ...rowsReference(memory),
  };
}
