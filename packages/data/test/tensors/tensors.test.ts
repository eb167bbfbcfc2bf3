/** Files of tensors: those of other programs, ours read again, and damaged ones. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Tensor } from 'shortlist/training';
import { readTensors, writeTensors } from '../../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-tensors-'));
after(() => rmSync(folder, { recursive: true }));

/** Files that the safetensors and NumPy of Python wrote (golden/make-tensors.py). */
const golden = (name: string): string => fileURLToPath(new URL(`../../../test/golden/${name}`, import.meta.url));

const plain = (tensors: readonly Tensor[]): Record<string, unknown> =>
  Object.fromEntries(tensors.map(({ name, shape, data }) => [name, { shape: [...shape], data: [...data] }]));

test('tensors of every type that Python wrote', async () => {
  const numbers = { shape: [2, 3], data: [0, 1, -2, 3.5, 0.25, 100] };
  const whole = { shape: [3], data: [1, 2, 100] };
  assert.deepEqual(plain(await readTensors(golden('tensors.safetensors'))), {
    f64: numbers,
    f32: numbers,
    f16: numbers,
    bf16: numbers,
    i64: whole,
    u8: whole,
    i8: whole,
    one: { shape: [], data: [7] },
    none: { shape: [0, 4], data: [] },
  });
  assert.deepEqual(plain(await readTensors(golden('matrix.npy'))), { matrix: numbers });
  assert.deepEqual(plain(await readTensors(golden('fortran.npy'))), { fortran: numbers });
  assert.deepEqual(plain(await readTensors(golden('vector.npy'))), { vector: whole });
});

test('tensors that are written are read again, under names of any kind', async () => {
  const tensors: Tensor[] = [
    { name: '__proto__', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
    { name: 'layers.0.bias', shape: [3], data: Float32Array.of(-1, 0, 1e30) },
    { name: 'ü "x"', shape: [], data: Float32Array.of(5) },
  ];
  const path = join(folder, 'a.safetensors');
  await writeTensors(path, tensors, { format: 'shortlist' });
  assert.deepEqual(await readTensors(path), tensors);
  const bytes = readFileSync(path);
  assert.equal(bytes.readBigUInt64LE(0) % 8n, 0n);
  await writeTensors(join(folder, 'm.npy'), tensors.slice(1, 2));
  assert.deepEqual(plain(await readTensors(join(folder, 'm.npy'))), { m: { shape: [3], data: [...tensors[1]!.data] } });
  await assert.rejects(writeTensors(join(folder, 'm.npy'), tensors), /one tensor for a \.npy, got 3/);
  await assert.rejects(writeTensors(path, [tensors[1]!, tensors[1]!]), /got "layers\.0\.bias" twice/);
  await assert.rejects(
    writeTensors(path, [{ ...tensors[1]!, shape: [4] }]),
    /expected the numbers of shape \[4\], got 3/,
  );
  assert.deepEqual(await readTensors(path), tensors, 'a write that fails leaves the file');
  await assert.rejects(writeTensors(join(folder, 'a.pt'), tensors), /ending \.safetensors or \.npy, got \.pt/);
  await assert.rejects(readTensors(join(folder, 'none.safetensors')), { code: 'ERR_IO' });
});

test('damaged files are refused: every prefix, and headers that lie', async () => {
  const good = readFileSync(golden('tensors.safetensors'));
  const path = join(folder, 'damaged.safetensors');
  for (let length = 0; length < good.length; length += length < 16 ? 1 : 37) {
    writeFileSync(path, good.subarray(0, length));
    await assert.rejects(readTensors(path), { code: 'ERR_DATA' }, `${length} bytes`);
  }
  const forged = async (header: unknown, dataBytes: number, message: RegExp): Promise<void> => {
    const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(text.length));
    writeFileSync(path, Buffer.concat([size, text, Buffer.alloc(dataBytes)]));
    await assert.rejects(readTensors(path), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_DATA');
      assert.match(error.message, message);
      return true;
    });
  };
  const of = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype = 'F32'): unknown => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  });
  await forged('{"a":', 0, /expected JSON/);
  await forged([], 0, /a map of tensors/);
  await forged({ a: null }, 0, /a dtype of .*got undefined/);
  await forged({ a: of(0, 8) }, 4, /expected 8 bytes of numbers, got 4/);
  await forged({ a: of(0, 8) }, 12, /expected 8 bytes of numbers, got 12/);
  await forged({ a: of(0, 8), b: of(4, 12) }, 12, /"b": expected it at byte 8, got 4/);
  await forged({ a: of(4, 8) }, 8, /"a": expected it at byte 0, got 4/);
  await forged({ a: of(0, 8, [2 ** 30, 2 ** 30]) }, 8, /bytes, got 8/);
  await forged({ a: of(0, 8, [-2]) }, 8, /expected a shape, got \[-2\]/);
  await forged({ a: of(8, 0, [2]) }, 8, /expected data_offsets/);
  await forged({ a: of(0, 8, [1], 'F8_E4M3') }, 8, /got "F8_E4M3"/);
});
