/** Reads times: numbers since 1970-01-01 UTC, texts in ISO 8601, and dates. A text without a zone is in UTC. */

/** Milliseconds in a unit of numbers. */
const MS_PER = { seconds: 1000, milliseconds: 1 } as const;
/** The end of the year 9999. Seconds that are read as milliseconds, or the other way round, are mostly beyond it. */
const TIME_MS_MAX = Date.UTC(10_000, 0) - 1;
/** The beginning of the year 0. */
const TIME_MS_MIN = -62_167_219_200_000;

const ISO_8601 =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/** Milliseconds since 1970-01-01 UTC; undefined where the value is no time from the year 0 to 9999. */
export function timeMs(value: unknown, unit: 'seconds' | 'milliseconds'): number | undefined {
  const ms = readMs(value, unit);
  return ms !== undefined && ms >= TIME_MS_MIN && ms <= TIME_MS_MAX ? ms : undefined;
}

function readMs(value: unknown, unit: 'seconds' | 'milliseconds'): number | undefined {
  if (typeof value === 'number') return value * MS_PER[unit];
  if (typeof value === 'bigint') return Number(value) * MS_PER[unit];
  if (value instanceof Date) return value.getTime();
  return typeof value === 'string' ? isoMs(value) : undefined;
}

function isoMs(text: string): number | undefined {
  const found = ISO_8601.exec(text.trim());
  if (!found) return undefined;
  const [year, month, day, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map((digits) => Number(digits ?? 0));
  const fraction = Number(`0.${found[7] ?? '0'}`);
  const date = new Date(0);
  date.setUTCFullYear(year!, month! - 1, day!);
  date.setUTCHours(hour, minute, second, Math.floor(fraction * 1000));
  // The 30th of February would otherwise be a day of March.
  const isDate = date.getUTCMonth() === month! - 1 && date.getUTCDate() === day!;
  if (!isDate || hour > 23 || minute > 59 || second > 59) return undefined;
  return date.getTime() - zoneMs(found[8] ?? 'Z');
}

function zoneMs(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const digits = zone.replace(':', '');
  const minutes = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3) || 0);
  return (digits[0] === '-' ? -1 : 1) * minutes * 60_000;
}
