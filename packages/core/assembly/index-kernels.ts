// Exports the kernels of indexes, in the order in which src/kernels/contract.ts lists them.
export { packPanels, scorePanels } from './matmul';
export { findNotFinite } from './checks';
export { resetBuffers, offerPanels, searchPanels, finishBuffers } from './topk';
export { packCoarse, searchCoarse } from './coarse';
export { anisotropicCentroids } from './anisotropic-centroids';
export { meanOfMembers } from './clusters';
export { assignNearest, assignSecond } from './assign';
export { planBatch, searchBatch } from './scann-batch';
export { maskGroups, searchScann, searchSlots } from './scann';
export { chooseScanned, planQuery, reorderChosen, scanChosen } from './scann-phases';
export { storeRows } from './reorder';
export { encodeCopies, orderLeaves, packGroups, packPoint, trainBlocks } from './scann-build';
