/** Identifiers are kept packed, come back as they were given, and are saved and loaded without being made again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PackedTexts } from '../../src/columns/packed-texts.ts';
import { FormatError } from '../../src/errors/errors.ts';
import { readSaved } from '../../src/format/part.ts';
import { containerSections, type Saved } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { CandidateBuilder } from '../../src/topk/candidate-builder.ts';
import { listColumn } from '../../src/topk/identifier-column.ts';
import { ValuesPiece } from '../../src/topk/identifier-pieces.ts';
import type { Identifier } from '../../src/topk/identifier-values.ts';
import { Identifiers } from '../../src/topk/identifiers.ts';
import { packedColumn } from '../../src/topk/packed-column.ts';
import { loadIdentifiers, saveIdentifiers } from '../../src/topk/saved-identifiers.ts';
import { anyText } from '../any-text.ts';
import { containerOf, runtime } from '../format/containers.ts';

/** One piece and some rows of the next. */
const ROWS = 65_536 + 10;
const at = (identifiers: Identifiers<Identifier>): Identifier[] =>
  Array.from({ length: identifiers.size }, (_, row) => identifiers.of(row));
const rowsOf = (identifiers: Identifiers<Identifier>, identifier: Identifier): number[] => {
  const rows: number[] = [];
  identifiers.forEachRow(identifier, (row) => rows.push(row));
  return rows;
};
const bytesOf = (identifiers: Identifiers<Identifier>): Uint8Array =>
  containerOf(containerSections(saveIdentifiers(identifiers)));
const load = (saved: Saved): Promise<Identifiers<Identifier>> => {
  const rows = saved.settings.rows as number;
  return readSaved(bytesSource(containerOf(containerSections(saved))), (root) => loadIdentifiers(root, rows), runtime);
};
const listOf = (make: (row: number) => Identifier): Identifier[] => Array.from({ length: ROWS }, (_, row) => make(row));

/** Identifiers, the array or class in which 65,536 of them are kept, and the kind in which they are saved. */
const KINDS: Readonly<
  Record<string, [(row: number) => Identifier, (new (...given: never[]) => unknown) | undefined, string]>
> = {
  'whole numbers': [(row) => (row * 7_919) % 65_521, Int32Array, 'integers'],
  'numbers beyond 32 bits': [(row) => 2 ** 40 - row, Float64Array, 'numbers'],
  '−0 among whole numbers': [(row) => (row === 5 ? -0 : row), Float64Array, 'numbers'],
  'bigints of 64 bits': [(row) => BigInt(row % 1_000) - 2n ** 63n, BigInt64Array, 'bigints'],
  'larger bigints': [(row) => BigInt(row) + 2n ** 64n, Array, 'large-bigints'],
  texts: [(row) => `é${row % 50_000}\0`, PackedTexts, 'strings'],
  'texts without UTF-8': [(row) => (row === 9 ? '\ud800' : `a${row}`), Array, 'strings'],
};

for (const [name, [make, kept, kind]] of Object.entries(KINDS)) {
  test(`${name}: packed, found, added to, saved and loaded`, async () => {
    const list = listOf(make);
    const identifiers = new Identifiers<Identifier>(ROWS, list, 0, packedColumn);
    const piece = identifiers.pieces()![0]!;
    const values = piece instanceof ValuesPiece ? (piece.values as unknown) : piece;
    assert.ok(values instanceof kept!, `kept as ${(values as object).constructor.name}`);
    assert.equal(identifiers.pieces()![0], piece, 'not packed for this call');
    const added = list[3]!;
    identifiers.add(added);
    const loaded = await load(saveIdentifiers(identifiers));
    for (const each of [identifiers, loaded]) {
      assert.ok(at(each).every((identifier, row) => Object.is(identifier, row === ROWS ? added : list[row])));
      for (const row of [0, 3, 5, 9, 40_000, ROWS - 1]) {
        const expected = [...list, added].flatMap((identifier, other) => (identifier === list[row] ? [other] : []));
        assert.deepEqual(rowsOf(each, list[row]!), expected);
      }
      assert.equal(saveIdentifiers(each).kind, kind);
    }
  });
}

test('rows are those of a list, whatever is added when', () => {
  const kinds = fc.constantFrom<(n: number) => Identifier>(
    (n) => n - 3,
    (n) => n / 2,
    BigInt,
    (n) => BigInt(n) << 62n,
    (n) => 'xé\ud800\0'.slice(n % 4, 4) + String(n >> 2),
  );
  const columns = fc.constantFrom(packedColumn, listColumn);
  const numbers = fc.array(fc.nat(12), { maxLength: 40 });
  fc.assert(
    fc.property(kinds, numbers, numbers, fc.boolean(), columns, (make, first, more, isPrepared, columnOf) => {
      const list = first.map(make);
      const identifiers = new Identifiers<Identifier>(list.length, list.slice(), 0, columnOf);
      if (isPrepared) for (const _ of identifiers.preparation());
      for (const number of more) {
        list.push(make(number));
        identifiers.add(make(number));
        const expected = list.flatMap((each, row) => (each === make(number) ? [row] : []));
        assert.deepEqual(rowsOf(identifiers, make(number)), expected);
      }
      assert.deepEqual(at(identifiers), list);
      assert.deepEqual(identifiers.size > 0 ? rowsOf(identifiers, make(99)) : [], []);
    }),
    { seed: 4 },
  );
});

test('rows added after lookups are found in tables of their own, repeated ones in all of them', () => {
  const identifiers = new Identifiers<Identifier>(3, ['a', 'b', 'a'], 0, packedColumn);
  assert.deepEqual(rowsOf(identifiers, 'a'), [0, 2]);
  // The first table of added rows has 4,096, the second 8,192.
  for (let i = 0; i < 15_000; i++) identifiers.add(i % 5_000 === 0 ? 'a' : `n${i % 7_000}`);
  assert.deepEqual(rowsOf(identifiers, 'a'), [0, 2, 3, 5_003, 10_003]);
  assert.deepEqual(rowsOf(identifiers, 'n6999'), [7_002, 14_002]);
  assert.deepEqual(rowsOf(identifiers, 'n7000'), []);
});

test('one identifier in every row takes as long as different ones, not the square of it', () => {
  const identifiers = new Identifiers<Identifier>(ROWS, new Array<string>(ROWS).fill('same'), 0, packedColumn);
  assert.deepEqual(
    rowsOf(identifiers, 'same'),
    Array.from({ length: ROWS }, (_, row) => row),
  );
});

test('row numbers stay unstored when other numbers are added to them', async () => {
  const identifiers = new Identifiers<Identifier>(1_000_000, undefined, 0, packedColumn);
  identifiers.add(5);
  identifiers.add(-1);
  const [base] = identifiers.pieces()!;
  assert.ok(base instanceof ValuesPiece && !ArrayBuffer.isView(base.values) && !Array.isArray(base.values));
  assert.deepEqual(
    [rowsOf(identifiers, 5), rowsOf(identifiers, -1), rowsOf(identifiers, 1_000_000)],
    [[5, 1_000_000], [1_000_001], []],
  );
  const loaded = await load(saveIdentifiers(identifiers));
  assert.deepEqual([loaded.of(999_999), rowsOf(loaded, 5)], [999_999, [5, 1_000_000]]);
});

test('batches of a data set are packed as they come', () => {
  const sink = { rows: 0, append: (source: { rows: number }) => (sink.rows += source.rows) };
  const builder = new CandidateBuilder<string>(sink, packedColumn);
  for (let batch = 0; batch < 5; batch++) {
    const names = Array.from({ length: 20_000 }, (_, i) => `${batch}-${i}`);
    builder.addBatch([names, { data: new Float32Array(20_000), dimensions: 1 }]);
  }
  const identifiers = builder.identifiers();
  assert.deepEqual(
    identifiers.pieces()!.map((piece) => [piece instanceof PackedTexts, piece.length]),
    [
      [true, 65_536],
      [true, 34_464],
    ],
  );
  const part = builder.part(60_000, 60_003);
  assert.deepEqual(at(part), ['3-0', '3-1', '3-2']);
  assert.deepEqual([rowsOf(part, '3-1'), rowsOf(part, '2-1')], [[1], []]);
});

test('text beyond the limit of a column is saved in parts, which load as one column', async () => {
  const texts = fc.array(anyText({ maxLength: 4 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 5 }), texts, async (lists, added) => {
      let identifiers = new Identifiers<Identifier>(lists[0]!.length, lists[0]);
      for (const list of lists.slice(1)) {
        identifiers = await load(saveIdentifiers(identifiers, 'string', 6));
        for (const text of list) identifiers.add(text);
      }
      const list = lists.flat();
      const loaded = await load(saveIdentifiers(identifiers, 'string', 6));
      assert.deepEqual(at(loaded), list);
      for (const text of added) {
        const expected = list.flatMap((each, row) => (each === text ? [row] : []));
        assert.deepEqual(rowsOf(loaded, text), expected);
      }
      assert.deepEqual(bytesOf(loaded), bytesOf(new Identifiers<Identifier>(list.length, list)));
    }),
    { seed: 5, numRuns: 40 },
  );
});

test('damaged columns are refused by name', async () => {
  const good = saveIdentifiers(new Identifiers<Identifier>(2, ['ab', 'c']));
  const [text, ends] = good.sections as [Saved['sections'][0], Saved['sections'][0]];
  const endsOf = (...values: number[]): Saved['sections'][0] => ({
    ...ends,
    bytes: new Uint8Array(Uint32Array.from(values).buffer),
  });
  const integers = saveIdentifiers(new Identifiers<Identifier>(2, [1, 2]));
  const large = saveIdentifiers(new Identifiers<Identifier>(1, [2n ** 70n]));
  const noDigits = { ...large.sections[0]!, bytes: large.sections[0]!.bytes as Uint8Array };
  noDigits.bytes = new TextEncoder().encode(
    '-0'.padStart(
      [noDigits.bytes].flat().reduce((n, b) => n + b.length, 0),
      '0',
    ),
  );
  const inParts = { kind: 'strings-in-parts', sections: [], parts: { 'part-0': good } };
  for (const [saved, section, message] of [
    [{ ...good, sections: [text, endsOf(2, 1)] }, 'ends', /ascending ends, got 1 in row 1/],
    [{ ...good, sections: [text, endsOf(2, 4)] }, 'ends', /last end to be 3, got 4/],
    [{ ...integers, settings: { rows: 3 } }, 'values', /expected 12 bytes, got 8/],
    [{ ...large, sections: [noDigits, large.sections[1]!] }, 'text', /expected an integer in row 0/],
    [{ ...inParts, settings: { rows: 3, parts: 1 } }, 'settings', /expected the 2 rows of all parts, got 3/],
    [{ ...inParts, settings: { rows: 2, parts: 2 } }, 'settings', /part-1/],
    [{ ...inParts, settings: { rows: 2, parts: 0 } }, 'settings', /parts/],
  ] as const) {
    await assert.rejects(load(saved as Saved), (error) => {
      assert.ok(error instanceof FormatError, String(error));
      assert.equal(error.section, section);
      assert.match(error.message, message);
      return true;
    });
  }
});
