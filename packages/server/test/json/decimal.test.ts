import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Generator } from 'shortlist/random';
import { float32Token, float64Token } from '../../src/json/decimal.ts';

test('known answers: C’s %g, a point in whole numbers, the shorter form that reads back', () => {
  const cases: [number, string][] = [
    [0.2, '0.2'],
    [1, '1.0'],
    [-0, '-0.0'],
    [9_000_000, '9e+06'],
    [0.00003, '3e-05'],
    [0.0001, '0.0001'],
    [0.00001234, '1.234e-05'],
    [1e-7, '1e-07'],
    [123456, '123456.0'],
    [1234567, '1234567.0'],
    [16777216, '16777216.0'],
    [1 / 3, '0.333333343'],
    [1.1, '1.1'],
    [3.4028234663852886e38, '3.40282347e+38'],
    [1e-45, '1.4013e-45'],
    [0.1 + 0.2, '0.3'],
    [2.5, '2.5'],
    [100000, '100000.0'],
    [1e6, '1e+06'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ];
  for (const [value, token] of cases) assert.equal(float32Token(Math.fround(value)), token);
  assert.equal(float64Token(0.1 + 0.2), '0.30000000000000004');
  assert.equal(float64Token(0.1), '0.1');
});

test('floats of ordinary size print as toPrecision would', () => {
  const slowly = (value: number): string => {
    const digits = [6, 9].map((precision) => value.toPrecision(precision));
    const kept = Math.fround(Number(digits[0])) === value ? digits[0]! : digits[1]!;
    const short = kept.includes('.') ? kept.replace(/\.?0+$/, '') : kept;
    return short.includes('.') ? short : `${short}.0`;
  };
  const generator = new Generator(3);
  for (let i = 0; i < 200_000; i++) {
    const value = Math.fround((generator.uniform() - 0.5) * 10 ** (generator.uniform() * 8 - 3));
    const size = Math.abs(value);
    if (size >= 1e-3 && size < 1e5) assert.equal(float32Token(value), slowly(value));
  }
  for (const value of [0.001, 0.00999999978, 9.9999996, 99999.99, 10, 1000, 0.5, 1.5, 2 ** -9, 0.1]) {
    assert.equal(float32Token(Math.fround(value)), slowly(Math.fround(value)));
  }
});

test('every float32 reads back as itself', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.ok(Object.is(Math.fround(Number(float32Token(value))), value));
    }),
  );
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.ok(Object.is(Number(float64Token(value)), value));
    }),
  );
});
