/**
 * The known name that a misspelt one most likely means, for messages that refuse it.
 *
 * Distance: Levenshtein's, letters to insert, delete or replace, without regard to case. Limit: names are compared by
 * their first 64 letters, for they come from outside.
 */

const LETTERS_MAX = 64;
/** Known names that a message lists; of more it lists these and how many there are. */
const LISTED_MAX = 20;

/** The known name that takes the fewest edits to reach; undefined when that would be more than half of the name. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let fewest = Math.max(2, name.length >> 1) + 1;
  for (const other of known) {
    const edits = editDistance(name.toLowerCase(), other.toLowerCase());
    if (edits < fewest) [nearest, fewest] = [other, edits];
  }
  return nearest;
}

/** ", did you mean 'genre'? Known: 'genre', 'year'"; `none` where nothing is known. */
export function suggestion(name: string, known: readonly string[], none: string): string {
  if (known.length === 0) return `, ${none}`;
  const nearest = nearestName(name, known);
  const listed = known.slice(0, LISTED_MAX).map((other) => `'${other}'`);
  if (known.length > LISTED_MAX) listed.push(`… (${known.length} in all)`);
  return `${nearest === undefined ? '' : `, did you mean '${nearest}'?`}${nearest === undefined ? ', known:' : ' Known:'} ${listed.join(', ')}`;
}

function editDistance(left: string, right: string): number {
  const [from, to] = [left.slice(0, LETTERS_MAX), right.slice(0, LETTERS_MAX)];
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
