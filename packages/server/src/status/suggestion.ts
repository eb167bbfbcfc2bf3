/** What a message that refuses a name adds to help: the name that was meant, and those that there are. */
import { nearestName } from 'shortlist/options';

/** Known names that a message lists; of more it lists these and how many there are. */
const LISTED_MAX = 20;

/** ", did you mean 'genre'? Known: 'genre', 'year'"; `none` where nothing is known. */
export function suggestion(name: string, known: readonly string[], none: string): string {
  if (known.length === 0) return `, ${none}`;
  const listed = known.slice(0, LISTED_MAX).map((other) => `'${other}'`);
  if (known.length > LISTED_MAX) listed.push(`… (${known.length} in all)`);
  const nearest = nearestName(name, known);
  const names = listed.join(', ');
  return nearest === undefined ? `, known: ${names}` : `, did you mean '${nearest}'? Known: ${names}`;
}
