/**
 * A damaged container is one FormatError that names a section and a byte: cut anywhere, any bit flipped, any length a
 * lie, foreign bytes. Never another error, never a result, and no block of memory is left taken.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../src/errors/errors.ts';
import { ENTRY, ENTRY_BYTES, HEADER, HEADER_BYTES, MAGIC } from '../../src/format/layout.ts';
import { readContainer } from '../../src/format/reader.ts';
import { bytesSource } from '../../src/format/source.ts';
import { containerOf, mendChecksums, runtime } from '../format/containers.ts';

const GOOD: Uint8Array = containerOf([
  { name: 'settings', kind: 'settings', pieces: [new TextEncoder().encode('{"k":10}')] },
  { name: 'index/candidates', kind: 'memory', pieces: [new Uint8Array(200).map((_, i) => i)] },
  { name: 'empty', kind: 'memory', pieces: [] },
  { name: 'index/text', kind: 'bytes', pieces: [new Uint8Array(65).fill(7)] },
]);
const SECTIONS = 4;
const TABLE_END = HEADER_BYTES + SECTIONS * ENTRY_BYTES;

/** The one error, or a failure. */
async function refused(bytes: Uint8Array): Promise<FormatError> {
  const used = runtime.heap.usedBytes;
  let error: unknown;
  try {
    await readContainer(bytesSource(bytes), runtime);
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error instanceof FormatError, `expected a FormatError, got ${error}`);
  assert.ok(error.section.length > 0 && error.offset >= 0);
  assert.ok(error.message.startsWith(`${error.section} at byte ${error.offset}: expected `), error.message);
  assert.equal(runtime.heap.usedBytes, used);
  return error;
}

/** A copy with one change. */
function changed(change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = GOOD.slice();
  change(new DataView(bytes.buffer), bytes);
  return bytes;
}

/** A copy with one change that its checksums agree with. */
const forged = (change: (view: DataView, bytes: Uint8Array) => void): Uint8Array => mendChecksums(changed(change));

/** A copy with a byte exclusive-ored. */
const flipped = (at: number, mask: number): Uint8Array => GOOD.map((byte, i) => (i === at ? byte ^ mask : byte));

/** The byte at which a field of line `section` of the table begins. */
const field = (section: number, name: keyof typeof ENTRY): number => HEADER_BYTES + section * ENTRY_BYTES + ENTRY[name];

test('the good one is read', async () => {
  const loaded = await readContainer(bytesSource(GOOD), runtime);
  assert.equal(loaded.length, SECTIONS);
  for (const { block } of loaded) block?.free();
});

test('cut at every byte', async () => {
  for (let length = 0; length < GOOD.length; length++) await refused(GOOD.subarray(0, length));
});

test('a cut names what is cut', async () => {
  const cut = async (length: number): Promise<string> => (await refused(GOOD.subarray(0, length))).section;
  assert.equal(await cut(0), 'header');
  assert.equal(await cut(HEADER_BYTES - 1), 'header');
  assert.equal(await cut(HEADER_BYTES), 'section table');
  assert.equal(await cut(TABLE_END - 1), 'section table');
  assert.equal(await cut(TABLE_END), 'settings');
  assert.equal(await cut(TABLE_END + 64), 'index/candidates');
  assert.equal(await cut(GOOD.length - 1), 'index/text');
});

test('every bit flipped', async () => {
  for (let bit = 0; bit < GOOD.length * 8; bit++) {
    await refused(flipped(bit >> 3, 1 << (bit & 7)));
  }
});

test('a flipped bit of a section names that section', async () => {
  const error = await refused(flipped(TABLE_END + 64 + 5, 1));
  assert.equal(error.section, 'index/candidates');
  assert.equal(error.offset, TABLE_END + 64);
  assert.match(error.message, /expected checksum [0-9a-f]{16}, got [0-9a-f]{16}/);
});

test('lies that the checksums agree with', async () => {
  const HUGE = [2n ** 32n - 1n, 2n ** 40n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n];
  for (const value of HUGE) {
    for (const name of ['offset', 'length'] as const) {
      for (let i = 0; i < SECTIONS; i++)
        await refused(forged((view) => view.setBigUint64(field(i, name), value, true)));
    }
    await refused(forged((view) => view.setBigUint64(HEADER.fileBytes, value, true)));
  }
  for (const count of [0, SECTIONS - 1, SECTIONS + 1, 0xffff_ffff]) {
    await refused(forged((view) => view.setUint32(HEADER.sections, count, true)));
  }
  for (const bytes of [0, 97, 0xffff_ffff]) {
    await refused(forged((view) => view.setUint32(field(1, 'nameBytes'), bytes, true)));
  }
  for (const kind of [0, 4, 0xffff_ffff]) {
    await refused(forged((view) => view.setUint32(field(1, 'kind'), kind, true)));
  }
  const overlapping = forged((view) => view.setBigUint64(field(3, 'offset'), BigInt(TABLE_END + 64), true));
  assert.match((await refused(overlapping)).message, /index\/text at byte 640: expected to begin at byte/);
  const twice = forged((view, bytes) => {
    bytes.copyWithin(field(2, 'name'), field(1, 'name'), field(2, 'kind'));
    view.setUint32(field(2, 'nameBytes'), view.getUint32(field(1, 'nameBytes'), true), true);
  });
  assert.match((await refused(twice)).message, /index\/candidates at byte \d+: expected one section of this name/);
  await refused(forged((view) => view.setUint8(field(1, 'name'), 0xff)));
});

test('longer than it says, foreign, or of another version', async () => {
  await refused(new Uint8Array([...GOOD, 0]));
  await refused(new Uint8Array([...GOOD, ...GOOD]));
  assert.match((await refused(new Uint8Array())).message, /expected a file saved by Shortlist, got an empty one/);
  assert.match((await refused(new TextEncoder().encode('{"model":1}'))).message, /saved by Shortlist, got other bytes/);
  await refused(new Uint8Array(5000));
  const newer = await refused(forged((view) => view.setUint32(HEADER.version, 2, true)));
  assert.match(
    newer.message,
    /header at byte 8: expected container version 1 to 1, got 2; a newer version of Shortlist may read it/,
  );
  await refused(forged((view) => view.setUint32(HEADER.version, 0, true)));
});

test('any bytes, and any bytes after a good beginning', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 0, max: TABLE_END }), async (bytes, keep) => {
      await refused(bytes);
      await refused(Uint8Array.of(...MAGIC, 1, 0, 0, 0, ...bytes));
      const begun = new Uint8Array([...GOOD.subarray(0, keep), ...bytes]);
      if (Buffer.compare(begun, GOOD) !== 0) await refused(begun);
    }),
    { numRuns: 300, seed: 9 },
  );
});

test('any changes that the checksums agree with give a container or the one error', async () => {
  const change = fc.record({ at: fc.integer({ min: 8, max: TABLE_END - 1 }), byte: fc.integer({ min: 0, max: 255 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = forged((_, to) => {
        for (const { at, byte } of changes) to[at] = byte;
      });
      try {
        for (const { block } of await readContainer(bytesSource(bytes), runtime)) block?.free();
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 1500, seed: 13 },
  );
});
