/** The options of seen items, and the text by which they name users. */
import { shown } from '../checks/numbers.ts';
import {
  BOOLEAN,
  FUNCTION,
  type OptionsCheck,
  type OptionTypes,
  optionsCheck,
  optionType,
  STRING,
} from '../checks/options.ts';
import { IdentifierError } from '../errors/errors.ts';
import type { IdentifierType } from '../topk/identifier-values.ts';
import type { Identifier } from '../topk/identifiers.ts';

export type { IdentifierType } from '../topk/identifier-values.ts';

/** The users whose query is computed from their seen items: none, those that the model does not know, or all. */
export type SeenAsHistory = 'never' | 'unknown-users' | 'always';

/** All of them. */
export const SEEN_AS_HISTORY: readonly SeenAsHistory[] = ['never', 'unknown-users', 'always'];
/** The types that identifiers of items may have. */
const IDENTIFIER_TYPES: readonly IdentifierType[] = ['string', 'number', 'bigint'];

/** Options that tell a server of the bundle how to use seen items. */
export interface SeenItemsOptions {
  /** Exclude the items that a user has seen from the user's results unless the request says otherwise; default true. */
  excludeSeen?: boolean | undefined;
  /** The feature of a query that holds the user; default: the only feature. */
  userFeature?: string | undefined;
  /** Default 'unknown-users'. */
  seenAsHistory?: SeenAsHistory | undefined;
}

const OPTIONS: OptionTypes<SeenItemsOptions> = {
  excludeSeen: BOOLEAN,
  userFeature: STRING,
  seenAsHistory: optionType(`one of ${SEEN_AS_HISTORY.join(', ')}`, (value) =>
    SEEN_AS_HISTORY.some((known) => known === value),
  ),
};

/** Options of `SeenItems.empty`. */
export interface EmptySeenItemsOptions extends SeenItemsOptions {
  /** The type of the identifiers of the index; default 'string'. */
  itemType?: IdentifierType | undefined;
}

/** Options of `SeenItems.fromInteractions`. */
export interface SeenInteractionsOptions<I extends Identifier> extends SeenItemsOptions {
  /** Returns the identifier of an item in the index; default: the item itself. */
  identifierOf?: ((item: string) => I) | undefined;
}

const ITEM_TYPE = optionType(`one of ${IDENTIFIER_TYPES.join(', ')}`, (value) =>
  IDENTIFIER_TYPES.some((known) => known === value),
);
/** The check of the options of `SeenItems.empty`. */
export const checkEmpty: OptionsCheck = optionsCheck<EmptySeenItemsOptions>('SeenItems.empty', {
  ...OPTIONS,
  itemType: ITEM_TYPE,
});
/** The check of the options of `SeenItems.fromInteractions`. */
export const checkInteractions: OptionsCheck = optionsCheck<SeenInteractionsOptions<Identifier>>(
  'SeenItems.fromInteractions',
  {
    ...OPTIONS,
    identifierOf: FUNCTION,
  },
);

/** `SeenItemsOptions` with their defaults. */
export interface SeenItemsUse {
  excludeSeen: boolean;
  userFeature: string | undefined;
  seenAsHistory: SeenAsHistory;
}

/** The options with their defaults. */
export function useOf({
  excludeSeen = true,
  userFeature,
  seenAsHistory = 'unknown-users',
}: SeenItemsOptions): SeenItemsUse {
  return { excludeSeen, userFeature, seenAsHistory };
}

/**
 * The string that identifies a user.
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
