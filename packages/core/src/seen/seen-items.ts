/**
 * The seen items of each user: each item once, in the order in which they were last seen.
 *
 * Items have their own vocabulary, so items that are not candidates are stored too. It is ordered by the number of
 * users who have seen an item, descending, so that the most frequent codes take one byte. Items that are added after
 * loading are kept outside the packed lists and packed when they are saved.
 *
 * Users are identified by strings. An integer is converted to the string of its digits, so 42, 42n and '42' are the
 * same user.
 */
import { checkArgument, IDENTIFIERS } from '../checks/arguments.ts';
import { objectWith } from '../checks/options.ts';
import { type Interactions, interactionsOf } from '../data/interactions.ts';
import { codeCounts, itemsByUser, listOf } from '../data/items-by-user.ts';
import type { Part } from '../format/part.ts';
import { type Saved, savedBytes } from '../format/saved.ts';
import { finishAsync } from '../parallel/steps.ts';
import { checkIdentifiers, type Identifier, Identifiers } from '../topk/identifiers.ts';
import { loadIdentifiers, saveIdentifiers } from '../topk/saved-identifiers.ts';
import { LongExclusions } from './long-exclusions.ts';
import { PackedLists } from './packed-lists.ts';
import {
  checkEmpty,
  checkInteractions,
  type EmptySeenItemsOptions,
  type IdentifierType,
  SEEN_AS_HISTORY,
  type SeenAsHistory,
  type SeenInteractionsOptions,
  type SeenItemsUse,
  useOf,
  userKey,
} from './seen-items-options.ts';

/** Measured bytes of a number in a Set of V8: three words per entry, in a table that is half full on average. */
const CHANGED_PAIR_BYTES = 40;

/** The parts of `SeenItems`. */
export interface SeenItemsParts<I extends Identifier> {
  users: Identifiers<string>;
  items: Identifiers<I>;
  itemType: IdentifierType;
  lists: PackedLists;
  /** User–item pairs in the lists. */
  pairs: number;
  use: SeenItemsUse;
}

const PARTS = objectWith('parts of seen items', 'users', 'items', 'itemType', 'lists', 'pairs', 'use');

/** The items that each user has seen. */
export class SeenItems<I extends Identifier = string> {
  readonly excludeSeen: boolean;
  readonly userFeature: string | undefined;
  readonly seenAsHistory: SeenAsHistory;
  /** The type of the identifiers of items. */
  readonly itemType: IdentifierType;
  readonly #users: Identifiers<string>;
  readonly #items: Identifiers<I>;
  readonly #lists: PackedLists;
  /** The codes of users whose list has changed since loading, in order, by row of the user. */
  readonly #changed = new Map<number, Set<number>>();
  readonly #exclusions = new LongExclusions<I>();
  #pairs: number;
  /** Pairs of the users in `#changed`. */
  #changedPairs = 0;

  /** Seen items of given parts; `fromInteractions` and `empty` make new ones. */
  constructor(parts: SeenItemsParts<I>) {
    const { users, items, itemType, lists, pairs, use } = checkArgument('parts', parts, PARTS);
    this.excludeSeen = use.excludeSeen;
    this.userFeature = use.userFeature;
    this.seenAsHistory = use.seenAsHistory;
    this.itemType = itemType;
    this.#users = users;
    this.#items = items;
    this.#lists = lists;
    this.#pairs = pairs;
  }

  /** Seen items without any user. @throws {OptionError} when an option is unknown or of another type */
  static empty<I extends Identifier = string>(options: EmptySeenItemsOptions = {}): SeenItems<I> {
    const { itemType = 'string' } = checkEmpty(options);
    return new SeenItems<I>({
      users: new Identifiers<string>(0, []),
      items: new Identifiers<I>(0, []),
      itemType,
      lists: PackedLists.from([]),
      pairs: 0,
      use: useOf(options),
    });
  }

  /**
   * The seen items of the users of interactions. The place of an item is the last time that the user chose it.
   *
   * @throws {IdentifierError} when `identifierOf` returns identifiers of several types, or a value that cannot be an
   * identifier
   * @throws {OptionError} when an option is unknown or of another type, or the lists take more than 4 GiB
   */
  static fromInteractions<I extends Identifier = string>(
    interactions: Interactions,
    options: SeenInteractionsOptions<I> = {},
  ): SeenItems<I> {
    const { identifierOf = (item: string) => item as I } = checkInteractions(options);
    const byUser = itemsByUser(interactions);
    const counts = codeCounts(byUser);
    const order = [...counts.keys()]
      .filter((code) => counts[code]! > 0)
      .sort((a, b) => counts[b]! - counts[a]! || a - b);
    const codeOf = new Int32Array(counts.length);
    order.forEach((item, code) => {
      codeOf[item] = code;
    });
    const { items, users } = interactions;
    const identifiers = order.map((item) => identifierOf(items.vocabulary[item]!));
    const type = identifiers.length > 0 ? checkIdentifiers(identifiers, identifiers.length) : 'string';
    const rows = Array.from(users.vocabulary.keys()).filter((user) => byUser.starts[user + 1]! > byUser.starts[user]!);
    const lists = rows.map((user) => listOf(byUser, user).map((item) => codeOf[item]!));
    return new SeenItems<I>({
      users: new Identifiers<string>(
        rows.length,
        rows.map((user) => users.vocabulary[user]!),
      ),
      items: new Identifiers<I>(identifiers.length, identifiers),
      itemType: type as IdentifierType,
      lists: PackedLists.from(lists),
      pairs: byUser.codes.length,
      use: useOf(options),
    });
  }

  /** Users who have seen something. */
  get userCount(): number {
    return this.#users.size;
  }

  /** Items that at least one user has seen. */
  get itemCount(): number {
    return this.#items.size;
  }

  /** Pairs of a user and an item that the user has seen. */
  get pairCount(): number {
    return this.#pairs;
  }

  /** Bytes in a bundle. */
  get sizeBytes(): number {
    return savedBytes(this.save());
  }

  /**
   * Bytes of the lists in memory: the packed lists, and about 40 per pair of users whose list has changed since
   * loading.
   */
  get listBytes(): number {
    return this.#lists.sizeBytes + CHANGED_PAIR_BYTES * this.#changedPairs;
  }

  /**
   * The seen items of a user, the latest last; empty for an unknown user.
   *
   * @throws {IdentifierError} when the user is neither text nor an integer
   */
  itemsOf(user: Identifier): I[] {
    const row = rowOf(this.#users, userKey(user));
    return row < 0 ? [] : this.#itemsOfRow(row);
  }

  #itemsOfRow(row: number): I[] {
    return Array.from(this.#changed.get(row) ?? this.#lists.list(row), this.#items.of);
  }

  /**
   * The seen items of some users, for the option `exclude` of a call with one query per user. The items of a list have
   * no particular order. A long list is frozen and is the same object at every call, so that an index can remember its
   * rows.
   *
   * @throws {IdentifierError} when a user is neither text nor an integer
   */
  exclusions(users: readonly Identifier[]): (readonly I[])[] {
    return checkArgument('users', users, IDENTIFIERS).map((user) => {
      const row = rowOf(this.#users, userKey(user));
      return row < 0 ? [] : this.#exclusions.of(row, () => this.#itemsOfRow(row));
    });
  }

  /** The seen items as interactions, those of each user in order; identifiers become strings. */
  toInteractions(): Interactions {
    const rows = { users: new Int32Array(this.#pairs), items: new Int32Array(this.#pairs) };
    let at = 0;
    for (let user = 0; user < this.#users.size; user++) {
      for (const code of this.#changed.get(user) ?? this.#lists.list(user)) {
        rows.users[at] = user;
        rows.items[at++] = code;
      }
    }
    const words = ({ size, of }: { size: number; of: (row: number) => Identifier }): string[] =>
      Array.from({ length: size }, (_, row) => String(of(row)));
    return interactionsOf({
      users: { codes: rows.users, vocabulary: words(this.#users) },
      items: { codes: rows.items, vocabulary: words(this.#items) },
    });
  }

  /**
   * The items from which the query of a user is computed, as `seenAsHistory` says; empty if the query is the user
   * itself.
   */
  historyOf(user: Identifier, isKnown: boolean): I[] {
    const isMade = this.seenAsHistory === 'always' || (this.seenAsHistory === 'unknown-users' && !isKnown);
    return isMade ? this.itemsOf(user) : [];
  }

  /**
   * The user in raw features: the features themselves if they are a string, else the value of `userFeature`, or the
   * only value; undefined where there is none.
   */
  userOf(features: unknown): string | undefined {
    if (typeof features === 'string') return features;
    if (typeof features !== 'object' || features === null || Array.isArray(features)) return undefined;
    const { userFeature } = this;
    const values = Object.values(features);
    // A feature may be called toString.
    const named = userFeature !== undefined && Object.hasOwn(features, userFeature);
    const user: unknown = named
      ? (features as Record<string, unknown>)[userFeature]
      : values.length === 1
        ? values[0]
        : undefined;
    return typeof user === 'string' ? user : undefined;
  }

  /**
   * Add items that a user has seen, in this order. An item that the user has seen before moves to the end. Items need
   * not be candidates. Returns the number of items that the user had not seen before.
   *
   * @throws {IdentifierError} when the user is neither a string nor an integer, or an item is not of type `itemType`;
   * nothing has changed then
   */
  add(user: Identifier, items: readonly I[]): number {
    const key = userKey(user);
    checkIdentifiers(checkArgument('items', items, IDENTIFIERS), items.length, this.itemType);
    if (items.length === 0) return 0;
    const codes = this.#changeable(key);
    const before = codes.size;
    for (const item of items) {
      let code = rowOf(this.#items, item);
      if (code < 0) {
        code = this.#items.size;
        this.#items.add(item);
      }
      // A set keeps the order of insertion, so an item that is inserted again moves to the end.
      codes.delete(code);
      codes.add(code);
    }
    this.#exclusions.add(rowOf(this.#users, key), items);
    const fresh = codes.size - before;
    this.#pairs += fresh;
    this.#changedPairs += fresh;
    return fresh;
  }

  /**
   * Build the tables from identifiers to lists in short steps. Without this call, the first lookup builds them and
   * takes longer.
   */
  async prepare(): Promise<void> {
    await finishAsync(this.#users.preparation());
    await finishAsync(this.#items.preparation());
  }

  /** Users, items and packed lists; the lists of users that did not change are not copied. */
  save(): Saved {
    const { itemType, excludeSeen, userFeature, seenAsHistory } = this;
    const [users, items] = [this.#users, this.#items];
    return {
      kind: 'seen-items',
      settings: {
        users: users.size,
        items: items.size,
        pairs: this.#pairs,
        excludeSeen,
        seenAsHistory,
        ...(userFeature !== undefined && { userFeature }),
      },
      sections: this.#lists.sectionsWith(this.#changed, users.size),
      parts: { users: saveIdentifiers(users, 'string'), items: saveIdentifiers(items, itemType) },
    };
  }

  /**
   * Load saved seen items.
   *
   * @throws {FormatError} when settings and sections do not fit together
   */
  static load(part: Part): SeenItems<Identifier> {
    const { settings } = part;
    const [userCount, itemCount] = [settings.integer('users'), settings.integer('items')];
    const pairs = settings.integer('pairs');
    const users = loadIdentifiers(part.part('users'), userCount);
    const items = loadIdentifiers(part.part('items'), itemCount);
    const [userType, itemType] = [users.columnType, items.columnType];
    if (userType !== 'string') throw part.refusal(`users: expected strings, got ${userType}s`);
    if (!items.values || itemType === undefined)
      throw part.refusal('items: expected a column of identifiers, got none');
    const use = {
      excludeSeen: settings.boolean('excludeSeen'),
      seenAsHistory: settings.oneOf('seenAsHistory', SEEN_AS_HISTORY),
      userFeature: settings.has('userFeature') ? settings.string('userFeature') : undefined,
    };
    const lists = PackedLists.load(part, userCount, pairs, itemCount);
    // The check above has made sure that users are strings.
    return new SeenItems({ users: users as unknown as Identifiers<string>, items, itemType, lists, pairs, use });
  }

  /** The codes of a user as a set that may be changed. */
  #changeable(key: string): Set<number> {
    let row = rowOf(this.#users, key);
    let codes = row < 0 ? undefined : this.#changed.get(row);
    if (codes) return codes;
    codes = new Set(row < 0 ? [] : this.#lists.list(row));
    this.#changedPairs += codes.size;
    if (row < 0) {
      row = this.#users.size;
      this.#users.add(key);
    }
    this.#changed.set(row, codes);
    return codes;
  }
}

/** The row of an identifier; -1 for an unknown one. */
function rowOf<I extends Identifier>(identifiers: Identifiers<I>, identifier: I): number {
  let found = -1;
  identifiers.forEachRow(identifier, (row) => {
    if (found < 0) found = row;
  });
  return found;
}
