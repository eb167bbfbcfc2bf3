import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SavedSection } from '../../src/format/saved.ts';
import { TextColumn } from '../../src/format/text-column.ts';
import { finish } from '../../src/parallel/steps.ts';
import type { Identifier } from '../../src/topk/contract.ts';
import { listColumn } from '../../src/topk/identifier-column.ts';
import { ValuesPiece } from '../../src/topk/identifier-pieces.ts';
import type { IdentifierValues } from '../../src/topk/identifier-values.ts';
import { Identifiers } from '../../src/topk/identifiers.ts';
import { PackedColumn, packedColumn } from '../../src/topk/packed-column.ts';
import { RowsByHash } from '../../src/topk/rows-by-hash.ts';
import { saveIdentifiers } from '../../src/topk/saved-identifiers.ts';
import { anyText } from '../any-text.ts';

const rowsOf = <I>(
  table: { forEachRow(identifier: I, visit: (row: number) => void): void },
  identifier: I,
): number[] => {
  const rows: number[] = [];
  table.forEachRow(identifier, (row) => rows.push(row));
  return rows;
};
const tableOf = <I extends Identifier>(values: IdentifierValues<I>): RowsByHash<I> =>
  finish(RowsByHash.steps(new PackedColumn(values)));
const word = fc.oneof(fc.constantFrom('', 'a', 'b', 'é', '\ud800', '😀'), anyText({ maxLength: 6 }));

test('every row of a text, ascending, and none of another; in both encodings', () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), word, (words, other) => {
      const table = tableOf(TextColumn.from(words));
      for (const text of [...words, other]) {
        assert.deepEqual(
          rowsOf(table, text),
          words.flatMap((word, row) => (word === text ? [row] : [])),
        );
      }
    }),
    { seed: 1 },
  );
});

test('rows of numbers and of bigints, −0 being 0, and none for what 64 bits cannot hold', () => {
  const numbers = tableOf(Float64Array.of(3, -0, 2.5, 3, 0, 2 ** 60));
  assert.deepEqual(
    [3, 0, -0, 2.5, 2 ** 60, 4].map((value) => rowsOf(numbers, value)),
    [[0, 3], [1, 4], [1, 4], [2], [5], []],
  );
  const bigints = tableOf(BigInt64Array.of(3n, -1n, 3n));
  assert.deepEqual(
    [3n, -1n, 2n ** 64n - 1n, 7n].map((value) => rowsOf(bigints, value)),
    [[0, 2], [1], [], []],
  );
});

test('a table is built in steps of some thousand rows, and none for numbers that ascend', () => {
  const rows = 30_000;
  for (const at of [(row: number) => row % 10_000, (row: number) => row >> 1]) {
    let [hashed, read] = [0, 0];
    const isAscending = at(rows - 1) > at(9_999);
    const column = new (class extends ValuesPiece<number> {
      override hashAt(row: number): number {
        hashed++;
        return super.hashAt(row);
      }
      override at(row: number): number {
        read++;
        return super.at(row);
      }
    })({ length: rows, at });
    const steps = RowsByHash.steps(column);
    for (let step = steps.next(); ; step = steps.next()) {
      assert.ok(hashed <= 1024 && read <= 1 << 15, `${hashed} rows hashed and ${read} read in a step`);
      [hashed, read] = [isAscending ? hashed : 0, 0];
      if (!step.done) continue;
      assert.equal(hashed, 0);
      assert.deepEqual(rowsOf(step.value, 9_999), isAscending ? [19_998, 19_999] : [9_999, 19_999, 29_999]);
      assert.deepEqual(
        [-1, 0.5, 40_000].flatMap((other) => rowsOf(step.value, other)),
        [],
      );
      break;
    }
  }
});

test('identifiers prepared in steps are found as others are, those added between the steps too', () => {
  const bases = [
    TextColumn.from(['a', 'b', 'a']),
    Float64Array.of(1, 2, 1),
    BigInt64Array.of(1n, 2n, 1n),
    ['x', 'y', 'x'],
  ];
  for (const [columnOf, base] of bases.flatMap((each) => [packedColumn, listColumn].map((of) => [of, each] as const))) {
    const identifiers = new Identifiers<Identifier>(3, base as never, 0, columnOf);
    const steps = identifiers.preparation();
    steps.next();
    identifiers.add(base.at(0)!);
    finish(steps);
    const found: number[] = [];
    identifiers.forEachRow(base.at(0)!, (row) => found.push(row));
    assert.deepEqual(found, [0, 2, 3]);
    assert.deepEqual([...identifiers.preparation()], [], 'prepared once');
  }
});

test('saved with what was added: the bytes of all encoded at once, and none of the loaded ones encoded again', () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 30 }), fc.array(word, { maxLength: 30 }), (words, added) => {
      const column = TextColumn.from(words);
      const identifiers = new Identifiers<string>(words.length, column, 0, packedColumn);
      for (const text of added) identifiers.add(text);
      const saved = saveIdentifiers(identifiers);
      const whole = TextColumn.from([...words, ...added]);
      const bytes = ({ bytes }: SavedSection): Buffer => Buffer.concat([bytes].flat() as Uint8Array[]);
      if (saved.settings.encoding === whole.encoding) {
        assert.deepEqual(saved.sections.map(bytes), whole.sections().map(bytes));
      } else assert.equal(saved.settings.encoding, 'utf-16le', 'a column in UTF-16 stays so');
      const [first] = [saved.sections[0]!.bytes].flat();
      if (saved.settings.encoding === column.encoding) assert.equal(first, column.sections()[0]!.bytes);
    }),
    { seed: 2 },
  );
});

test('numbers and bigints that were added are saved behind those that were loaded', () => {
  const cases = [
    [Float64Array.of(1.5, -2), [3, 7], 'numbers'],
    [BigInt64Array.of(5n, -6n), [7n], 'bigints'],
    [BigInt64Array.of(5n), [2n ** 70n], 'large-bigints'],
  ] as const;
  for (const [values, added, kind] of cases) {
    const identifiers = new Identifiers<number | bigint>(values.length, values, 0, packedColumn);
    for (const each of added) identifiers.add(each);
    const saved = saveIdentifiers(identifiers);
    const whole = saveIdentifiers(new Identifiers<number | bigint>(identifiers.size, [...values, ...added]));
    assert.equal(saved.kind, kind);
    const bytes = ({ bytes }: SavedSection): Buffer => Buffer.concat([bytes].flat() as Uint8Array[]);
    assert.deepEqual(saved.sections.map(bytes), whole.sections.map(bytes));
  }
});

test('identifiers that are added stand behind those of a column', () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 30 }), fc.array(word, { maxLength: 30 }), (words, added) => {
      const identifiers = new Identifiers<string>(words.length, TextColumn.from(words), 0, packedColumn);
      const all = [...words];
      for (const text of added) {
        identifiers.add(text);
        all.push(text);
        assert.deepEqual(
          rowsOf(identifiers, text),
          all.flatMap((word, row) => (word === text ? [row] : [])),
        );
      }
      assert.equal(identifiers.size, all.length);
      assert.deepEqual(
        all.map((_, row) => identifiers.of(row)),
        all,
      );
      assert.equal(identifiers.values!.length, all.length);
    }),
    { seed: 3 },
  );
});

test('what was looked up before is found again: one row, several, none, and after more values than are remembered', () => {
  const words = Array.from({ length: 40_000 }, (_, i) => `w${i % 39_990}`);
  const table = tableOf(TextColumn.from(words));
  for (let round = 0; round < 2; round++) {
    for (const row of [0, 9, 10, 39_989]) {
      assert.deepEqual(rowsOf(table, `w${row}`), row < 10 ? [row, 39_990 + row] : [row]);
      assert.deepEqual(rowsOf(table, `w${row}`), row < 10 ? [row, 39_990 + row] : [row]);
    }
    for (const other of ['toString', 'w40000', '']) assert.deepEqual(rowsOf(table, other), []);
    for (const [row, word] of words.entries()) assert.ok(rowsOf(table, word).includes(row));
  }
  const numbers = tableOf(Float64Array.of(0, 5));
  for (const zero of [0, -0, 0]) {
    const rows: number[] = [];
    numbers.forEachRow(zero, (row) => rows.push(row));
    assert.deepEqual(rows, [0]);
  }
});
