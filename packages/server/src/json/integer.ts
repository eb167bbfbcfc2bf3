/**
 * Integers of 64 bits as text. A number above 2^53 is printed with its own digits, which JavaScript's short form rounds:
 * 2^60 is 1152921504606846976 and not 1152921504606847000.
 */

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** One form a value: no sign before 0, no leading zeros. */
const INTEGER = /^(?:0|-?[1-9]\d{0,18})$/;

/** Whether a value is an integer of 64 bits with a sign. */
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

/** The integer of 64 bits that a text says, or undefined. */
export function parseInt64(text: string): bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  const value = BigInt(text);
  return isInt64(value) ? value : undefined;
}
