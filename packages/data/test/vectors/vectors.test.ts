import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { BruteForce } from 'shortlist';
import { openBytes } from '../../src/bytes/file-bytes.ts';
import { ReadLog } from '../../src/bytes/read-log.ts';
import { readIdentifiers } from '../../src/vectors/identifiers.ts';
import { openVectors, vectorDataset } from '../../src/vectors/open-vectors.ts';
import { DATA, fileOf, NEEDS_DATA } from '../files.ts';

/** A `.npy` file as NumPy writes it. */
function npy(descr: string, shape: readonly number[], data: Uint8Array, fortran = false, version = 1): Buffer {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${tuple}), }`;
  const prefix = version === 1 ? 10 : 12;
  const padded = `${text.padEnd(64 * Math.ceil((text.length + prefix + 1) / 64) - prefix - 1)}\n`;
  const head = Buffer.alloc(prefix);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  if (version === 1) head.writeUInt16LE(padded.length, 8);
  else head.writeUInt32LE(padded.length, 8);
  return Buffer.concat([head, Buffer.from(padded), data]);
}

const bytesOf = (array: ArrayBufferView): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength);

async function rowsOf(path: string, rowsPerBatch: number): Promise<number[][]> {
  const file = await openVectors(path);
  const rows: number[][] = [];
  for await (const { firstRow, rows: count, data } of file.batches({ rowsPerBatch })) {
    assert.equal(firstRow, rows.length);
    for (let row = 0; row < count; row++)
      rows.push([...data.subarray(row * file.dimensions, (row + 1) * file.dimensions)]);
  }
  assert.equal(rows.length, file.rows);
  return rows;
}

const ROWS = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
  [10, 11, 12],
  [0, 1, 127],
];
const FLAT = ROWS.flat();
const TURNED = [0, 1, 2].flatMap((column) => ROWS.map((row) => row[column]!));

test('.npy of every type, order and version', async (t) => {
  const cases: [string, Buffer][] = [
    ['f4', npy('<f4', [5, 3], bytesOf(Float32Array.from(FLAT)))],
    ['f8', npy('<f8', [5, 3], bytesOf(Float64Array.from(FLAT)))],
    ['u1', npy('|u1', [5, 3], Uint8Array.from(FLAT))],
    ['i1', npy('|i1', [5, 3], Uint8Array.from(FLAT))],
    ['i8', npy('<i8', [5, 3], bytesOf(BigInt64Array.from(FLAT, BigInt)))],
    ['big', npy('>f4', [5, 3], bytesOf(Float32Array.from(FLAT)).swap32())],
    ['f2', npy('<f2', [5, 3], bytesOf(Uint16Array.from(FLAT, half)))],
    ['fortran', npy('<f4', [5, 3], bytesOf(Float32Array.from(TURNED)), true)],
    ['version 2', npy('<f4', [5, 3], bytesOf(Float32Array.from(FLAT)), false, 2)],
  ];
  for (const [name, bytes] of cases) {
    const path = fileOf(t, 'vectors.npy', bytes);
    for (const rowsPerBatch of [2, 100]) assert.deepEqual(await rowsOf(path, rowsPerBatch), ROWS, name);
  }
});

/** Small whole numbers as float16. */
function half(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | ((value / 2 ** exponent - 1) * 1024);
}

test('fvecs, bvecs, ivecs and big-ann files', async (t) => {
  const prefixed = (make: (row: number[]) => Buffer): Buffer =>
    Buffer.concat(ROWS.flatMap((row) => [bytesOf(Int32Array.of(3)), make(row)]));
  const cases: [string, Buffer][] = [
    ['a.fvecs', prefixed((row) => bytesOf(Float32Array.from(row)))],
    ['a.bvecs', prefixed((row) => Buffer.from(row))],
    ['a.ivecs', prefixed((row) => bytesOf(Int32Array.from(row)))],
    ['a.fbin', Buffer.concat([bytesOf(Uint32Array.of(5, 3)), bytesOf(Float32Array.from(FLAT))])],
    ['a.bin', Buffer.concat([bytesOf(Uint32Array.of(5, 3)), bytesOf(Float32Array.from(FLAT))])],
    ['b.bin', Buffer.concat([bytesOf(Uint32Array.of(5, 3)), Buffer.from(FLAT)])],
    ['a.u8bin', Buffer.concat([bytesOf(Uint32Array.of(5, 3)), Buffer.from(FLAT)])],
    ['a.i8bin', Buffer.concat([bytesOf(Uint32Array.of(5, 3)), Buffer.from(FLAT)])],
  ];
  for (const [name, bytes] of cases) {
    assert.deepEqual(await rowsOf(fileOf(t, name, bytes), 2), ROWS, name);
    for (const cut of [bytes.length - 1, 5, 3, 0]) {
      await assert.rejects(
        openVectors(fileOf(t, name, bytes.subarray(0, cut))),
        { code: 'ERR_DATA' },
        `${name} of ${cut}`,
      );
    }
  }
});

test('a file that is not a matrix of numbers is refused with its type', async (t) => {
  const cases: [string, Buffer, RegExp][] = [
    [
      'one.npy',
      npy('<f4', [3], bytesOf(Float32Array.of(1, 2, 3))),
      /expected a matrix \[rows, dimensions\], got shape \(3\)/,
    ],
    ['object.npy', npy('|O', [3, 1], Buffer.alloc(24)), /expected numbers .*, got O/],
    ['short.npy', npy('<f4', [9, 9], Buffer.alloc(24)), /expected \d+ bytes for shape \(9, 9\), got \d+/],
    ['head.npy', npy('<f4', [9, 9], Buffer.alloc(0)).subarray(0, 40), /expected \d+ bytes at 8, got the end/],
    ['negative.npy', npy('<f4', [-1, 4], Buffer.alloc(0)), /expected a shape of whole numbers, got \(-1, 4\)/],
    ['none.npy', npy('<f4', [0, 3], Buffer.alloc(0)), /expected vectors, got none/],
    ['text.txt', Buffer.from('1 2 3'), /expected vectors \(\.npy/],
  ];
  for (const [name, bytes, message] of cases) await assert.rejects(openVectors(fileOf(t, name, bytes)), message, name);
});

test('a FIFO is refused before it is opened, which would wait for a writer for ever', async (t) => {
  const path = `${fileOf(t, 'words.txt', '')}.npy`;
  try {
    execFileSync('mkfifo', [path]);
  } catch {
    t.skip('this system has no mkfifo');
    return;
  }
  await assert.rejects(openVectors(path), { code: 'ERR_IO', message: /words\.txt\.npy: expected a file, got a FIFO/ });
  await assert.rejects(openBytes(path), { code: 'ERR_IO', message: /expected a file, got a FIFO/ });
});

test('identifiers: text is unchanged, empty and repeated ones are left out and reported, a wrong number is refused', async (t) => {
  const path = fileOf(t, 'ids.txt', '007\r\n7\r\n\r\n7\r\n é\r\n');
  const log = new ReadLog(path);
  assert.deepEqual(await readIdentifiers(path, 5, log), ['007', '7', '', '', ' é']);
  assert.deepEqual(
    log.firstBroken.map(({ line, reason }) => `${line}: ${reason}`),
    ['3: expected an identifier, got nothing', '4: expected a new identifier, got "7" of line 2 again'],
  );
  await assert.rejects(readIdentifiers(path, 5, new ReadLog(path, { strict: true })), /ids\.txt:3/);
  await assert.rejects(readIdentifiers(path, 4), /expected 4 identifiers, as many as vectors, got 5/);
  const large = fileOf(t, 'ids.npy', npy('<i8', [2], bytesOf(BigInt64Array.of(9007199254740993n, -1n))));
  assert.deepEqual(await readIdentifiers(large, 2), ['9007199254740993', '-1']);
});

test('vectors become an index without the rows that have no identifier', async (t) => {
  const vectors = await openVectors(fileOf(t, 'vectors.npy', npy('<f4', [5, 3], bytesOf(Float32Array.from(FLAT)))));
  const index = new BruteForce<never, string>();
  await index.indexFromDataset(vectorDataset(vectors, ['a', '', 'c', 'd', ''], { rowsPerBatch: 2 }));
  assert.equal(index.size, 3);
  assert.deepEqual(index.call([[1, 0, 0]], 3).identifiers(0), ['d', 'c', 'a']);
});

test('GloVe in float16 and Fortran order, and invisible words', { skip: NEEDS_DATA }, async () => {
  const glove = await openVectors(join(DATA!, 'glove-6b-50d/emb_f16.npy'));
  assert.deepEqual([glove.rows, glove.dimensions], [400_000, 50]);
  const words = await readIdentifiers(join(DATA!, 'glove-6b-50d/words.txt'), glove.rows);
  for await (const { data } of glove.batches({ rowsPerBatch: 4 })) {
    // The first number of `the` is 0.418 in the published file.
    assert.ok(Math.abs(data[0]! - 0.418) < 0.001);
    break;
  }
  assert.equal(words[0], 'the');
  const path = join(DATA!, 'wordvec-fr-20k-300/words.txt');
  const log = new ReadLog(path);
  await readIdentifiers(path, 20_000, log);
  assert.deepEqual(
    log.firstBroken.map(({ line }) => line),
    [51],
  );
});
