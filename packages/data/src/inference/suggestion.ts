/** Help in messages that refuse a name: the name of a column, or of an option, that was meant, or those that there are. */
import { OptionError } from 'shortlist';
import { nearestName } from 'shortlist/options';

/** Names that a message lists. */
const LISTED_MAX = 20;

/** `did you mean …?`, or what there is to choose from. */
export function suggestion(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  if (nearest !== undefined) return `did you mean ${JSON.stringify(nearest)}?`;
  const listed = names.slice(0, LISTED_MAX).map((other) => JSON.stringify(other));
  return `there are ${listed.join(', ')}${names.length > listed.length ? ', …' : ''}`;
}

/** @throws {OptionError} when options have a name that is not among these; it tells the nearest */
export function checkOptionNames(options: object, names: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const expected = nearestName(unknown, names) ?? names.join(', ');
  throw new OptionError(`options: expected ${expected}, got ${JSON.stringify(unknown)}`);
}
