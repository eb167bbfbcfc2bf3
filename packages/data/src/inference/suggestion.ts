/** What a message that refuses the name of a column adds to help: the name that was meant, or those that there are. */
import { nearestName } from 'shortlist';

/** Names that a message lists. */
const LISTED_MAX = 20;

/** `did you mean …?`, or what there is to choose from. */
export function suggestion(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  if (nearest !== undefined) return `did you mean ${JSON.stringify(nearest)}?`;
  const listed = names.slice(0, LISTED_MAX).map((other) => JSON.stringify(other));
  return `there are ${listed.join(', ')}${names.length > listed.length ? ', …' : ''}`;
}
