/** The name that somebody who mistyped most likely meant: by the edits between them (Damerau-Levenshtein, adjacent). */
import { bareName } from '../tables/known-names.ts';

/** Names of this many letters and fewer are guessed at with one edit only. */
const SHORT_NAME = 4;

/** The nearest of some names; undefined where none is near. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const wanted = bareName(name);
  const same = names.find((other) => bareName(other) === wanted);
  if (same !== undefined) return same;
  const edits = wanted.length <= SHORT_NAME ? 1 : Math.ceil(wanted.length / 3);
  let best: string | undefined;
  let bestDistance = edits + 1;
  for (const other of names) {
    const bare = bareName(other);
    const isPart = bare.length > 2 && wanted.length > 2 && (bare.includes(wanted) || wanted.includes(bare));
    const distance = isPart ? Math.min(1, edits) : editsBetween(wanted, bare);
    if (distance < bestDistance) {
      best = other;
      bestDistance = distance;
    }
  }
  return best;
}

/** `, did you mean …?`, or what there is to choose from. */
export function suggestion(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  if (nearest !== undefined) return `did you mean ${JSON.stringify(nearest)}?`;
  const listed = names.slice(0, 20).map((other) => JSON.stringify(other));
  return `there are ${listed.join(', ')}${names.length > listed.length ? ', …' : ''}`;
}

/** Insertions, deletions, replacements and swaps of neighbours that make one of the other. */
export function editsBetween(a: string, b: string): number {
  // A file may have names of any length; beyond this nobody mistyped.
  if (a.length > 64 || b.length > 64) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let edits = Math.min(previous[j]! + 1, current[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) edits = Math.min(edits, before[j - 2]! + 1);
      current.push(edits);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}
