/**
 * Parses times into seconds since 1970-01-01 UTC. A time is a number of seconds, milliseconds, microseconds or nanoseconds,
 * which are distinguished by their size, or a date as text with or without a time zone. Text without a zone is read as UTC,
 * so that a file has the same meaning on every machine.
 */
import { type Cell, numberOf } from './cell.ts';

/** The notation of a time. */
export type TimeUnit =
  | 'seconds'
  | 'milliseconds'
  | 'microseconds'
  | 'nanoseconds'
  | 'text with a zone'
  | 'text'
  | 'date';

/**
 * Numbers below this are seconds, numbers below a thousand times this are milliseconds, and so on. 1e11 seconds are in the
 * year 5138, and 1e11 milliseconds in March 1973, so that times between 1973 and 5138 are unambiguous.
 */
export const SECONDS_BELOW = 1e11;
/** The year 1980. In a column that is not named as a time, smaller numbers are not taken for times. */
export const EARLIEST_SECONDS = 315_532_800;
/** Units, and the factors that convert them to seconds. */
const UNITS: readonly (readonly [TimeUnit, number])[] = [
  ['seconds', 1],
  ['milliseconds', 1e3],
  ['microseconds', 1e6],
  ['nanoseconds', 1e9],
];

/** The unit of a number, by its size. */
function unitOf(value: number): readonly [TimeUnit, number] {
  const size = Math.abs(value);
  return UNITS.find(([, factor]) => size < SECONDS_BELOW * factor) ?? UNITS[3]!;
}

/** The seconds of a cell and its notation; NaN if the cell is not a time. */
export function parseTime(cell: Cell): { seconds: number; unit: TimeUnit } {
  if (cell instanceof Date) return { seconds: cell.getTime() / 1000, unit: 'date' };
  const value = numberOf(cell);
  if (!Number.isNaN(value)) {
    const [unit, factor] = unitOf(value);
    return { seconds: value / factor, unit };
  }
  return typeof cell === 'string' ? parseText(cell.trim()) : { seconds: Number.NaN, unit: 'text' };
}

/** `2016-10-16`, `2016-10-16 17:57:24`, `2016-10-16T17:57:24.123+02:00`; the fraction may have a comma instead of a point. */
const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/i;
/** `01-Jan-1995`, as in MovieLens-100K. */
const NAMED_MONTH = /^(\d{1,2})[- ](Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*[- ](\d{4})$/i;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** `2016/10/16`, with or without a time of day. */
const SLASHES = /^(\d{4})\/(\d{2})\/(\d{2})/;

function parseText(text: string): { seconds: number; unit: TimeUnit } {
  const iso = ISO.exec(SLASHES.test(text) ? text.replace(SLASHES, '$1-$2-$3') : text);
  if (iso) {
    const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = iso;
    const seconds = utcSeconds(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second));
    const exact = seconds + (fraction === '' ? 0 : Number(`0.${fraction}`)) - zoneSeconds(zone);
    return { seconds: exact, unit: zone === undefined ? 'text' : 'text with a zone' };
  }
  const named = NAMED_MONTH.exec(text);
  if (named) {
    const [, day, month, year] = named;
    const number = MONTHS.indexOf(month!.slice(0, 3).toLowerCase()) + 1;
    return { seconds: utcSeconds(Number(year), number, Number(day), 0, 0, 0), unit: 'text' };
  }
  return { seconds: Number.NaN, unit: 'text' };
}

/** The seconds of a date; NaN for a date that does not exist, which `Date.UTC` would change into another one. */
function utcSeconds(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // A leap second (60) counts as the first second of the next minute, as in POSIX.
  if (date.getUTCMonth() !== month - 1 && second < 60) return Number.NaN;
  return month > 12 || day > 31 || hour > 24 || minute > 59 || second > 60 ? Number.NaN : date.getTime() / 1000;
}

function zoneSeconds(zone: string | undefined): number {
  const parts = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? '');
  if (!parts) return 0;
  return (parts[1] === '-' ? -1 : 1) * (Number(parts[2]) * 3600 + Number(parts[3] ?? 0) * 60);
}

/** True for a date, and for a number that is a time since 1980. */
export function looksLikeTime(cell: Cell): boolean {
  if (cell instanceof Date) return true;
  const value = numberOf(cell);
  if (Number.isNaN(value)) return !Number.isNaN(parseTime(cell).seconds);
  const { seconds } = parseTime(value);
  return Number.isInteger(value) ? seconds >= EARLIEST_SECONDS : false;
}

/** Seconds as `2016-10-16`, in UTC. */
export function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? 'no date' : date.toISOString().slice(0, 10);
}
