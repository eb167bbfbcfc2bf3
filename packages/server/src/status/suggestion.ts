/** The end of an error message about an unknown name: the nearest known name, or all known names. */
import { nearestName } from 'shortlist/options';

/** Most known names that a message lists; if there are more, it also states their number. */
const LISTED_MAX = 20;

/** ", did you mean 'genre'? Known: 'genre', 'year'"; `none` is used if no name is known. */
export function suggestion(name: string, known: readonly string[], none: string): string {
  if (known.length === 0) return `, ${none}`;
  const listed = known.slice(0, LISTED_MAX).map((other) => `'${other}'`);
  if (known.length > LISTED_MAX) listed.push(`… (${known.length} in all)`);
  const nearest = nearestName(name, known);
  const names = listed.join(', ');
  return nearest === undefined ? `, known: ${names}` : `, did you mean '${nearest}'? Known: ${names}`;
}
