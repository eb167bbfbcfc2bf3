// Exports all kernels, in the order in which src/kernels/contract.ts lists them.
export { packPanels, scorePanels, multiplyRows, multiplyTransposed } from './matmul';
export { hashChunks } from './checksum';
export { findNotFinite } from './checks';
export { resetBuffers, offerPanels, searchPanels, finishBuffers } from './topk';
export {
  hashPointers, gatherPointers, gatherClustered, sumUses, groupUses, readPointers, readLearnedPointers,
} from './pointers';
export { softmaxTile } from './softmax';
export { softmaxPairs } from './softmax-pairs';
export { adagradRows, adamRows, sgdRows } from './optimizers';
export { packCoarse, searchCoarse } from './coarse';
export { anisotropicCentroids } from './anisotropic-centroids';
export { meanOfMembers } from './clusters';
export { assignNearest, assignNearest16, assignSecond } from './assign';
export { maskGroups, searchScann, searchSlots } from './scann';
export { storeRows } from './reorder';
export { encodeCopies, orderLeaves, packGroups, packPoint, trainBlocks } from './scann-build';
export { encodeProduct } from './product';
export { solveRows } from './als';
export { addSymmetric } from './symmetric';
