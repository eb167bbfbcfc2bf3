/** Hints for errors about unknown names of columns: the nearest name, or a list of the known names. */
import { nearestName } from 'shortlist/options';

/** The most names that a hint lists. */
const LISTED_MAX = 20;

/** A hint: `did you mean …?`, or the known names. */
export function suggestion(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  if (nearest !== undefined) return `did you mean ${JSON.stringify(nearest)}?`;
  const listed = names.slice(0, LISTED_MAX).map((other) => JSON.stringify(other));
  return `known names are ${listed.join(', ')}${names.length > listed.length ? ', …' : ''}`;
}
