/**
 * Dates of attributes: read from ISO 8601 text or a number of epoch time, kept as milliseconds since 1970-01-01 UTC,
 * and written as ISO 8601.
 *
 * Text without a zone is UTC, so that a bundle means the same on every machine; a date without a time is midnight.
 * Numbers below 1e11 are seconds (up to the year 5138), larger ones milliseconds (from March 1973 on).
 */

/** `2016-10-16`, `2016-10-16T17:57Z`, `2016-10-16 17:57:24.123+02:00`, `+012345-01-01`. */
const ISO =
  /^(\d{4}|[+-]\d{6})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;
/** Numbers below this are seconds, because larger ones would be after the year 5138. */
const SECONDS_BELOW = 1e11;
/** The largest time that a `Date` can hold, in milliseconds. */
const MS_MAX = 8.64e15;
const DAY_MS = 86_400_000;

/** Milliseconds since 1970 of a date; undefined if the value is no date. */
export function parseDate(value: unknown): number | undefined {
  if (typeof value === 'number') {
    const ms = Math.abs(value) < SECONDS_BELOW ? value * 1000 : value;
    return Math.abs(ms) <= MS_MAX ? ms : undefined;
  }
  return typeof value === 'string' ? parseText(value.trim()) : undefined;
}

function parseText(text: string): number | undefined {
  const parts = ISO.exec(text);
  if (!parts) return undefined;
  const [year, month, day, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map((part) => Number(part ?? 0));
  const date = new Date(0);
  // Date.UTC takes the years 0 to 99 for 1900 to 1999. Both carry February 30 over to March.
  const ms = date.setUTCFullYear(year!, month! - 1, day) + ((hour * 60 + minute) * 60 + second) * 1000;
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day)
    return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const fraction = parts[7] === undefined ? 0 : Math.round(Number(`0.${parts[7]}`) * 1000);
  const offset = zoneMs(parts[8]);
  return offset === undefined ? undefined : ms + fraction - offset;
}

/** Milliseconds that a zone is ahead of UTC. */
function zoneMs(zone = 'Z'): number | undefined {
  if (zone.toUpperCase() === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** The ISO 8601 text of milliseconds since 1970, in UTC; without a time if it is midnight. */
export function dateText(ms: number): string {
  const text = new Date(ms).toISOString();
  return ms % DAY_MS === 0 ? text.slice(0, text.indexOf('T')) : text;
}
