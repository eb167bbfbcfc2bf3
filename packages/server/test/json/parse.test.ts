import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Decimal, type JsonValue, parseJson } from '../../src/json/parse.ts';

test('numbers: int64 without loss, NaN and Infinity, 1.0 is not 1', () => {
  assert.equal(parseJson('9007199254740993'), 9007199254740993n);
  assert.equal(parseJson('-9223372036854775808'), -(2n ** 63n));
  assert.equal(parseJson('18446744073709551615'), 2n ** 64n - 1n);
  assert.ok(parseJson('18446744073709551616') instanceof Decimal);
  assert.ok(Number.isNaN(parseJson('NaN')));
  assert.equal(parseJson('Infinity'), Number.POSITIVE_INFINITY);
  assert.equal(parseJson('-Infinity'), Number.NEGATIVE_INFINITY);
  assert.equal(parseJson('Inf'), Number.POSITIVE_INFINITY);
  assert.equal(parseJson('1'), 1);
  assert.deepEqual(parseJson('1.0'), new Decimal(1));
  assert.equal(parseJson('1.5'), 1.5);
});

test('messages are the original parser’s, with byte offsets', () => {
  const cases: [string, string][] = [
    ['', 'The document is empty'],
    ['  ', 'The document is empty'],
    ['{"a": x}', 'Invalid value. at offset: 6'],
    ['{"é": x}', 'Invalid value. at offset: 7'],
    ['{1:2}', 'Missing a name for object member. at offset: 1'],
    ['{"a" 1}', 'Missing a colon after a name of object member. at offset: 5'],
    ['{"a":1 "b"}', 'Missing a comma or } after an object member. at offset: 7'],
    ['[1 2]', 'Missing a comma or ] after an array element. at offset: 3'],
    ['["\\q"]', 'Invalid escape character in string. at offset: 2'],
    ['["\\u00g0"]', 'Incorrect hex digit after \\u escape in string. at offset: 2'],
    ['"abc', 'Missing a closing quotation mark in string. at offset: 0'],
    ['1e999', 'Number too big to be stored in double. at offset: 5'],
    ['1.', 'Miss fraction part in number. at offset: 1'],
    ['nul', 'Invalid value. at offset: 0'],
  ];
  for (const [text, message] of cases)
    assert.throws(() => parseJson(text), { message: `JSON Parse error: ${message}` });
});

test('bytes after the first value are ignored; nesting is bounded', () => {
  assert.deepEqual(parseJson('[1] garbage'), [1]);
  assert.throws(() => parseJson('['.repeat(100_000)), /Terminate parsing/);
});

const plain = (value: JsonValue): unknown => {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, item]) => [name, plain(item)]));
  if (value instanceof Decimal) return value.value;
  return typeof value === 'bigint' ? Number(value) : value;
};

test('reads every JSON text as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const expected = JSON.parse(text, (key, value) => (key === '__proto__' ? undefined : value));
      if (text.includes('__proto__')) return;
      assert.deepEqual(plain(parseJson(text)), expected);
    }),
    { seed: 1 },
  );
});

test('never throws anything but the one error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseJson(text);
      } catch (error) {
        assert.match((error as Error).message, /^JSON Parse error: /);
      }
    }),
    { seed: 2 },
  );
});
