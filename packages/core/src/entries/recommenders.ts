/**
 * Recommenders of identifiers and their data (`shortlist/recommenders`): implicit ALS, the baselines, columns of
 * interactions, and splits. Re-exports only.
 */

export type { AlsModel } from '../als/als-fit.ts';
export { type AlsOptions, fitAls } from '../als/fit-als.ts';
export { FoldIn, type FoldInParts, type UserOrHistory } from '../als/fold-in.ts';
// als
export type { AlsObjective } from '../als/solver.ts';
// data
export { distinctPairs } from '../data/distinct-pairs.ts';
export { type DictionaryColumn, dictionaryColumn, takeInteractions } from '../data/interactions.ts';
export { type CodeLists, itemsByUser, listOf, transposeLists } from '../data/items-by-user.ts';
export {
  type InteractionSplit,
  type LeaveLastOutOptions,
  leaveLastOut,
  splitByTime,
  type TimeCut,
} from '../data/split.ts';
// recipes
export type { FeatureModelData, RawFeatures } from '../recipes/feature-model.ts';
export {
  checkFeatureModelSpec,
  type FeatureModelSpec,
  HISTORY_FIELD,
  ITEM_FIELD,
  type TowerSpec,
  USER_FIELD,
} from '../recipes/feature-model-spec.ts';
export type { ItemHistory } from '../recipes/history-model.ts';
export { type FittedHistoryTower, fitHistoryTower, type HistoryTowerOptions } from '../recipes/history-tower.ts';
export { type FittedModel, MODEL_KINDS, type ModelKind, type Settings, type Trial } from '../recipes/trial.ts';
export type { EarlierModel, EarlierTower } from '../recipes/warm-start.ts';
// recommenders
export { type BaselineFit, baselineFits, baselines } from '../recommenders/baselines.ts';
export type { Recommender } from '../recommenders/contract.ts';
export { EASE_ITEMS_MAX, Ease, type EaseOptions } from '../recommenders/ease.ts';
export { ItemKnn, type ItemKnnOptions } from '../recommenders/item-knn.ts';
export { Popularity, type PopularityOptions } from '../recommenders/popularity.ts';
export { ThroughIndex, type ThroughIndexOptions } from '../recommenders/through-index.ts';
// seen
export { type SplitHistory, splitHistory } from '../seen/history-vectors.ts';
export { userKey } from '../seen/seen-items-options.ts';
