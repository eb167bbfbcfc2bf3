/**
 * The recipe of implicit ALS. A trial evaluates the model between iterations, so it finds the number of iterations and
 * the half-life of recency within one fit.
 */
import { AlsFit, type AlsModel } from '../als/als-fit.ts';
import { objectiveOf } from '../als/fit-als.ts';
import { checkWidth } from '../als/warm-start.ts';
import type { Interactions } from '../data/interactions.ts';
import { bootstrapDifference, meanOf } from '../metrics/bootstrap.ts';
import { ThroughIndex } from '../recommenders/through-index.ts';
import { BruteForce } from '../topk/brute-force/brute-force.ts';
import { alsCandidates, alsCost, ITERATIONS_MIN } from './als-settings.ts';
import type { Recipe, RecipeContext } from './recipe.ts';
import type { Fitted, Settings, TrialEvaluation } from './trial.ts';
import type { Validation } from './validation.ts';
import type { EarlierModel } from './warm-start.ts';

/** Iterations after which a trial is evaluated; the trial ends when recall no longer rises. */
const EVALUATED_ITERATIONS: readonly number[] = [4, 8, 16];
/**
 * Half-lives that are tried: 0 gives all items the same weight; the smaller the others, the more the last items count.
 */
const HALF_LIVES: readonly number[] = [0, 32, 16, 8, 4, 2, 1, 0.5];

/** Implicit ALS. Settings with a number of iterations are evaluated as given, without a search for the half-life. */
export const alsRecipe: Recipe = { candidates: alsCandidates, cost: alsCost, evaluate, fit };

async function evaluate(validation: Validation, settings: Settings, context: RecipeContext): Promise<TrialEvaluation> {
  const { train } = validation.split;
  const als = startFit(train, settings, context);
  let best: { perUser: Float64Array; iterations: number } | undefined;
  let recencyHalfLife = settings.recencyHalfLife ?? 0;
  const evaluatedAfter = settings.iterations ? [settings.iterations] : EVALUATED_ITERATIONS;
  let isCut = false;
  try {
    for (let iterations = 1; iterations <= evaluatedAfter.at(-1)! && !isCut; iterations++) {
      await als.iterate(context.signal);
      isCut = iterations >= ITERATIONS_MIN && iterations < evaluatedAfter.at(-1)! && context.isOver();
      if (!isCut && !evaluatedAfter.includes(iterations)) continue;
      let perUser: Float64Array;
      if (best || settings.iterations) perUser = evaluateHalfLife(als, validation, recencyHalfLife);
      else ({ perUser, recencyHalfLife } = climbHalfLives(als, validation, recencyHalfLife, context));
      if (best && meanOf(perUser) <= meanOf(best.perUser)) break;
      best = { perUser, iterations };
    }
  } finally {
    als.free();
  }
  const { perUser, iterations } = best!;
  return { settings: { ...settings, iterations, recencyHalfLife }, perUser, isCut };
}

async function fit(
  train: Interactions,
  settings: Settings,
  context: RecipeContext,
  from?: EarlierModel,
): Promise<Fitted> {
  const { iterations = EVALUATED_ITERATIONS[1]! } = settings;
  const als = startFit(train, settings, context, from);
  try {
    let done = 0;
    do {
      await als.iterate(context.signal);
      done++;
    } while (done < iterations && (done < ITERATIONS_MIN || !context.isOver()));
    const model = await als.model(context.signal);
    const { vocabulary } = train.users;
    const recommender = new ThroughIndex<string>({
      name: 'ALS',
      index: alsIndex(model),
      itemVocabulary: train.items.vocabulary,
      queryOf: (user) => vocabulary[user]!,
    });
    const isCut = done < iterations;
    return {
      model: { kind: 'als', ...model },
      recommender,
      queryOf: (user) => vocabulary[user]!,
      settings: { ...settings, iterations: done },
      isCut,
    };
  } finally {
    als.free();
  }
}

function startFit(train: Interactions, settings: Settings, context: RecipeContext, from?: EarlierModel): AlsFit {
  const { seed, runtime } = context;
  const dimensions = settings.dimensions!;
  const earlier = from?.foldIn;
  if (earlier) checkWidth(earlier, dimensions);
  return new AlsFit(train, { dimensions, objective: objectiveOf(settings), seed, from: earlier, runtime });
}

/** Go from a half-life to its neighbours while recall rises. A half-life of 0 is replaced only for a significant gain. */
function climbHalfLives(
  als: AlsFit,
  validation: Validation,
  first: number,
  { seed, isOver }: RecipeContext,
): { recencyHalfLife: number; perUser: Float64Array } {
  let best = { recencyHalfLife: first, perUser: evaluateHalfLife(als, validation, first) };
  let place = HALF_LIVES.findLastIndex((halfLife) => halfLife === 0 || halfLife >= first);
  if (first === 0) place = 0;
  for (const step of [1, -1]) {
    for (let next = place + step; next >= 0 && next < HALF_LIVES.length && !isOver(); next += step) {
      const recencyHalfLife = HALF_LIVES[next]!;
      const perUser = evaluateHalfLife(als, validation, recencyHalfLife);
      const { mean, low } = bootstrapDifference(perUser, best.perUser, { seed });
      if (!(mean > 0) || (best.recencyHalfLife === 0 && !(low > 0))) break;
      best = { recencyHalfLife, perUser };
      place = next;
    }
    if (best.recencyHalfLife !== first) break;
  }
  return best;
}

/**
 * [users] recall@k of the present factors. Users are folded in from their histories, which gives the same vectors as
 * their rows.
 */
function evaluateHalfLife(als: AlsFit, validation: Validation, recencyHalfLife: number): Float64Array {
  const { vocabulary } = validation.split.train.items;
  const items = als.knownItems();
  const queryModel = als.foldIn(recencyHalfLife);
  const candidates = als.factorsOf(items);
  const { runtime } = candidates;
  const index = new BruteForce<readonly string[], string>({ queryModel, runtime });
  index.index(
    candidates,
    Array.from(items, (item) => vocabulary[item]!),
  );
  candidates.free();
  return validation.evaluate(
    new ThroughIndex<readonly string[]>({
      name: 'ALS',
      index,
      itemVocabulary: vocabulary,
      queryOf: (_, history) => Array.from(history, (item) => vocabulary[item]!),
    }),
  );
}

/** An exact index of the items' factors, queried by users; its `queryModel` also takes histories. */
export function alsIndex({ queryModel, candidates, identifiers }: AlsModel): BruteForce<string, string> {
  const { runtime } = queryModel.parts.itemFactors;
  return new BruteForce<string, string>({ queryModel, runtime }).index(candidates, identifiers);
}
