/**
 * Finds the columns of users, items, values, weights, times and events in a table: by the options of the caller, by their
 * names, or by their content and position. Every decision has a reason, which is printed.
 */
import { DataError, OptionError } from 'shortlist';
import {
  BOOLEAN,
  checkArgument,
  type OptionTypes,
  objectWith,
  optionsCheck,
  optionType,
  STRING,
} from 'shortlist/options';
import { bareName, type ColumnRole, KNOWN_NAMES } from '../tables/known-names.ts';
import type { ColumnProfile } from './column-profile.ts';
import { suggestion } from './suggestion.ts';

/** The reason why a column got its role. */
export type RoleReason = 'by option' | 'by name' | 'by content' | 'by position';

/** A column with a role. */
export interface RoleColumn {
  /** Its position in the table, from 0. */
  readonly column: number;
  readonly name: string;
  readonly reason: RoleReason;
}

/** The columns by role; user and item always exist. */
export interface Roles {
  readonly user: RoleColumn;
  readonly item: RoleColumn;
  readonly value?: RoleColumn | undefined;
  readonly weight?: RoleColumn | undefined;
  readonly time?: RoleColumn | undefined;
  readonly event?: RoleColumn | undefined;
}

/** Options that set columns by name; `none` for a role that no column has. */
export interface RoleOptions {
  readonly userColumn?: string | undefined;
  readonly itemColumn?: string | undefined;
  readonly valueColumn?: string | undefined;
  readonly weightColumn?: string | undefined;
  readonly timeColumn?: string | undefined;
  readonly eventColumn?: string | undefined;
}

/** The types of the options that set columns. */
export const ROLE_OPTIONS: OptionTypes<RoleOptions> = {
  userColumn: STRING,
  itemColumn: STRING,
  valueColumn: STRING,
  weightColumn: STRING,
  timeColumn: STRING,
  eventColumn: STRING,
};
const checkOptions = optionsCheck<RoleOptions>('assignRoles', ROLE_OPTIONS);
const PROFILE = objectWith('a profile', 'name', 'kind');
const PROFILES = optionType(
  'a list of column profiles',
  (value) => Array.isArray(value) && value.every((each) => PROFILE.accepts(each)),
);

const OPTION_OF: Readonly<Record<ColumnRole, keyof RoleOptions>> = {
  user: 'userColumn',
  item: 'itemColumn',
  value: 'valueColumn',
  weight: 'weightColumn',
  time: 'timeColumn',
  event: 'eventColumn',
};
/** The order in which roles choose their columns: users and items first, so that a column named `score` is never an item. */
const ROLES: readonly ColumnRole[] = ['user', 'item', 'time', 'value', 'weight', 'event'];
/** Words that indicate a role within a longer name, as in `anonymous_user_key`. */
const NAME_PARTS: ReadonlyMap<ColumnRole, RegExp> = new Map([
  ['user', /user|customer|visitor|member|reviewer/],
  ['item', /item|movie|product|article|track|song|book|asin/],
  ['time', /timestamp|datetime|date$|time$/],
  ['value', /rating|stars/],
]);
/** The most distinct values of a rating: 0 to 10 in steps of a half are 21. */
const RATING_VALUES_MAX = 25;
const RATING_MAX = 100;
/** The share of times that makes a column one of times. */
const TIME_SHARE = 0.95;

/**
 * Gives the columns their roles.
 *
 * @throws {OptionError} when a named column does not exist, or has two roles
 * @throws {DataError} when there is no column of users or no column of items
 */
export function assignRoles(
  path: string,
  profiles: readonly ColumnProfile[],
  hasNames: boolean,
  options: RoleOptions = {},
): Roles {
  checkArgument('path', path, STRING);
  checkArgument('profiles', profiles, PROFILES);
  checkArgument('hasNames', hasNames, BOOLEAN);
  return rolesOf(path, profiles, hasNames, checkOptions(options));
}

/** `assignRoles` for arguments that were checked. */
export function rolesOf(
  path: string,
  profiles: readonly ColumnProfile[],
  hasNames: boolean,
  options: RoleOptions,
): Roles {
  const found = new Map<ColumnRole, RoleColumn>();
  const isFree = (column: number): boolean => ![...found.values()].some((role) => role.column === column);
  const give = (role: ColumnRole, column: number, reason: RoleReason): void => {
    if (column >= 0) found.set(role, { column, name: profiles[column]!.name, reason });
  };
  const isOff = (role: ColumnRole): boolean => options[OPTION_OF[role]] === 'none';
  for (const role of ROLES) {
    const name = options[OPTION_OF[role]];
    if (name === undefined || isOff(role)) continue;
    const column = namedColumn(path, role, name, profiles);
    if (!isFree(column))
      throw new OptionError(`${OPTION_OF[role]}: expected a column without a role, got ${JSON.stringify(name)}`);
    give(role, column, 'by option');
  }
  const isOpen = (role: ColumnRole): boolean => !found.has(role) && !isOff(role);
  if (hasNames) {
    for (const role of ROLES.filter(isOpen)) give(role, byName(role, profiles, isFree), 'by name');
    for (const role of ROLES.filter(isOpen)) give(role, byPartOfName(role, profiles, isFree), 'by name');
  }
  if (hasNames)
    for (const role of ['value', 'weight'] as const) if (isOpen(role)) refuseCommaNumbers(path, role, profiles);
  if (isOpen('time'))
    give(
      'time',
      lastWhere(profiles, (p, i) => isFree(i) && isTime(p) && !(i < 2 && !hasNames)),
      'by content',
    );
  if (!hasNames && isOpen('value'))
    give(
      'value',
      profiles.findIndex((p, i) => i >= 2 && isFree(i) && isRating(p)),
      'by content',
    );
  for (const role of ['user', 'item'] as const) {
    if (isOpen(role))
      give(
        role,
        profiles.findIndex((p, i) => isFree(i) && isIdentifier(p)),
        'by position',
      );
  }
  return checked(path, found, profiles);
}

function namedColumn(path: string, role: ColumnRole, name: string, profiles: readonly ColumnProfile[]): number {
  const exact = profiles.findIndex((profile) => profile.name === name);
  if (exact >= 0) return exact;
  const names = profiles.map((profile) => profile.name);
  throw new OptionError(
    `${OPTION_OF[role]}: expected a column of ${path}, got ${JSON.stringify(name)}: ${suggestion(name, names)}`,
  );
}

/** The column whose name comes first in the list of names for the role. */
function byName(role: ColumnRole, profiles: readonly ColumnProfile[], isFree: (column: number) => boolean): number {
  const known = KNOWN_NAMES.get(role)!;
  let best = -1;
  let bestRank = known.length;
  profiles.forEach((profile, column) => {
    const rank = known.indexOf(bareName(profile.name));
    if (rank >= 0 && rank < bestRank && isFree(column) && fits(role, profile)) {
      best = column;
      bestRank = rank;
    }
  });
  return best;
}

function byPartOfName(
  role: ColumnRole,
  profiles: readonly ColumnProfile[],
  isFree: (column: number) => boolean,
): number {
  const part = NAME_PARTS.get(role);
  if (part === undefined) return -1;
  return profiles.findIndex((p, column) => isFree(column) && part.test(bareName(p.name)) && fits(role, p));
}

/** Refuse a column whose name has a role of numbers, where a comma may be a decimal sign or group thousands. */
function refuseCommaNumbers(path: string, role: 'value' | 'weight', profiles: readonly ColumnProfile[]): void {
  const profile = profiles.find(
    ({ name, kind, hasCommaNumbers }) =>
      kind === 'text' && hasCommaNumbers && KNOWN_NAMES.get(role)!.includes(bareName(name)),
  );
  if (profile === undefined) return;
  throw new DataError(
    `${path}: ${profile.name}: expected numbers with a decimal point, got numbers with a comma, which is a decimal sign only in ` +
      `text separated by semicolons; ${OPTION_OF[role]} none reads the file without this column`,
  );
}

/**
 * Notes on columns whose name has a role that their content does not fit, such as a `rating` of words: without a word a
 * user would think that they are used.
 */
export function unfitColumns(profiles: readonly ColumnProfile[], roles: Roles, options: RoleOptions): string[] {
  const isFree = (column: number): boolean => !Object.values(roles).some((role) => role?.column === column);
  const notes: string[] = [];
  for (const role of ['time', 'value', 'weight'] as const) {
    if (roles[role] !== undefined || options[OPTION_OF[role]] !== undefined) continue;
    for (const [column, profile] of profiles.entries()) {
      const name = bareName(profile.name);
      const isNamed = KNOWN_NAMES.get(role)!.includes(name) || NAME_PARTS.get(role)?.test(name);
      if (!isNamed || !isFree(column) || fits(role, profile)) continue;
      const expected = role === 'time' ? 'dates, or numbers' : 'numbers';
      notes.push(
        profile.kind === 'empty'
          ? `${profile.name} is not used: it has no values`
          : `${profile.name} is not used as ${role}: fewer than 95 % of its values are ${expected}`,
      );
    }
  }
  return notes;
}

/** True if the content of a column allows the role that its name indicates: a column `time` may hold durations. */
function fits(role: ColumnRole, profile: ColumnProfile): boolean {
  const isNumeric = profile.kind === 'integer' || profile.kind === 'number';
  if (role === 'time') return profile.kind === 'date' || isNumeric;
  if (role === 'value') return isNumeric || profile.kind === 'boolean';
  if (role === 'weight') return isNumeric;
  if (role === 'event') return profile.kind === 'text' || profile.kind === 'integer';
  return profile.kind !== 'empty';
}

function isTime(profile: ColumnProfile): boolean {
  return profile.timeShare >= TIME_SHARE;
}

function isIdentifier({ kind }: ColumnProfile): boolean {
  return kind === 'integer' || kind === 'text';
}

/** True for few distinct numbers in a small range, such as stars or points. */
export function isRating({ kind, distinct, min, max }: ColumnProfile): boolean {
  return (
    (kind === 'integer' || kind === 'number') &&
    distinct <= RATING_VALUES_MAX &&
    min >= -RATING_MAX &&
    max <= RATING_MAX
  );
}

function lastWhere(
  profiles: readonly ColumnProfile[],
  test: (profile: ColumnProfile, column: number) => boolean,
): number {
  for (let column = profiles.length - 1; column >= 0; column--) if (test(profiles[column]!, column)) return column;
  return -1;
}

function checked(path: string, found: ReadonlyMap<ColumnRole, RoleColumn>, profiles: readonly ColumnProfile[]): Roles {
  const { user, item, ...others } = Object.fromEntries(found) as Partial<Record<ColumnRole, RoleColumn>>;
  for (const [role, column] of [
    ['user', user],
    ['item', item],
  ] as const) {
    if (column === undefined) {
      const names = profiles.map(({ name }) => name).join(', ');
      if (profiles.every(({ filled }) => filled === 0)) {
        throw new DataError(`${path}: expected rows, got none that has a value in ${names}`);
      }
      throw new DataError(
        `${path}: expected a column of ${role}s, found none among ${names}; name it with ${OPTION_OF[role]}`,
      );
    }
  }
  return { user: user!, item: item!, ...others };
}
