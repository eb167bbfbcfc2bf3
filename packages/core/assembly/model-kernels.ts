// Exports the kernels of models, in the order in which src/kernels/contract.ts lists them.
export {
  hashPointers, gatherPointers, gatherClustered, sumUses, groupUses, readPointers, readLearnedPointers,
} from './pointers';
export { multiplyRowsFused, multiplyTransposedFused } from './multiply-fused';
export { activateRows, activationGradient, copyColumns, dropRows, sumColumns, transposeRows } from './layers';
export { causalAttention, causalAttentionGradient } from './attention';
export { layerNormGradient, layerNormRows } from './layer-norm';
export { softmaxTile } from './softmax';
export { softmaxPairs } from './softmax-pairs';
export {
  adagradRows, rowWiseAdagradRows, adamRows, momentumRows, sgdRows, decayRows, squareRows, clipRows,
} from './optimizers';
export { encodeProduct } from './product';
export { assignListed, nearestListed } from './neighbours';
export { assignGrouped, nearestGroups } from './groups';
export { solveRows } from './als';
export { addSymmetric } from './symmetric';
export { sumRows, normalizeRows, denormalizeRows } from './rows';
