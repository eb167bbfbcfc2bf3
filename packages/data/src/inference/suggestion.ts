/** Hints for errors about unknown names of columns or options: the nearest name, or a list of the known names. */
import { OptionError } from 'shortlist';
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

/** Checks the names of options. @throws {OptionError} for an unknown name, with the nearest known one */
export function checkOptionNames(options: object, names: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const expected = nearestName(unknown, names) ?? names.join(', ');
  throw new OptionError(`options: expected ${expected}, got ${JSON.stringify(unknown)}`);
}
