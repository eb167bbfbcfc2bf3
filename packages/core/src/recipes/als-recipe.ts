/** Implicit ALS as a recipe: the order in which its settings are tried, and how it is fitted for a recommender. */
import { type AlsModel, fitAls } from '../als/fit-als.ts';
import type { FoldIn, UserOrHistory } from '../als/fold-in.ts';
import type { Interactions } from '../data/interactions.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { ThroughIndex } from '../recommenders/through-index.ts';
import { BruteForce } from '../topk/brute-force/brute-force.ts';
import type { Fitted, Settings, Trial } from './trial.ts';
import type { EarlierModel } from './warm-start.ts';

/** After eight iterations recall@20 on Gowalla is within its interval of that after sixteen. */
const ITERATIONS = 8;
/** From data with few items to data with many: the best was 0.3 for 6,169 items and 0.01 for 40,981. */
const UNOBSERVED_WEIGHTS: readonly number[] = [1, 0.3, 0.1, 0.03, 0.01, 0.003];
/** The place in `UNOBSERVED_WEIGHTS` where the search begins; it goes down, or else up, while recall rises. */
const FIRST_WEIGHT = 2;
const REGULARIZATIONS: readonly number[] = [0.01, 0.001];
/** Costs grow with the square and the third power, so that the narrow one is tried first. */
const DIMENSIONS: readonly number[] = [64, 128];
const FIRST = { dimensions: 32, regularization: 0.003, iterations: ITERATIONS } as const;

/** The next settings to try after `tried`, of which each dimension is searched from the best before; none: done. */
export function nextAlsSettings(tried: readonly Trial[]): Settings | undefined {
  const unobservedWeight = nextWeight(tried);
  if (unobservedWeight !== undefined) return { ...FIRST, unobservedWeight };
  const best = tried.reduce((a, b) => (b.recall > a.recall ? b : a)).settings;
  const stages = [
    ...DIMENSIONS.map((dimensions) => ({ dimensions })),
    ...REGULARIZATIONS.map((regularization) => ({ regularization })),
  ];
  // A stage that was tried from an earlier best is not tried again from a later one.
  const open = stages.find(
    (stage) => !tried.some(({ settings }) => Object.entries(stage).every(([name, value]) => settings[name] === value)),
  );
  return open && { ...best, ...open };
}

function nextWeight(tried: readonly Trial[]): number | undefined {
  const recallAt = (place: number): number | undefined =>
    tried.find(({ settings }) => sameSettings(settings, { ...FIRST, unobservedWeight: UNOBSERVED_WEIGHTS[place]! }))
      ?.recall;
  if (recallAt(FIRST_WEIGHT) === undefined) return UNOBSERVED_WEIGHTS[FIRST_WEIGHT];
  for (const step of [1, -1]) {
    let at = FIRST_WEIGHT;
    for (let next = at + step; next >= 0 && next < UNOBSERVED_WEIGHTS.length; next += step) {
      const recall = recallAt(next);
      if (recall === undefined) return UNOBSERVED_WEIGHTS[next];
      if (recall <= recallAt(at)!) break;
      at = next;
    }
    if (at !== FIRST_WEIGHT) return undefined;
  }
  return undefined;
}

/** Whether two settings are the same. */
export function sameSettings(a: Settings, b: Settings): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** What an ALS trial costs beside one of other settings: the products of an iteration. */
export function alsCost({ dimensions = 64 }: Settings, interactions: Interactions): number {
  const rows = interactions.users.vocabulary.length + interactions.items.vocabulary.length;
  return interactions.length * dimensions ** 2 + (rows * dimensions ** 3) / 6;
}

/** How a recipe fits: the same for every kind of model. */
export interface RecipeContext {
  readonly seed: number;
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
  /** The model that this one begins from. */
  readonly from?: EarlierModel | undefined;
}

/** Fit implicit ALS. */
export async function fitAlsRecipe(
  train: Interactions,
  settings: Settings,
  { from, ...context }: RecipeContext,
): Promise<Fitted> {
  const model = await fitAls(train, { ...settings, ...context, from: from?.foldIn });
  const { vocabulary } = train.users;
  const recommender = new ThroughIndex<UserOrHistory>({
    name: 'ALS',
    index: alsIndex(model),
    itemVocabulary: train.items.vocabulary,
    queryOf: (user) => vocabulary[user]!,
  });
  return { model: { kind: 'als', ...model }, recommender, settings };
}

/** An exact index of the items' factors, asked with users and histories. */
export function alsIndex({ queryModel, candidates, identifiers }: AlsModel): BruteForce<UserOrHistory, string> {
  const runtime = (queryModel as FoldIn).parts.itemFactors.runtime;
  return new BruteForce<UserOrHistory, string>({ queryModel, runtime }).index(candidates, identifiers);
}
