/**
 * Histories that queries are made of: of users whom the model does not know, or where the bundle says so of everybody.
 *
 * | query | asked with |
 * |---|---|
 * | history alone | the history; refused where the model knows none of its items |
 * | features | the features; where the bundle says so (`seenAsHistory`) what their user has seen, if the model knows any of it |
 * | features and history | the same, with the history in the place of what the user has seen |
 */
import { historyVectors, type Identifier, type SeenItems } from 'shortlist';
import { splitHistory } from 'shortlist/recommenders';
import { invalidArgument } from '../status/serving-error.ts';
import type { HistoryUse, Query } from './contract.ts';
import { userOf } from './exclusions.ts';
import { heldIdentifier } from './identifiers.ts';
import type { QueryTower, ServedIndex } from './index-parts.ts';
import { featureName, unknownFeatures } from './unknown-features.ts';

/** The histories of queries of one index. */
export class Histories {
  readonly #index: ServedIndex;
  readonly #tower: QueryTower | undefined;
  readonly #seenItems: SeenItems<Identifier>;

  constructor(index: ServedIndex, tower: QueryTower | undefined, seenItems: SeenItems<Identifier>) {
    this.#index = index;
    this.#tower = tower;
    this.#seenItems = seenItems;
  }

  /**
   * The history of a query, and whether the query is made of it; undefined where there is none.
   *
   * @throws {ServingError} INVALID_ARGUMENT when there is nothing else, and the model knows none of its items
   */
  of(query: Query): HistoryUse | undefined {
    const { history, features } = query;
    if (history === undefined) return features === undefined ? undefined : this.#seen(query);
    const held: Identifier[] = [];
    const never: Identifier[] = [];
    for (const item of new Set(history)) {
      const identifier = heldIdentifier(this.#seenItems.itemType, item);
      if (identifier === undefined) never.push(item);
      else held.push(identifier);
    }
    const { known, unknown } = splitHistory(this.#index, held);
    if (features === undefined && known.length === 0) {
      throw invalidArgument(`history: expected an item that the model knows, got none among ${history.length}`);
    }
    const isWanted = features === undefined || this.#seenItems.seenAsHistory === 'always' || !this.#isKnown(query);
    return { isUsed: isWanted && known.length > 0, known, unknown: [...unknown, ...never] };
  }

  /** The query embedding of a history: [dimensions]. */
  vectorOf({ known }: HistoryUse): Float32Array {
    const { vectors } = historyVectors(this.#index, [known]);
    const vector = vectors.data.slice();
    vectors.free();
    return vector;
  }

  /** What the user of a query has seen, where the query is made of it. */
  #seen(query: Query): HistoryUse | undefined {
    const { seenAsHistory, pairCount } = this.#seenItems;
    if (seenAsHistory === 'never' || pairCount === 0) return undefined;
    const user = userOf(this.#seenItems, query);
    if (user === undefined) return undefined;
    const items = this.#seenItems.historyOf(user, this.#isKnown(query));
    if (items.length === 0) return undefined;
    const { known, unknown } = splitHistory(this.#index, items);
    return known.length === 0 ? undefined : { isUsed: true, known, unknown };
  }

  /** Whether the model knows the user of a query: the value of its feature, or all values where none names the user. */
  #isKnown({ features }: Query): boolean {
    if (features === undefined || !this.#tower) return false;
    const unknown = unknownFeatures(this.#tower, features);
    const { userFeature } = this.#seenItems;
    return unknown === undefined || (userFeature !== undefined && !unknown.includes(featureName(userFeature)));
  }
}
