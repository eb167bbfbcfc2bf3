/**
 * What a query may not return: the identifiers that it excludes, and what its user has seen.
 *
 * The stages of a query: retrieve → exclude → rules → k. Candidates are excluded inside the scan, before any rule sees them,
 * so that k results come back while k candidates are left.
 */
import type { Identifier, SeenItems } from 'shortlist';
import { userKey } from 'shortlist/recommenders';
import { invalidArgument } from '../status/serving-error.ts';
import type { Query } from './contract.ts';
import { heldIdentifier, isUnicode } from './identifiers.ts';

/**
 * The text that identifies the user of a request.
 *
 * @throws {ServingError} INVALID_ARGUMENT when the user is empty, no Unicode, or a number that may be rounded
 */
export function checkUser(user: Identifier): string {
  if (typeof user === 'number' && !Number.isSafeInteger(user)) {
    throw invalidArgument(`user: expected text or an integer, one beyond 2^53 as text, got the number ${user}`);
  }
  const key = userKey(user);
  if (key === '') throw invalidArgument('user: expected the identifier of a user, got empty text');
  if (!isUnicode(key)) throw invalidArgument(`user: expected Unicode text, got ${JSON.stringify(key)}`);
  return key;
}

/** The user of a query: the one that it names, else the one that its features name. */
export function userOf(seenItems: SeenItems<Identifier>, { user, features }: Query): string | undefined {
  return user ?? seenItems.userOf(features);
}

/**
 * Check that a query that asks for it names the user whose seen items are left out.
 *
 * @throws {ServingError} INVALID_ARGUMENT when it names none
 */
export function checkExcludeSeen(seenItems: SeenItems<Identifier>, query: Query): void {
  if (query.excludeSeen !== true || query.history || userOf(seenItems, query) !== undefined) return;
  throw invalidArgument('excludeSeen: expected a query that names its user, or user beside it, got neither');
}

/**
 * The excluded identifiers of a query, those that results are similar to among them, as the index holds them; those that no
 * candidate can have are left out.
 */
export function excludedOf(seenItems: SeenItems<Identifier>, query: Query): Identifier[] {
  const { exclude = [], excludeSeen = seenItems.excludeSeen, similarTo } = query;
  const asked = similarTo === undefined || similarTo instanceof Float32Array ? [] : similarTo;
  const held = [...exclude, ...asked].flatMap((identifier) => asHeld(identifier, seenItems));
  if (!excludeSeen) return held;
  const user = userOf(seenItems, query);
  // Who has chosen an item has seen it.
  const chosen = (query.history ?? []).flatMap((item) => asHeld(item, seenItems));
  return [...held, ...chosen, ...(user === undefined ? [] : seenItems.itemsOf(user))];
}

const asHeld = (identifier: Identifier, { itemType }: SeenItems<Identifier>): Identifier | [] =>
  heldIdentifier(itemType, identifier) ?? [];
