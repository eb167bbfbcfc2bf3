/**
 * Prints floating-point numbers as TF Serving does: the shorter of `%.6g` and `%.9g` that reads back as the same
 * float32 (`%.17g` for float64), with `.0` after whole numbers, and the tokens NaN, Infinity, -Infinity.
 *
 * Source: `WriteDecimal` of TF Serving's json_tensor. JSON.stringify would print the float32 0.2 as
 * 0.20000000298023224.
 */

/** The JSON token of a float32. */
export function float32Token(value: number): string {
  if (!Number.isFinite(value)) return nonFinite(value);
  const short = general(value, 6);
  return whole(Math.fround(Number(short)) === value ? short : general(value, 9));
}

/** The JSON token of a float64. */
export function float64Token(value: number): string {
  if (!Number.isFinite(value)) return nonFinite(value);
  const short = general(value, 6);
  return whole(Number(short) === value ? short : general(value, 17));
}

function nonFinite(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value < 0 ? '-Infinity' : 'Infinity';
}

function whole(digits: string): string {
  return digits.includes('.') || digits.includes('e') ? digits : `${digits}.0`;
}

/** C's `%.{precision}g`: no trailing zeros; below 1e-4 and from 10^precision on an exponent of at least two digits. */
function general(value: number, precision: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  let digits = value.toPrecision(precision);
  const magnitude = Math.abs(value);
  // JavaScript writes 1e-5 and 1e-6 without an exponent, C with one.
  if (magnitude < 1e-4 && !digits.includes('e') && Math.abs(Number(digits)) < 1e-4) {
    digits = value.toExponential(precision - 1);
  }
  const e = digits.indexOf('e');
  if (e < 0) return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  const mantissa = digits.slice(0, e);
  const exponent = digits.slice(e + 2).padStart(2, '0');
  return `${mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa}e${digits[e + 1]}${exponent}`;
}
