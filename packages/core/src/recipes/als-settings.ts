/**
 * The settings of implicit ALS that a search tries. The first settings follow from the density of the data; the next
 * ones are the neighbours, in the grids, of the best settings so far. docs/decisions/recipes.md describes how the
 * constants were chosen.
 */
import { SHORT_SHARE } from '../als/solver.ts';
import type { Interactions } from '../data/interactions.ts';
import { bestOf, type SearchStart } from './recipe.ts';
import type { Settings, Trial } from './trial.ts';

const GRIDS: Readonly<Record<string, readonly number[]>> = {
  unobservedWeight: [3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001],
  dimensions: [8, 16, 32, 64, 128, 256],
  regularization: [0.03, 0.01, 0.003, 0.001, 0.0003],
};
/** The order in which neighbours are tried: more dimensions first, while there is time for them, then the weight. */
const STEPS: readonly (readonly [name: string, step: number])[] = [
  ['dimensions', 1],
  ['unobservedWeight', 1],
  ['unobservedWeight', -1],
  ['regularization', 1],
  ['regularization', -1],
  ['dimensions', -1],
];
/** The first α is such that α · users · items is about this many times the number of observed pairs. */
const UNOBSERVED_SHARE = 16;
const FIRST_DIMENSIONS = 64;
const FIRST_REGULARIZATION = 0.003;
/** The fewest iterations of a fit, even when the time is over: fewer do not give a usable model. */
export const ITERATIONS_MIN = 4;
/**
 * Multiplications and additions per second of a slow machine, from which a search estimates if one trial and the last
 * fit are within the budget.
 */
const SLOW_PRODUCTS_PER_SECOND = 1e9;

/** Settings that were not tried yet: the first settings, or else the neighbours of the best ones. */
export function alsCandidates(tried: readonly Trial[], start: SearchStart): Settings[] {
  const found = bestOf(tried)?.settings;
  if (!found) return [firstSettings(start)];
  const { iterations: _, ...best } = found;
  const near = STEPS.map(([name, step]) => ({ ...best, [name]: neighbour(name, best[name]!, step) }));
  return near.filter((settings) => !tried.some((trial) => isSameSearch(trial.settings, settings)));
}

/** The next value of the grid; at its end, the value itself. */
function neighbour(name: string, value: number, step: number): number {
  const grid = GRIDS[name]!;
  return grid[grid.indexOf(value) + step] ?? value;
}

/** True if settings agree in the values of the grids; each trial finds iterations and half-life itself. */
function isSameSearch(a: Settings, b: Settings): boolean {
  return Object.keys(GRIDS).every((name) => a[name] === b[name]);
}

function firstSettings({ train, budgetSeconds }: SearchStart): Settings {
  const users = new Set(train.users.codes).size;
  const items = new Set(train.items.codes).size;
  const wanted = (UNOBSERVED_SHARE * train.length) / (users * items);
  const distance = (weight: number): number => Math.abs(Math.log(weight / wanted));
  const unobservedWeight = GRIDS.unobservedWeight!.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  const isTooLong = (dimensions: number): boolean =>
    2 * ITERATIONS_MIN * alsCost({ dimensions }, train) > budgetSeconds * SLOW_PRODUCTS_PER_SECOND;
  const grid = GRIDS.dimensions!.filter((dimensions) => dimensions <= FIRST_DIMENSIONS);
  const dimensions = grid.findLast((dimensions) => !isTooLong(dimensions)) ?? grid[0]!;
  return { dimensions, unobservedWeight, regularization: FIRST_REGULARIZATION };
}

/**
 * Multiplications and additions of an iteration, in which every row solves the smaller of its two systems
 * (als/solver.ts).
 */
export function alsCost({ dimensions: d = FIRST_DIMENSIONS }: Settings, interactions: Interactions): number {
  const { users, items } = interactions;
  let products = (users.vocabulary.length + items.vocabulary.length) * d ** 2;
  for (const { codes, vocabulary } of [users, items]) {
    const lengths = new Int32Array(vocabulary.length);
    for (const code of codes) lengths[code]!++;
    for (const n of lengths) {
      if (n > 0) products += n <= SHORT_SHARE * d ? (n * n * d) / 2 + n ** 3 / 6 + d * d : (n * d * d) / 2 + d ** 3 / 6;
    }
  }
  return products;
}
