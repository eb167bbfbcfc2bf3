/**
 * The known name that is nearest to a misspelt one, for the message that refuses it.
 *
 * The distance is Damerau-Levenshtein: the number of letters to insert, delete, replace, or swap with the next one. Case, spaces and
 * separators do not count, so that `learning_rate` is `learningRate`. Limit: names come from outside and may have any
 * length; they are compared by their first 64 letters.
 */

const LETTERS_MAX = 64;
/** For names of at most this many letters only one edit is allowed: with two edits almost any short name becomes any other. */
const SHORT_NAME = 4;
/** The fewest letters of a name that may be found inside another: shorter names are inside too many others. */
const PART_LETTERS_MIN = 3;

/** The known name that takes the fewest edits to reach; undefined where it would take more than half of the letters. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = bare(name);
  let nearest: string | undefined;
  let fewest = (wanted.length <= SHORT_NAME ? 1 : Math.ceil(wanted.length / 2)) + 1;
  for (const other of known) {
    const edits = editsBetween(wanted, bare(other));
    if (edits < fewest) [nearest, fewest] = [other, edits];
  }
  return nearest;
}

function bare(name: string): string {
  return name
    .slice(0, LETTERS_MAX)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** The number of edits between two names; 1 where one contains the other. */
function editsBetween(from: string, to: string): number {
  const isPart = Math.min(from.length, to.length) >= PART_LETTERS_MIN && (from.includes(to) || to.includes(from));
  if (isPart) return from === to ? 0 : 1;
  let before: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const current = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = previous[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const swapped = isSwap ? before[j - 2]! + 1 : replaced;
      current.push(Math.min(replaced, swapped, previous[j]! + 1, current[j - 1]! + 1));
    }
    before = previous;
    previous = current;
  }
  return previous[to.length]!;
}
