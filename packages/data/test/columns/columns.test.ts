import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { numberOf, textOf } from '../../src/columns/cell.ts';
import { CompactNumbers } from '../../src/columns/segments.ts';
import { TextDictionary } from '../../src/columns/text-dictionary.ts';
import { looksLikeTime, parseTime } from '../../src/columns/time.ts';

test('a dictionary returns the same codes as a Map', () => {
  const words = fc.array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.nat(9_000_000).map(String),
      fc.constantFrom('007', '7', '', '__proto__'),
    ),
  );
  fc.assert(
    fc.property(words, (texts) => {
      const map = new Map<string, number>();
      const dictionary = new TextDictionary();
      for (const text of texts) {
        if (!map.has(text)) map.set(text, map.size);
        assert.equal(dictionary.add(text), map.get(text));
      }
      assert.equal(dictionary.size, map.size);
      assert.deepEqual(dictionary.texts(), [...map.keys()]);
      for (const [text, code] of map) assert.equal(dictionary.codeOf(text), code);
      assert.equal(dictionary.codeOf('not there, ever'), -1);
    }),
  );
});

test('a dictionary of a hundred thousand identifiers takes less than 60 bytes each', () => {
  const dictionary = new TextDictionary();
  for (let i = 0; i < 100_000; i++) dictionary.add(`user-${i}`);
  assert.equal(dictionary.add('user-77777'), 77777);
  // Measured: 50 bytes, with room to grow.
  assert.ok(dictionary.sizeBytes < 6_000_000, `${dictionary.sizeBytes} bytes`);
});

test('a column returns the numbers that were added, in every internal form', () => {
  const numbers = fc.oneof(fc.nat(300), fc.nat(2 ** 32 - 1), fc.double({ noNaN: true }), fc.integer());
  fc.assert(
    fc.property(fc.array(numbers, { maxLength: 600 }), (values) => {
      const column = new CompactNumbers();
      for (const value of values) column.push(value);
      values.forEach((value, row) =>
        assert.ok(Object.is(column.at(row), value) || (value === 0 && column.at(row) === 0)),
      );
    }),
  );
  const column = new CompactNumbers();
  for (let i = 0; i < 200_000; i++) column.push(i % 10 === 0 ? 0.5 : i);
  assert.equal(column.at(131_071), 131_071);
  assert.equal(column.at(100_000), 0.5);
  assert.deepEqual([column.min, column.max], [0.5, 199_999]);
});

test('decimal text is parsed as by Number; other text is NaN', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
        fc.nat().map(String),
        fc.tuple(fc.nat(), fc.nat(99_999)).map(([a, b]) => `${a}.${b}`),
      ),
      (text) => {
        assert.equal(numberOf(text), Number(text));
      },
    ),
  );
  for (const text of ['', ' ', '.', '0x10', '1e', 'Infinity', '1_000', '1,5', '--1', '1.2.3', 'NaN', 'ten'])
    assert.ok(Number.isNaN(numberOf(text)), text);
  assert.deepEqual([' 4 ', '+4', '-4.50', '.5', '5.', '1e3'].map(numberOf), [4, 4, -4.5, 0.5, 5, 1000]);
  assert.deepEqual([true, 12n, null, [1]].map(numberOf), [1, 12, Number.NaN, Number.NaN]);
  assert.deepEqual(['007', 7, 9007199254740993n, null, ['a', 1]].map(textOf), [
    '007',
    '7',
    '9007199254740993',
    '',
    '["a",1]',
  ]);
});

test('the same time in every notation of files', () => {
  const seconds = 1_476_640_644;
  const forms = [
    seconds,
    String(seconds),
    seconds * 1e3,
    BigInt(seconds) * 1_000_000n,
    BigInt(seconds) * 1_000_000_000n,
    '2016-10-16T17:57:24Z',
    '2016-10-16 17:57:24',
    '2016-10-16T17:57:24.000+00:00',
    '2016-10-16T19:57:24+02:00',
    '2016-10-16T19:57:24+0200',
    '2016-10-16T12:27:24-05:30',
    '2016/10/16 17:57:24',
    '2016-10-16 17:57:24 UTC',
    new Date(seconds * 1000),
  ];
  for (const form of forms) assert.equal(parseTime(form).seconds, seconds, String(form));
  assert.equal(parseTime('2016-10-16').seconds, 1_476_576_000);
  assert.equal(parseTime('16-Oct-2016').seconds, 1_476_576_000);
  assert.equal(parseTime('2016-10-16T17:57:24.250Z').seconds, seconds + 0.25);
  assert.deepEqual(
    [seconds, seconds * 1e3, '2016-10-16', '2016-10-16T00:00Z'].map((t) => parseTime(t).unit),
    ['seconds', 'milliseconds', 'text', 'text with a zone'],
  );
  for (const text of ['2016-13-01', '2016-02-30', '2016-10-16T25:00:00', 'yesterday', '', '12:30'])
    assert.ok(Number.isNaN(parseTime(text).seconds), text);
  assert.deepEqual([seconds, 4.5, 42, '2016-10-16', 'Toy Story'].map(looksLikeTime), [true, false, false, true, false]);
});
