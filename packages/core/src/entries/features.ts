/**
 * Features (`shortlist/features`): the spec of raw values, learning it from data in one pass, and encoding values into the
 * columns that towers embed. Re-exports only.
 */

// features
export { checkFeatureSpecs } from '../features/check-spec.ts';
export type {
  BagColumn,
  EncodeContext,
  Feature,
  FeatureColumn,
  FloatColumn,
  IdColumn,
  Vocabulary,
} from '../features/contract.ts';
export {
  type EncodeOptions,
  FeatureSet,
  loadFeatureSets,
  type RawColumns,
  type RawRow,
  saveFeatureSets,
} from '../features/feature-set.ts';
export { FeatureLearner, type LearnFeaturesOptions, learnFeatures } from '../features/learn-features.ts';
export type { RawRowOf } from '../features/raw-row.ts';
export type {
  AttentionOptions,
  CategoricalFeatureSpec,
  Combiner,
  FeatureSpec,
  FeatureSpecs,
  ListFeatureSpec,
  NumberFeatureSpec,
  RawValue,
  TextFeatureSpec,
  TimeFeatureSpec,
  VectorFeatureSpec,
} from '../features/spec.ts';
export { isUnknownValue } from '../features/unknown-values.ts';
