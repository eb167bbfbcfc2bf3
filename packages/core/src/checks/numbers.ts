/**
 * Checks of single numbers at the public boundary, one message form: `name: expected …, got …`.
 * Each check returns its value, so that it can be written where the value is used.
 */
import { OptionError } from '../errors/errors.ts';

/** The largest float32. */
export const FLOAT32_MAX: number = (2 - 2 ** -23) * 2 ** 127;

/** Show a caller's value in a message, short and safe whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
  if (typeof value === 'object' && value !== null) return value.constructor?.name ?? 'an object';
  return String(value);
}

/**
 * An integer in [min, max].
 *
 * @throws {OptionError} otherwise
 */
export function checkInteger(name: string, value: number, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new OptionError(`${name}: expected an integer ${range}, got ${shown(value)}`);
  }
  return value;
}

/**
 * A finite number in [min, max].
 *
 * @throws {OptionError} otherwise
 */
export function checkNumber(name: string, value: number, min: number, max: number = Number.MAX_VALUE): number {
  if (!Number.isFinite(value) || value < min || value > max) {
    const range = max === Number.MAX_VALUE ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new OptionError(`${name}: expected a number ${range}, got ${shown(value)}`);
  }
  return value;
}

/**
 * A finite number greater than zero.
 *
 * @throws {OptionError} otherwise
 */
export function checkPositive(name: string, value: number): number {
  if (!Number.isFinite(value) || value <= 0) {
    throw new OptionError(`${name}: expected a number above 0, got ${shown(value)}`);
  }
  return value;
}

/**
 * One of the listed words.
 *
 * @throws {OptionError} otherwise
 */
export function checkOneOf<T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value)) {
    throw new OptionError(`${name}: expected one of ${allowed.join(', ')}, got ${shown(value)}`);
  }
  return value;
}
