/**
 * Candidates that a query must not return: the identifiers that it excludes, and the items that its user has seen.
 *
 * The stages of a query are: retrieve → exclude → rules → k. Candidates are excluded during the scan, before rules are
 * applied, so that a query gets k results as long as k candidates are left.
 */
import type { Identifier, SeenItems } from 'shortlist';
import { userKey } from 'shortlist/recommenders';
import { joinedLists } from 'shortlist/topk';
import { invalidArgument } from '../status/serving-error.ts';
import type { Query } from './contract.ts';
import { heldIdentifier, isUnicode } from './identifiers.ts';

/**
 * The text that identifies the user of a request.
 *
 * @throws {ServingError} INVALID_ARGUMENT when the user is empty, not well-formed Unicode, or a number that may have
 * been rounded
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

/** The user of a query: the one in its field `user`, else the one in its features. */
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
  throw invalidArgument('excludeSeen: expected a query that names its user, or the field user, got neither');
}

/**
 * All identifiers that a query excludes, including those of `similarTo`, in the type that the index holds. Identifiers
 * that no candidate can have are left out.
 */
export function excludedOf(seenItems: SeenItems<Identifier>, query: Query): readonly Identifier[] {
  const { exclude = [], excludeSeen = seenItems.excludeSeen, similarTo } = query;
  const asked = similarTo === undefined || similarTo instanceof Float32Array ? [] : similarTo;
  const held = [...exclude, ...asked].flatMap((identifier) => asHeld(identifier, seenItems));
  if (!excludeSeen) return held;
  const user = userOf(seenItems, query);
  // A user has seen the items of the user's own history.
  const chosen = (query.history ?? []).flatMap((item) => asHeld(item, seenItems));
  return joinedLists(held, chosen, ...(user === undefined ? [] : seenItems.exclusions([user])));
}

const asHeld = (identifier: Identifier, { itemType }: SeenItems<Identifier>): Identifier | [] =>
  heldIdentifier(itemType, identifier) ?? [];
