/**
 * Popularity: every user gets the items with the most interactions. It is the baseline that every model should beat.
 *
 *   popularity:         score(item) = Σ weight of the item's rows
 *   recent popularity:  score(item) = Σ weight · 2^(−age / halfLife),  age = time of the last row − time of the row
 */
import { checkPositive } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { checkInteractions, type Interactions } from '../data/interactions.ts';
import type { CodeLists } from '../data/items-by-user.ts';
import { StateError } from '../errors/errors.ts';
import { checkRecommend, type Recommender } from './contract.ts';

/** Seconds of thirty days: long enough for a stable list, short enough to follow a season. */
const HALF_LIFE_SECONDS = 30 * 86_400;

/** Options of `Popularity`. */
export interface PopularityOptions {
  /**
   * The age at which the weight of a row is halved, in the unit of `times`; the last row has age 0. Default: all ages
   * have the same weight.
   */
  halfLife?: number | undefined;
}

const checkOptions = optionsCheck<PopularityOptions>('Popularity', { halfLife: NUMBER });

/** Ranks items by their number of interactions. */
export class Popularity implements Recommender {
  readonly name: string;
  /** [items] */
  readonly scores: Float64Array;
  /** Codes of the items with at least one interaction, best first. */
  readonly ranked: Int32Array;

  /**
   * Count interactions.
   *
   * @throws {StateError} when `halfLife` is given and the interactions have no times
   * @throws {OptionError} when the half life is not above 0
   */
  constructor(interactions: Interactions, options: PopularityOptions = {}) {
    const { items, times, weights, length } = checkInteractions(interactions);
    const { halfLife } = checkOptions(options);
    this.name = halfLife === undefined ? 'popularity' : 'recent popularity';
    if (halfLife !== undefined) checkPositive('halfLife', halfLife);
    if (halfLife !== undefined && !times) {
      throw new StateError('halfLife: expected interactions with times, got none');
    }
    const scores = new Float64Array(items.vocabulary.length);
    const last = times ? times.reduce((latest, time) => Math.max(latest, time), Number.NEGATIVE_INFINITY) : 0;
    for (let row = 0; row < length; row++) {
      const age = halfLife === undefined ? 0 : (last - times![row]!) / halfLife;
      const item = items.codes[row]!;
      scores[item] = scores[item]! + (weights ? weights[row]! : 1) * 2 ** -age;
    }
    this.scores = scores;
    this.ranked = Int32Array.from(scores.keys())
      .filter((item) => scores[item]! > 0)
      .sort((a, b) => scores[b]! - scores[a]! || a - b);
  }

  /** Recent popularity, with a half-life of thirty days; times must be in seconds. */
  static recent(interactions: Interactions, options: PopularityOptions = {}): Popularity {
    const { halfLife = HALF_LIFE_SECONDS } = checkOptions(options);
    return new Popularity(interactions, { halfLife });
  }

  recommend(users: Int32Array, histories: CodeLists, k: number): Int32Array[] {
    checkRecommend(users, histories, k);
    const { starts, codes } = histories;
    const seen = new Uint8Array(this.scores.length);
    return Array.from(users, (user) => {
      const history = codes.subarray(starts[user]!, starts[user + 1]!);
      for (const item of history) seen[item] = 1;
      const found = new Int32Array(Math.min(k, this.ranked.length));
      let count = 0;
      for (let i = 0; i < this.ranked.length && count < k; i++) {
        const item = this.ranked[i]!;
        if (!seen[item]) found[count++] = item;
      }
      for (const item of history) seen[item] = 0;
      return found.subarray(0, count);
    });
  }
}
