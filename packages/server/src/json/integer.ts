/**
 * Reads and writes 64-bit integers as text. A number above 2^53 is printed with its exact digits, which JavaScript's
 * short form rounds: 2^60 is printed as 1152921504606846976 instead of 1152921504606847000.
 */

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** Exactly one text per value: no sign before 0, no leading zeros. */
const INTEGER = /^(?:0|-?[1-9]\d{0,18})$/;

/** Whether a value is a signed 64-bit integer. */
export function isInt64(value: number | bigint): boolean {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return true;
    return Number.isInteger(value) && isInt64(BigInt(value));
  }
  return value >= INT64_MIN && value <= INT64_MAX;
}

/** The digits of an integer. */
export function integerText(value: number | bigint): string {
  return String(typeof value === 'bigint' || Number.isSafeInteger(value) ? value : BigInt(value));
}

/** The signed 64-bit integer that a text states; undefined if it states none. */
export function parseInt64(text: string): bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  const value = BigInt(text);
  return isInt64(value) ? value : undefined;
}
