/**
 * The seen items of each user: each item once, in the order in which they were last seen.
 *
 * Items have a vocabulary of their own, so that one that is no candidate any more, or not yet, is remembered as well. It is
 * ordered by how many users have seen an item, the most first, so that the codes met most often take one byte. What comes
 * after loading is kept beside the packed lists and packed with them when they are saved.
 *
 * Users are identified by text; an integer is the text of its digits, so that 42, 42n and '42' are one user.
 */
import { shown } from '../checks/numbers.ts';
import { BOOLEAN, FUNCTION, type OptionTypes, optionsCheck, optionType, STRING } from '../checks/options.ts';
import { type Interactions, interactionsOf } from '../data/interactions.ts';
import { codeCounts, itemsByUser, listOf } from '../data/items-by-user.ts';
import { IdentifierError } from '../errors/errors.ts';
import type { Part } from '../format/part.ts';
import { type Saved, savedBytes } from '../format/saved.ts';
import { finishAsync } from '../parallel/steps.ts';
import { checkIdentifiers, type Identifier, Identifiers } from '../topk/identifiers.ts';
import { loadIdentifiers, saveIdentifiers } from '../topk/saved-identifiers.ts';
import { PackedLists } from './packed-lists.ts';

/** Whose seen items are the history that a query is made of: nobody's, those of users that the model does not know, or all. */
export type SeenAsHistory = 'never' | 'unknown-users' | 'always';

/** Bytes of a number in a Set of V8, measured: a table of three words an entry, half full on average. */
const CHANGED_PAIR_BYTES = 40;

const SEEN_AS_HISTORY: readonly SeenAsHistory[] = ['never', 'unknown-users', 'always'];
/** The types that identifiers of items may have. */
export type IdentifierType = 'string' | 'number' | 'bigint';
const IDENTIFIER_TYPES: readonly IdentifierType[] = ['string', 'number', 'bigint'];

/** Options by which a server of the bundle uses seen items. */
export interface SeenItemsOptions {
  /** Whether a shortlist leaves out what its user has seen, unless the request says otherwise; default true. */
  excludeSeen?: boolean | undefined;
  /** The feature of a query that names its user; default its only one. */
  userFeature?: string | undefined;
  /** Default 'unknown-users'. */
  seenAsHistory?: SeenAsHistory | undefined;
}

const OPTIONS: OptionTypes<SeenItemsOptions> = {
  excludeSeen: BOOLEAN,
  userFeature: STRING,
  seenAsHistory: optionType(`one of ${SEEN_AS_HISTORY.join(', ')}`, (value) =>
    SEEN_AS_HISTORY.includes(value as never),
  ),
};

/** Options of `SeenItems.empty`. */
export interface EmptySeenItemsOptions extends SeenItemsOptions {
  /** The type of the identifiers of the index; default 'string'. */
  itemType?: IdentifierType | undefined;
}

/** Options of `SeenItems.fromInteractions`. */
export interface SeenInteractionsOptions<I extends Identifier> extends SeenItemsOptions {
  /** The identifier that the index has for an item; default the item itself. */
  identifierOf?: ((item: string) => I) | undefined;
}

const ITEM_TYPE = optionType(`one of ${IDENTIFIER_TYPES.join(', ')}`, (value) =>
  IDENTIFIER_TYPES.includes(value as never),
);
const checkEmpty = optionsCheck<EmptySeenItemsOptions>('SeenItems.empty', { ...OPTIONS, itemType: ITEM_TYPE });
const checkInteractions = optionsCheck<SeenInteractionsOptions<Identifier>>('SeenItems.fromInteractions', {
  ...OPTIONS,
  identifierOf: FUNCTION,
});

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

/** `SeenItemsOptions` with their defaults. */
interface SeenItemsUse {
  excludeSeen: boolean;
  userFeature: string | undefined;
  seenAsHistory: SeenAsHistory;
}

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
  /** The codes of users whose list is no longer the packed one, in order, by row of the user. */
  readonly #changed = new Map<number, Set<number>>();
  #pairs: number;
  /** Pairs of the users in `#changed`. */
  #changedPairs = 0;

  /** From parts, as `load` has them; `fromInteractions` and `empty` make new ones. */
  constructor({ users, items, itemType, lists, pairs, use }: SeenItemsParts<I>) {
    this.excludeSeen = use.excludeSeen;
    this.userFeature = use.userFeature;
    this.seenAsHistory = use.seenAsHistory;
    this.itemType = itemType;
    this.#users = users;
    this.#items = items;
    this.#lists = lists;
    this.#pairs = pairs;
  }

  /** Nobody has seen anything yet. @throws {OptionError} when an option is unknown or of another type */
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
   * The seen items of the users of interactions; each item stands where the user chose it last.
   *
   * @throws {IdentifierError} when `identifierOf` gives identifiers of several types, or one that none can be
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

  /** Items that somebody has seen. */
  get itemCount(): number {
    return this.#items.size;
  }

  /** Pairs of a user and an item that the user has seen. */
  get pairCount(): number {
    return this.#pairs;
  }

  /** Bytes that a bundle needs for it. */
  get sizeBytes(): number {
    return savedBytes(this.save());
  }

  /** Bytes that the lists take in memory: the packed ones, and about 40 a pair of users who have seen more since. */
  get listBytes(): number {
    return this.#lists.sizeBytes + CHANGED_PAIR_BYTES * this.#changedPairs;
  }

  /**
   * The seen items of a user, the last one at the end; empty for an unknown user.
   *
   * @throws {IdentifierError} when the user is neither text nor an integer
   */
  itemsOf(user: Identifier): I[] {
    const row = rowOf(this.#users, userKey(user));
    if (row < 0) return [];
    const codes = this.#changed.get(row) ?? this.#lists.list(row);
    return Array.from(codes, this.#items.of);
  }

  /**
   * The seen items of each of some users, as the option `exclude` of a call takes them: a query for each user.
   *
   * @throws {IdentifierError} when a user is neither text nor an integer
   */
  exclusions(users: readonly Identifier[]): I[][] {
    return users.map((user) => this.itemsOf(user));
  }

  /** Everything that was seen as interactions, of each user in the order in which it was; identifiers become text. */
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

  /** The items that a query of a user is made of instead of the user, as `seenAsHistory` says; none for the user itself. */
  historyOf(user: Identifier, isKnown: boolean): I[] {
    const isMade = this.seenAsHistory === 'always' || (this.seenAsHistory === 'unknown-users' && !isKnown);
    return isMade ? this.itemsOf(user) : [];
  }

  /**
   * The user that raw features name: the features themselves where they are one value, else the value of `userFeature`, or
   * the only value; undefined where they name none.
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
   * Say that a user has seen items, in this order; one that the user has seen before moves to the end. Items need not be
   * candidates. Returns the number of items that the user had not seen.
   *
   * @throws {IdentifierError} when the user is neither text nor an integer, or an item is not of the type of the others; nothing
   * changes then
   */
  add(user: Identifier, items: readonly I[]): number {
    const key = userKey(user);
    checkIdentifiers(items, items.length, this.itemType);
    if (items.length === 0) return 0;
    const codes = this.#changeable(key);
    const before = codes.size;
    for (const item of items) {
      let code = rowOf(this.#items, item);
      if (code < 0) {
        code = this.#items.size;
        this.#items.add(item);
      }
      // A set keeps the order of insertion.
      codes.delete(code);
      codes.add(code);
    }
    const fresh = codes.size - before;
    this.#pairs += fresh;
    this.#changedPairs += fresh;
    return fresh;
  }

  /** Build the tables from identifiers to lists, which the first look-up would wait for, in short steps. */
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
   * The seen items that were saved.
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
    // Checked above: strings.
    return new SeenItems({ users: users as unknown as Identifiers<string>, items, itemType, lists, pairs, use });
  }

  /** The codes of a user, which may be changed. */
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

function useOf({ excludeSeen = true, userFeature, seenAsHistory = 'unknown-users' }: SeenItemsOptions): SeenItemsUse {
  return { excludeSeen, userFeature, seenAsHistory };
}

/** The row of an identifier; -1 for an unknown one. */
function rowOf<I extends Identifier>(identifiers: Identifiers<I>, identifier: I): number {
  let found = -1;
  identifiers.forEachRow(identifier, (row) => {
    if (found < 0) found = row;
  });
  return found;
}

/**
 * The text that identifies a user.
 *
 * @throws {IdentifierError} when the user is neither text nor an integer
 */
export function userKey(user: Identifier): string {
  if (typeof user === 'string' || typeof user === 'bigint') return String(user);
  if (Number.isSafeInteger(user)) return String(user);
  throw new IdentifierError(
    `user: expected text or an integer below 2^53 (a larger one as a bigint), got ${shown(user)}`,
  );
}
