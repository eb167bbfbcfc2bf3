/** The writer of JSON: text of every kind, numbers as `float32Token` says, and texts longer than what is kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Generator } from 'shortlist/random';
import { float32Token } from '../../src/json/decimal.ts';
import { JsonWriter } from '../../src/json/writer.ts';

const writer = new JsonWriter();

function written(write: (writer: JsonWriter) => void): string {
  writer.begin();
  write(writer);
  return writer.take();
}

const float32 = (value: number): string => written((to) => to.float32(value));

test('float32 of every size as float32Token prints them', () => {
  const generator = new Generator(3);
  for (let i = 0; i < 200_000; i++) {
    const value = Math.fround((generator.uniform() - 0.5) * 10 ** (generator.uniform() * 10 - 4));
    assert.equal(float32(value), float32Token(value));
  }
  const edges = [0.001, 0.00999999978, 9.9999996, 99999.99, 1e5, 10, 1000, 12345.678, 0.5, 1.5, 2 ** -9, 0.1, 0, -0];
  for (const value of edges) {
    assert.equal(float32(Math.fround(value)), float32Token(Math.fround(value)));
    assert.equal(float32(Math.fround(-value)), float32Token(Math.fround(-value)));
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    assert.equal(float32(value), float32Token(value));
  }
  fc.assert(fc.property(fc.float(), (value) => assert.equal(float32(value), float32Token(value))));
});

test('strings read back, whatever they hold, and pieces stand in the order they were written', () => {
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.nat(0x10ffff)).map((points) => String.fromCodePoint(...points)),
    fc.constantFrom('"', '\\', '\n', 'é', '\u0000', '\ud800'),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 8 }), (items) => {
      const list = written((to) => {
        to.text('[');
        items.forEach((item, i) => {
          if (i > 0) to.text(', ');
          to.string(item);
        });
        to.text(']');
      });
      assert.deepEqual(JSON.parse(list), items);
    }),
  );
  assert.equal(
    written((to) => {
      to.text('é: ');
      to.string('ü');
      to.text('\n');
      to.float32(0.5);
    }),
    'é: "ü"\n0.5',
  );
});

test('a text of megabytes is whole, and what was not taken is forgotten', () => {
  const long = 'x'.repeat(3 << 20);
  assert.equal(
    written((to) => {
      to.text(long);
      to.string(long);
      for (let i = 0; i < 100_000; i++) to.float32(i + 0.5);
    }),
    `${long}"${long}"${Array.from({ length: 100_000 }, (_, i) => float32Token(i + 0.5)).join('')}`,
  );
  writer.begin();
  writer.text('never taken');
  assert.equal(
    written((to) => to.text('a')),
    'a',
  );
});
