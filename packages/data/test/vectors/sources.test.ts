/** Vectors of Parquet files and of bundles, with their identifiers. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BruteForce, ScaNN } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { ReadLog } from '../../src/bytes/read-log.ts';
import type { VectorFile } from '../../src/vectors/contract.ts';
import { distinctIdentifiers } from '../../src/vectors/identifiers.ts';
import { openVectors } from '../../src/vectors/open-vectors.ts';
import { fileOf, golden } from '../files.ts';

async function rowsOf(file: VectorFile): Promise<number[][]> {
  const rows: number[][] = [];
  for await (const { firstRow, rows: count, data } of file.batches({ rowsPerBatch: 2 })) {
    assert.equal(firstRow, rows.length);
    for (let i = 0; i < count; i++) rows.push([...data.subarray(i * file.dimensions, (i + 1) * file.dimensions)]);
  }
  return rows;
}

const ROWS = Array.from({ length: 5 }, (_, i) => [i, i + 0.5, i === 0 ? 0 : -i]);

test('Parquet: the column of lists of numbers, and identifiers of the column named id', async () => {
  const file = await openVectors(golden('vectors.parquet'));
  assert.deepEqual([file.rows, file.dimensions], [5, 3]);
  assert.equal(file.description, 'Parquet, column embedding, identifiers of the column item_id');
  for (let pass = 0; pass < 2; pass++) assert.deepEqual(await rowsOf(file), ROWS);
  assert.deepEqual(await file.identifiers!(), ['i0', 'i1', 'i2', 'i3', 'i4']);
});

test('Parquet: columns by name; several columns of vectors, unknown names and other files are refused', async (t) => {
  const path = golden('vectors-two-columns.parquet');
  const file = await openVectors(path, { vectorColumn: 'embedding', identifierColumn: 'title' });
  assert.deepEqual(await rowsOf(file), ROWS);
  assert.deepEqual(await file.identifiers!(), ['a', 'b', 'c', 'd', 'e']);
  assert.equal((await openVectors(path, { vectorColumn: 'other' })).identifiers, undefined);
  await assert.rejects(openVectors(path), /expected one column of vectors, or the name of one, got embedding, other/);
  await assert.rejects(
    openVectors(path, { vectorColumn: 'vectors' }),
    /expected one of the columns sku, .*, got vectors/,
  );
  await assert.rejects(openVectors(path, { vectorColumn: 'title' }), { code: 'ERR_DATA' });
  const interactions = golden('interactions-snappy.parquet');
  await assert.rejects(openVectors(interactions), /expected one column of vectors, .*got none among user_id/);
  const fvecs = fileOf(t, 'a.fvecs', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
  await assert.rejects(
    openVectors(fvecs, { vectorColumn: 'x' }),
    /expected a Parquet file with the column x, got a file of another format/,
  );
});

test('a bundle: the candidates that were not deleted, of an exact and of an approximate index', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-vectors-'));
  try {
    const path = join(folder, 'saved');
    const names = ROWS.map((_, i) => `name ${i}`);
    const few = { trainingIterations: 1, minLeafSize: 1, reorder: 'float32' } as const;
    for (const index of [new BruteForce(), new ScaNN({ tree: 'always', numLeaves: 2, soar: 1, ...few })]) {
      index.index(ROWS, names).delete(['name 1']);
      await saveBundle(path, { index });
      const file = await openVectors(path);
      assert.deepEqual([file.rows, file.dimensions, file.description], [4, 3, 'bundle (float32)']);
      for (let pass = 0; pass < 2; pass++) assert.deepEqual(await rowsOf(file), ROWS.toSpliced(1, 1));
      assert.deepEqual(await file.identifiers!(), names.toSpliced(1, 1));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('repeated identifiers of a file are left out and reported', () => {
  const log = new ReadLog('vectors');
  assert.deepEqual(distinctIdentifiers('vectors', ['a', 'b', 'a', ''], 4, log), ['a', 'b', '', '']);
  assert.equal(log.broken, 2);
  assert.throws(
    () => distinctIdentifiers('vectors', ['a'], 2, log),
    /expected 2 identifiers, as many as vectors, got 1/,
  );
});
