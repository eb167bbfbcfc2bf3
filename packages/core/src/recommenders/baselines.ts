/** The baselines that every model is compared with. */
import type { Interactions } from '../data/interactions.ts';
import { defaultRuntime, type Runtime } from '../parallel/runtime.ts';
import type { Recommender } from './contract.ts';
import { EASE_ITEMS_MAX, Ease } from './ease.ts';
import { ItemKnn } from './item-knn.ts';
import { Popularity } from './popularity.ts';

/** Popularity, recent popularity where there are times, item-kNN, and EASE where there are at most 10,000 items. */
export function baselines(interactions: Interactions, runtime: Runtime = defaultRuntime()): Recommender[] {
  const { times, items } = interactions;
  return [
    new Popularity(interactions),
    ...(times ? [Popularity.recent(interactions)] : []),
    new ItemKnn(interactions),
    ...(items.vocabulary.length <= EASE_ITEMS_MAX ? [new Ease(interactions, { runtime })] : []),
  ];
}
