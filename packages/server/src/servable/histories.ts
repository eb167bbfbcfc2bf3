/**
 * Query embeddings from histories: for users whom the model does not know or, with `seenAsHistory` set to 'always', for
 * all users.
 *
 * | query | embedding made from |
 * |---|---|
 * | history alone | the history; the query is refused if the model knows none of its items |
 * | user alone | if `seenAsHistory` is 'always', the items that the user has seen; refused if the model knows none of them |
 * | features | the features, those of a history tower always; or, as the bundle's `seenAsHistory` says, the items that the user has seen, if the model knows any |
 * | features and history | as above, with the history instead of the items that the user has seen |
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
  /** True for a tower whose only feature is a list. */
  readonly #readsHistory: boolean;

  constructor(index: ServedIndex, tower: QueryTower | undefined, seenItems: SeenItems<Identifier>) {
    this.#index = index;
    this.#tower = tower;
    this.#seenItems = seenItems;
    const [input, ...more] = tower?.inputs ?? [];
    const type = input?.feature?.spec.type;
    this.#readsHistory = more.length === 0 && (type === 'bag' || type === 'sequence');
  }

  /**
   * The history of a query, and whether the query embedding is made from it; undefined if there is no history.
   *
   * @throws {ServingError} INVALID_ARGUMENT when the query has nothing but a history or a user, and the model knows none of
   * the items
   */
  of(query: Query): HistoryUse | undefined {
    const { history, features, embedding, similarTo, user } = query;
    if (history === undefined) {
      // The features of a history tower are a history.
      if (features !== undefined) return this.#readsHistory ? undefined : this.#seen(query);
      if (embedding !== undefined || similarTo !== undefined || user === undefined) return undefined;
      const seen = this.#seen(query);
      if (seen) return seen;
      throw invalidArgument(
        `user: expected a user who has seen an item that the model knows, got ${JSON.stringify(user)}`,
      );
    }
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

  /** The query embedding that is made from a history: [dimensions]. */
  vectorOf({ known }: HistoryUse): Float32Array {
    const { vectors } = historyVectors(this.#index, [known]);
    const vector = vectors.data.slice();
    vectors.free();
    return vector;
  }

  /** The items that the user of a query has seen, if they serve as the history of the query. */
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

  /**
   * Whether the model knows the user of a query: the value of the user's feature or, if no feature names the user, the
   * values of all features.
   */
  #isKnown({ features }: Query): boolean {
    if (features === undefined || !this.#tower) return false;
    const unknown = unknownFeatures(this.#tower, features);
    const { userFeature } = this.#seenItems;
    return unknown === undefined || (userFeature !== undefined && !unknown.includes(featureName(userFeature)));
  }
}
