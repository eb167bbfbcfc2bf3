import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { FileError } from 'shortlist';
import { readIdentifiers } from '../../src/vectors/identifiers.ts';
import { fileOf, golden, readAll } from '../files.ts';

/** The row that test/golden/make.py writes at position i. */
const row = (i: number): unknown[] => [
  `u${String(i % 37).padStart(3, '0')}`,
  9_000_000_000_000_000n + BigInt((i * 7919) % 211),
  i === 5 ? null : ((i % 9) + 2) / 2,
  new Date(Date.UTC(2020, 0, 1) + i * 60_000),
  i % 2 ? ['a', 'b'] : ['c'],
  i % 3 === 0,
];
const ROWS = 240;

const BINARY = [
  ...['snappy', 'gzip', 'zstd', 'brotli', 'lz4'].map((codec) => `interactions-${codec}.parquet`),
  ...['interactions-lz4.arrow', 'interactions-zstd.arrow', 'interactions.arrows'],
];
for (const name of BINARY) {
  test(`${name}: reads a file that pyarrow wrote`, async () => {
    const { names, rows, lines } = await readAll(golden(name));
    assert.deepEqual(names, ['user_id', 'item_id', 'rating', 'at', 'tags', 'ok']);
    assert.equal(rows.length, ROWS);
    rows.forEach((cells, i) => assert.deepEqual(cells, row(i)));
    assert.deepEqual(
      lines,
      Array.from({ length: ROWS }, (_, i) => i + 1),
    );
  });

  test(`${name}: an incomplete file is an error that names it`, async (t) => {
    const whole = readFileSync(golden(name));
    for (const share of [0.3, 0.6, 0.9]) {
      const path = fileOf(t, name, whole.subarray(0, Math.floor(share * whole.length)));
      await assert.rejects(readAll(path), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ERR_DATA');
        assert.ok(error.message.startsWith(path), error.message);
        return true;
      });
    }
  });
}

test('no flipped bit of the counts in the footer of a Parquet file changes the number of rows without an error', async (t) => {
  const whole = readFileSync(golden('interactions-gzip.parquet'));
  const end = whole.length - 8;
  // 240, and 100 of each of two row groups, as the footer has them: twice the number in seven bits a byte.
  const counts = [0x03e0, 0x01c8];
  let found = 0;
  for (let at = end - whole.readUInt32LE(end); at < end; at++) {
    if (!counts.includes(whole.readUInt16LE(at))) continue;
    found++;
    for (const bit of [1, 4, 8, 9]) {
      const damaged = Uint8Array.from(whole);
      damaged[at + (bit >> 3)]! ^= 1 << (bit & 7);
      try {
        const { rows } = await readAll(fileOf(t, 'flipped.parquet', damaged));
        assert.equal(rows.length, ROWS, `byte ${at}, bit ${bit}`);
      } catch (error) {
        assert.equal(
          (error as { code?: string }).code,
          'ERR_DATA',
          `byte ${at}, bit ${bit}: ${(error as Error).stack}`,
        );
      }
    }
  }
  assert.ok(found >= 3, 'the count of the file and those of its row groups');
});

const PAIRS = ['user,item', ...Array.from({ length: 600 }, (_, i) => `u${i % 37},i${(i * 31) % 101}`)].join('\n');

for (const name of ['pairs.csv.zst', 'pairs-two-frames.csv.zst']) {
  test(`${name}: zstd is recognised by its bytes`, async () => {
    const { names, rows, description } = await readAll(golden(name));
    assert.deepEqual(names, ['user', 'item']);
    assert.equal(rows.map((cells) => cells.join(',')).join('\n'), PAIRS.slice(PAIRS.indexOf('\n') + 1));
    assert.match(description, /zstd/);
  });
}

test('gzip is recognised by its bytes, and an incomplete file is an error with the position', async (t) => {
  const packed = gzipSync(PAIRS);
  const { rows } = await readAll(fileOf(t, 'pairs.csv', packed));
  assert.equal(rows.length, 600);
  const cut = fileOf(t, 'cut.csv.gz', packed.subarray(0, packed.length - 12));
  await assert.rejects(
    readAll(cut),
    /cut\.csv\.gz: expected a whole gzip file, got one that is cut off after \d+ decompressed bytes/,
  );
  const zst = readFileSync(golden('pairs.csv.zst'));
  await assert.rejects(
    readAll(fileOf(t, 'cut.csv.zst', zst.subarray(0, zst.length - 9))),
    /expected a whole zstd file/,
  );
  const damaged = Uint8Array.from(packed, (byte, i) =>
    i > packed.length / 2 && i < packed.length / 2 + 9 ? byte ^ 0xff : byte,
  );
  await assert.rejects(readAll(fileOf(t, 'damaged.csv.gz', damaged)), { code: 'ERR_DATA' });
});

test('JSON Lines: names from the rows, missing fields, exact long integers, lines that are not objects', async (t) => {
  const path = fileOf(
    t,
    'events.jsonl',
    '{"user": 12345678901234567890, "item": "a", "note": "id: 12345678901234567890,"}\n\n' +
      '{"item": "b", "user": 7, "__proto__": 1}\nnot json\n[1]\n{"user": null, "item": "c", "tags": ["x", 1], "geo": {"lat": 1}}',
  );
  const { names, rows, lines, log } = await readAll(path);
  assert.deepEqual(names, ['user', 'item', 'note', '__proto__', 'tags', 'geo']);
  assert.deepEqual(rows[0], ['12345678901234567890', 'a', 'id: 12345678901234567890,', null, null, null]);
  assert.deepEqual(rows[1], [7, 'b', null, 1, null, null]);
  assert.deepEqual(rows[2], [null, 'c', null, null, ['x', 1], '{"lat":1}']);
  assert.deepEqual(lines, [1, 3, 6]);
  assert.deepEqual(
    log.firstBroken.map(({ line }) => line),
    [4, 5],
  );
});

test('JSON Lines: fractions and exponents of many digits are numbers, not identifiers', async (t) => {
  const { rows } = await readAll(
    fileOf(t, 'scores.jsonl', '{"a":0.12345678901234567,"b":1.5e-7,"c":-12345678901234567}\n{"a":1}\n'),
  );
  assert.deepEqual(rows[0], [Number('0.12345678901234567'), 1.5e-7, '-12345678901234567']);
});

test('JSON: an array of objects, and a map of identifiers', async (t) => {
  const array = await readAll(fileOf(t, 'items.json', '[\n {"id": 1, "title": "A"},\n {"id": 2}\n]'));
  assert.deepEqual(
    [array.names, array.rows],
    [
      ['id', 'title'],
      [
        [1, 'A'],
        [2, null],
      ],
    ],
  );
  const map = await readAll(fileOf(t, 'attributes.json', '{"4": [1, 2], "83": [3]}'));
  assert.deepEqual(
    [map.names, map.rows],
    [
      ['id', 'values'],
      [
        ['4', [1, 2]],
        ['83', [3]],
      ],
    ],
  );
  await assert.rejects(readAll(fileOf(t, 'broken.json', '[{"id": 1},')), /broken\.json: expected JSON/);
});

test('sequences: lines of a user and items, with their positions', async (t) => {
  const { names, rows, lines } = await readAll(fileOf(t, 'train.txt', '0 5 6 7\n1 5\n2 8 9\n3 1 2 3 4\n'));
  assert.deepEqual(names, ['user', 'item', 'position']);
  assert.deepEqual(rows.slice(0, 4), [
    ['0', '5', 1],
    ['0', '6', 2],
    ['0', '7', 3],
    ['1', '5', 1],
  ]);
  assert.equal(rows.length, 10);
  assert.equal(lines.at(-1), 4);
});

test('lines that end with carriage returns alone are lines in every format of text', async (t) => {
  const sequences = '0 5 6 7\n1 5 8\n2 8 9\n3 1 2\n';
  const jsonLines = '{"user":"a","item":"x"}\n{"user":"b","item":"y"}\n';
  const csv = 'user,item\na,x\nb,y\n';
  for (const text of [sequences, jsonLines, csv]) {
    const expected = await readAll(fileOf(t, 'file.txt', text));
    for (const lineEnd of ['\r', '\r\n']) {
      const { rows, lines, names } = await readAll(fileOf(t, 'file.txt', text.replaceAll('\n', lineEnd)));
      assert.deepEqual([names, rows, lines], [expected.names, expected.rows, expected.lines]);
    }
  }
  const identifiers = fileOf(t, 'ids.txt', 'a\rb\rc\r');
  assert.deepEqual(await readIdentifiers(identifiers, 3), ['a', 'b', 'c']);
});

test('a file that is not a table is refused', async (t) => {
  await assert.rejects(readAll(fileOf(t, 'empty.csv', '')), /expected rows, got an empty file/);
  await assert.rejects(readAll(fileOf(t, 'blank.csv', '\n \n\n')), /expected rows, got an empty file/);
  await assert.rejects(
    readAll(
      fileOf(
        t,
        'picture.csv',
        Uint8Array.from({ length: 500 }, (_, i) => i % 251),
      ),
    ),
    /got unknown bytes/,
  );
  for (const [bytes, expected] of [
    ['\x93NUMPY\x01\0', /expected a table, got vectors \(\.npy\)/],
    ['PK\x03\x04\x14\0', /got a ZIP archive or an Excel workbook; extract it, or save the sheet as CSV/],
    ['\xd0\xcf\x11\xe0\xa1', /got an Excel workbook/],
    ['SQLite format 3\0', /got an SQLite database/],
    ['BZh91AY&SY\xff', /got a bzip2 file; decompress it first/],
    ['\xfd7zXZ\0', /got an xz file; decompress it first/],
    ['%PDF-1.7\n', /got a PDF/],
    ['user,item\na,b\nc\0,d\n', /got a NUL character in line 3$/],
  ] as const) {
    await assert.rejects(readAll(fileOf(t, 'other.csv', Buffer.from(bytes, 'latin1'))), expected);
  }
  const utf16 = Buffer.from('user,item\na,b\n', 'utf16le');
  for (const bytes of [utf16, Buffer.from(utf16).swap16()]) {
    await assert.rejects(readAll(fileOf(t, 'utf16.csv', bytes)), /got UTF-16 text without a byte order mark; save it/);
  }
  await assert.rejects(
    readAll(fileOf(t, 'x.parquet', Buffer.from(`PAR1${'\0'.repeat(100)}PAR1`))),
    /^DataError: .*expected a Parquet file, got one whose footer is damaged$/,
  );
  await assert.rejects(readAll('/nowhere/ratings.csv'), FileError);
  const path = fileOf(t, 'x.csv', 'a');
  writeFileSync(path, '');
  await assert.rejects(readAll(path.slice(0, -6)), /expected a file, got a folder/);
});
