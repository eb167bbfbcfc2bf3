/** The zip reader: what it takes, and that damage of any kind is one DataError, never a crash or a flood of memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readZip } from '../../src/data/zip.ts';
import { makeZip } from './archives.ts';

const TEXT = Buffer.from('user\tmovie\t5\n'.repeat(50));
const ENTRIES = { 'a/one': TEXT, 'a/two': Buffer.from('two'), '../escape': Buffer.from('x'), empty: Buffer.alloc(0) };
const WANTED = new Map([
  ['a/one', TEXT.length],
  ['empty', 0],
]);
const read = (bytes: Uint8Array, wanted: ReadonlyMap<string, number> = WANTED) => readZip('test.zip', bytes, wanted);
const refused = (bytes: Uint8Array, message: RegExp, wanted?: ReadonlyMap<string, number>): void =>
  assert.throws(() => read(bytes, wanted), { code: 'ERR_DATA', message });

/** A copy with the 16 bits at `offset` after the first `mark` set. */
function altered(bytes: Buffer, mark: string, offset: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt16LE(value, copy.indexOf(mark, 0, 'latin1') + offset);
  return copy;
}

test('deflated and stored entries, and nothing that was not wanted', () => {
  for (const options of [{}, { stored: true }, { comment: 'PK\x05\x06 a comment that looks like an end record' }]) {
    const found = read(makeZip(ENTRIES, options));
    assert.deepEqual([...found.keys()], ['a/one', 'empty']);
    assert.deepEqual(Buffer.from(found.get('a/one')!), TEXT);
    assert.equal(found.get('empty')!.length, 0);
  }
});

test('bytes that lie inside a larger buffer', () => {
  const zip = makeZip(ENTRIES);
  const inside = Buffer.concat([Buffer.alloc(7), zip, Buffer.alloc(9)]).subarray(7, 7 + zip.length);
  assert.deepEqual(Buffer.from(read(inside).get('a/one')!), TEXT);
});

test('each kind of refusal says what it met', () => {
  const zip = makeZip(ENTRIES);
  refused(Buffer.alloc(0), /^test\.zip: expected a zip archive, got bytes without an end record$/);
  refused(Buffer.from('<html>no such file</html>'), /expected a zip archive/);
  refused(zip, /^test\.zip: expected an entry a\/three, got none$/, new Map([['a/three', 9]]));
  refused(zip, /^test\.zip: expected a\/one of at most 649 bytes, got 650$/, new Map([['a/one', 649]]));
  refused(altered(zip, 'PK\x01\x02', 8, 1), /expected a\/one in the clear, got encrypted/);
  refused(altered(zip, 'PK\x01\x02', 10, 99), /expected 650 bytes of a\/one, got damaged data/);
  refused(altered(zip, 'PK\x01\x02', 24, 640), /expected 640 bytes of a\/one, got damaged data/);
  refused(altered(zip, 'PK\x01\x02', 22, 99), /expected the data of a\/one inside \d+ bytes, got bytes/);
  refused(altered(zip, 'PK\x01\x02', 42, 5), /expected the header of a\/one at byte 5, got other bytes/);
  refused(altered(zip, 'PK\x01\x02', 28, 0xffff), /expected an entry's name inside/);
  refused(altered(zip, 'PK\x05\x06', 10, 5), /expected a directory entry/);
  const twice = makeZip({ 'a/one': TEXT, 'a/onf': TEXT });
  twice.write('a/one', twice.lastIndexOf('a/onf'));
  refused(twice, /expected one a\/one, got two/, new Map([['a/one', 650]]));
});

test('a small entry that unpacks to far more than it says is cut off', () => {
  const bomb = makeZip({ 'a/one': Buffer.alloc(1 << 22) });
  const lying = altered(altered(bomb, 'PK\x01\x02', 24, 100), 'PK\x01\x02', 26, 0);
  refused(lying, /expected 100 bytes of a\/one, got damaged data/, new Map([['a/one', 1_000]]));
});

test('cut at any length and altered at any byte: the entry, or one DataError', () => {
  const zip = makeZip(ENTRIES);
  const safe = (bytes: Uint8Array): void => {
    try {
      assert.equal(read(bytes).get('a/one')!.length, TEXT.length);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'ERR_DATA', String(error));
    }
  };
  for (let length = 0; length < zip.length; length++) safe(zip.subarray(0, length));
  fc.assert(
    fc.property(fc.nat(zip.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const copy = Buffer.from(zip);
      copy[at]! ^= mask;
      safe(copy);
    }),
    { numRuns: 2_000, seed: 4 },
  );
});
