/**
 * The model of a history tower: one feature of each tower, the history and the item, with one table of items, and a dense layer
 * after each.
 */
import type { Interactions } from '../data/interactions.ts';
import { FeatureLearner } from '../features/learn-features.ts';
import type { ThroughIndex } from '../recommenders/through-index.ts';
import type { TwoTowerModel } from '../retrieval/model.ts';
import type { BruteForce } from '../topk/brute-force/brute-force.ts';
import { featureIndex, featureRecommender, newFeatureModel, type TowerTraining } from './feature-model.ts';
import { type FeatureModelSpec, HISTORY_FIELD, ITEM_FIELD } from './feature-model-spec.ts';

/** The raw features of a query. */
export type ItemHistory = {
  /** The identifiers of items, the earliest first; items that the model does not know share one vector. */
  readonly history: readonly string[];
};

/** Settings of the tower. */
export interface HistorySettings {
  readonly dimensions: number;
  /** The weight of an item of a history divided by the weight of the next item. */
  readonly recencyDecay: number;
  /** The most items of a history. */
  readonly maxLength: number;
}

/** The spec of the model; a layer of `dimensions` follows each feature (feature-model.ts). */
export function historySpec({ dimensions, recencyDecay, maxLength }: HistorySettings): FeatureModelSpec {
  return {
    queryTower: {
      features: { [HISTORY_FIELD]: { type: 'sequence', table: 'items', dimensions, recencyDecay, maxLength } },
    },
    candidateTower: { features: { [ITEM_FIELD]: { type: 'string', table: 'items' } } },
  };
}

/** A new model; each item of the vocabulary has a row of its own. */
export function newHistoryModel(
  { items }: Interactions,
  settings: HistorySettings,
  training: TowerTraining,
): TwoTowerModel<ItemHistory, string> {
  const spec = historySpec(settings);
  const learner = new FeatureLearner({ ...spec.queryTower.features, ...spec.candidateTower.features });
  learner.add({ [HISTORY_FIELD]: [[]], [ITEM_FIELD]: items.vocabulary });
  return newFeatureModel<ItemHistory, string>(learner.finish(), spec, training);
}

/** An exact index of the items that have at least one interaction. */
export function historyIndex(
  model: Pick<TwoTowerModel<ItemHistory, string>, 'queryTower' | 'candidateTower'>,
  interactions: Interactions,
): BruteForce<ItemHistory, string> {
  return featureIndex(model, interactions, (item) => interactions.items.vocabulary[item]!);
}

/** The index as a recommender for the evaluation. */
export function historyRecommender(
  index: BruteForce<ItemHistory, string>,
  interactions: Interactions,
): ThroughIndex<ItemHistory> {
  return featureRecommender('history tower', index, interactions, (_, history) => ({ history }));
}
