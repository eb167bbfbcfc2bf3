/** Values of requests in error messages. */

/** Most characters of text that a message shows. */
const SHOWN_MAX = 60;

/** A value in a message: short values as they are, others by their kind; `none` for a value that is not given. */
export function shown(value: unknown): string {
  if (value === undefined) return 'none';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX - 1)}…` : value);
}
