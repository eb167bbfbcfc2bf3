/** The layers of towers, and what a program's own layers need (`shortlist/layers`). Re-exports only. */

// layers
export { Branches, type Join } from '../layers/branches.ts';
export { type Layer, type LayerContext, type LayerFactory, padded } from '../layers/contract.ts';
export { type Activation, DenseLayer, type Initializer } from '../layers/dense-layer.ts';
export { Dropout } from '../layers/dropout.ts';
export { multiplyRowsFused, multiplyTransposedFused } from '../layers/fused-multiply.ts';
export { type GradCheck, type GradCheckOptions, gradCheck, type LayerReference } from '../layers/grad-check.ts';
export { L2Normalize } from '../layers/l2-normalize.ts';
export { LayerNorm } from '../layers/layer-norm.ts';
export type {
  BranchesSpec,
  DenseSpec,
  DropoutSpec,
  L2NormalizeSpec,
  LayerNormSpec,
  LayerSpec,
} from '../layers/make-layers.ts';
export { Sequential } from '../layers/sequential.ts';
// vectors
export { multiplyRows, multiplyTransposed, type Product } from '../vectors/multiply.ts';
