/** Vector quantization (`shortlist/quantization`): k-means, product codes, and balanced PCA. Re-exports only. */

// clustering
export { type Assignment, assignNearest } from '../clustering/assign.ts';
export type { Progress } from '../clustering/k-means.ts';
export { type TrainedKMeans, type TrainKMeansOptions, trainKMeans } from '../clustering/train.ts';
// quantization
export {
  type BalancedPca,
  type BalancedPcaOptions,
  rotateRows,
  trainBalancedPca,
} from '../quantization/pca.ts';
export type { ProductCodebook } from '../quantization/product/codebook.ts';
export { decodeProduct } from '../quantization/product/decode.ts';
export { encodeProduct, type ProductEncodingOptions } from '../quantization/product/encode.ts';
export { type ProductTrainingOptions, trainProductCodebook } from '../quantization/product/train.ts';
export type { Rotation, RotationMethod } from '../quantization/rotation.ts';
