/**
 * Floating-point numbers as TF Serving prints them: the shorter of `%.6g` and `%.9g` that reads back as the same
 * float32 (`%.17g` for float64), `.0` behind whole numbers, and the tokens NaN, Infinity, -Infinity.
 *
 * Source: `WriteDecimal` of TF Serving's json_tensor. A widened float32 printed by JSON.stringify would show 0.2 as
 * 0.20000000298023224.
 */

/** Where nine digits are plain ones and their product with a power of ten is exact. */
const PLAIN_MIN = 1e-3;
const PLAIN_MAX = 1e5;
const POWERS: readonly number[] = Array.from({ length: 13 }, (_, places) => 10 ** places);

/** Float32 → JSON token. */
export function float32Token(value: number): string {
  if (!Number.isFinite(value)) return nonFinite(value);
  const magnitude = Math.abs(value);
  if (magnitude >= PLAIN_MIN && magnitude < PLAIN_MAX) return plain(value, magnitude);
  const short = general(value, 6);
  return whole(Math.fround(Number(short)) === value ? short : general(value, 9));
}

/**
 * A float32 of ordinary size, in a fraction of the time of `toPrecision`: the digits are a whole number n · 10^-places.
 * The product is exact, 24 bits by at most 28 of 5^12, and so is the comparison, so both give the same digits.
 */
function plain(value: number, magnitude: number): string {
  let places = 5;
  for (let power = 10; power <= magnitude; power *= 10) places--;
  for (let power = 1; power > magnitude; power /= 10) places++;
  let digits = Math.round(magnitude * POWERS[places]!);
  if (Math.fround(digits / POWERS[places]!) !== magnitude) {
    places += 3;
    digits = Math.round(magnitude * POWERS[places]!);
  }
  const scale = POWERS[places]!;
  const whole = Math.floor(digits / scale);
  let fraction = digits - whole * scale;
  if (fraction === 0) places = 1;
  else for (; fraction % 10 === 0; places--) fraction /= 10;
  return `${value < 0 ? '-' : ''}${whole}.${String(fraction).padStart(places, '0')}`;
}

/** Float64 → JSON token. */
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

/** C's `%.{precision}g`: no trailing zeros, an exponent of at least two digits below 1e-4 and from 10^precision on. */
function general(value: number, precision: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  let digits = value.toPrecision(precision);
  const magnitude = Math.abs(value);
  // JavaScript turns to exponents two powers of ten later than C.
  if (magnitude < 1e-4 && !digits.includes('e') && Math.abs(Number(digits)) < 1e-4) {
    digits = value.toExponential(precision - 1);
  }
  const e = digits.indexOf('e');
  if (e < 0) return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  const mantissa = digits.slice(0, e);
  const exponent = digits.slice(e + 2).padStart(2, '0');
  return `${mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa}e${digits[e + 1]}${exponent}`;
}
