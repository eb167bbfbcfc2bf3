/** The typed reader of settings: every mistake is a FormatError that names section, byte and key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FormatError } from '../../src/errors/errors.ts';
import { type Json, parseJson, SettingsReader } from '../../src/format/settings.ts';

const reader = (value: Json | undefined, path = 'index'): SettingsReader =>
  new SettingsReader(value, path, 'settings', 448);

function fails(call: () => unknown, message: RegExp): void {
  assert.throws(call, (error) => {
    assert.ok(error instanceof FormatError);
    assert.equal(error.section, 'settings');
    assert.equal(error.offset, 448);
    assert.match(error.message, message);
    return true;
  });
}

test('values come back typed', () => {
  const settings = reader({ s: 'a', n: 1.5, i: 3, b: false, l: [1], o: { x: null } });
  assert.equal(settings.string('s'), 'a');
  assert.equal(settings.oneOf('s', ['a', 'b']), 'a');
  assert.equal(settings.number('n'), 1.5);
  assert.equal(settings.integer('i', { min: 3, max: 3 }), 3);
  assert.equal(settings.boolean('b'), false);
  assert.deepEqual(settings.list('l'), [1]);
  assert.equal(settings.object('o').json('x'), null);
  assert.deepEqual(settings.keys(), ['s', 'n', 'i', 'b', 'l', 'o']);
  assert.ok(settings.has('s') && !settings.has('toString'));
  settings.finish();
});

test('a missing, wrong or unknown key is named', () => {
  fails(() => reader({}).string('kind'), /settings at byte 448: index\.kind: expected a value, got none/);
  fails(() => reader({ k: 1 }).string('k'), /index\.k: expected a string, got 1/);
  fails(() => reader({ k: 'c' }).oneOf('k', ['a', 'b']), /expected one of a, b, got "c"/);
  fails(() => reader({ k: 0 }).boolean('k'), /expected true or false/);
  fails(() => reader({ k: '1' }).number('k'), /expected a number/);
  fails(() => reader({ k: 2 }).number('k', { max: 1 }), /expected a number from -Infinity to 1, got 2/);
  fails(() => reader({ k: 1.5 }).integer('k'), /expected an integer/);
  fails(() => reader({ k: -1 }).integer('k'), /expected an integer from 0/);
  fails(() => reader({ k: 2 ** 53 }).integer('k'), /expected an integer/);
  fails(() => reader({ k: {} }).list('k'), /expected a list/);
  fails(() => reader({ k: [] }).object('k'), /index\.k: expected an object, got an array of 0/);
  fails(
    () =>
      reader({ k: { x: 1 } })
        .object('k')
        .string('x'),
    /index\.k\.x: expected a string/,
  );
  fails(() => reader({ k: 1 }).finish(), /index\.k: expected only keys that this version knows/);
  fails(() => reader(null), /index: expected an object/);
  fails(() => reader(undefined, ''), /settings: expected an object, got undefined/);
  fails(() => reader({}).json('constructor'), /expected a value, got none/);
});

test('text that is not JSON in UTF-8 is refused', () => {
  const parse = (bytes: Uint8Array): Json => parseJson(bytes, 'settings', 448);
  assert.deepEqual(parse(new TextEncoder().encode('{"a":[1]}')), { a: [1] });
  fails(() => parse(new TextEncoder().encode('{"a":')), /expected JSON text/);
  fails(() => parse(Uint8Array.of(0x22, 0xff, 0x22)), /expected JSON text/);
  fails(() => parse(new TextEncoder().encode('['.repeat(1 << 20))), /expected JSON text/);
});
