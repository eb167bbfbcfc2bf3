/**
 * Times as files have them, to seconds since 1970-01-01 UTC: numbers of seconds, milliseconds, microseconds or
 * nanoseconds, told by their size, and dates as text with or without a zone. A text without a zone counts as UTC, so
 * that a file means the same on every machine.
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
 * Numbers below are seconds, below a thousand times that milliseconds, and so on. 1e11 seconds are the year 5138, 1e11
 * milliseconds March 1973: between 1973 and 5138 no number has two meanings.
 */
export const SECONDS_BELOW = 1e11;
/** Numbers from here on can be a time at all where nothing else says so: 1980, before which nobody logged clicks. */
export const EARLIEST_SECONDS = 315_532_800;
/** Units by the factor that makes them seconds. */
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

/** Seconds of a cell and how they were written; NaN where it is no time. */
export function parseTime(cell: Cell): { seconds: number; unit: TimeUnit } {
  if (cell instanceof Date) return { seconds: cell.getTime() / 1000, unit: 'date' };
  const value = numberOf(cell);
  if (!Number.isNaN(value)) {
    const [unit, factor] = unitOf(value);
    return { seconds: value / factor, unit };
  }
  return typeof cell === 'string' ? parseText(cell.trim()) : { seconds: Number.NaN, unit: 'text' };
}

/** `2016-10-16`, `2016-10-16 17:57:24`, `2016-10-16T17:57:24.123+02:00`; a comma may stand before the fraction. */
const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/i;
/** `01-Jan-1995`, as MovieLens-100K has them. */
const NAMED_MONTH = /^(\d{1,2})[- ](Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*[- ](\d{4})$/i;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** `2016/10/16`, with a time or without. */
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

/** NaN for a day or an hour that is not in the calendar; `Date.UTC` would carry it over. */
function utcSeconds(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // A leap second (60) is the next minute's first, as POSIX counts.
  if (date.getUTCMonth() !== month - 1 && second < 60) return Number.NaN;
  return month > 12 || day > 31 || hour > 24 || minute > 59 || second > 60 ? Number.NaN : date.getTime() / 1000;
}

function zoneSeconds(zone: string | undefined): number {
  const parts = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? '');
  if (!parts) return 0;
  return (parts[1] === '-' ? -1 : 1) * (Number(parts[2]) * 3600 + Number(parts[3] ?? 0) * 60);
}

/** True for a cell that can only be a date, or is a number of the size of times since 1980. */
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
