/** The baselines that every model is compared with. */
import { checkInteractions, type Interactions } from '../data/interactions.ts';
import { defaultRuntime, type Runtime } from '../parallel/runtime.ts';
import type { Recommender } from './contract.ts';
import { EASE_ITEMS_MAX, Ease } from './ease.ts';
import { ItemKnn } from './item-knn.ts';
import { Popularity } from './popularity.ts';

/** A baseline that `fit` fits when it is called, because some fits take seconds. */
export interface BaselineFit {
  readonly name: string;
  readonly fit: () => Recommender;
}

/** Popularity, recent popularity where there are times, item-kNN, and EASE where there are at most 10,000 items. */
export function baselineFits(interactions: Interactions, runtime: Runtime = defaultRuntime()): BaselineFit[] {
  checkInteractions(interactions);
  const { times, items } = interactions;
  return [
    { name: 'popularity', fit: () => new Popularity(interactions) },
    ...(times ? [{ name: 'recent popularity', fit: () => Popularity.recent(interactions) }] : []),
    { name: 'item-kNN', fit: () => new ItemKnn(interactions) },
    ...(items.vocabulary.length <= EASE_ITEMS_MAX
      ? [{ name: 'EASE', fit: () => new Ease(interactions, { runtime }) }]
      : []),
  ];
}

/** The same baselines, fitted. */
export function baselines(interactions: Interactions, runtime: Runtime = defaultRuntime()): Recommender[] {
  return baselineFits(interactions, runtime).map(({ fit }) => fit());
}
