import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SavedSection } from '../../src/format/saved.ts';
import { TextColumn } from '../../src/format/text-column.ts';
import { Identifiers } from '../../src/topk/identifiers.ts';
import { RowsByText } from '../../src/topk/rows-by-text.ts';
import { saveIdentifiers } from '../../src/topk/saved-identifiers.ts';

const rowsOf = (table: { forEachRow(text: string, visit: (row: number) => void): void }, text: string): number[] => {
  const rows: number[] = [];
  table.forEachRow(text, (row) => rows.push(row));
  return rows;
};
const word = fc.oneof(fc.constantFrom('', 'a', 'b', 'é', '\ud800', '😀'), fc.string({ unit: 'binary', maxLength: 6 }));

test('every row of a text, ascending, and none of another; in both encodings', () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), word, (words, other) => {
      const table = new RowsByText(TextColumn.from(words));
      for (const text of [...words, other]) {
        assert.deepEqual(
          rowsOf(table, text),
          words.flatMap((word, row) => (word === text ? [row] : [])),
        );
      }
    }),
  );
});

test('saved with what was added: the bytes of all encoded at once, and none of the loaded ones encoded again', () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 30 }), fc.array(word, { maxLength: 30 }), (words, added) => {
      const column = TextColumn.from(words);
      const identifiers = new Identifiers<string>(words.length, column);
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
  );
});

test('numbers and bigints that were added are saved behind those that were loaded', () => {
  const cases = [
    [Float64Array.of(1.5, -2), [3, 7], 'numbers'],
    [BigInt64Array.of(5n, -6n), [7n], 'bigints'],
    [BigInt64Array.of(5n), [2n ** 70n], 'large-bigints'],
  ] as const;
  for (const [values, added, kind] of cases) {
    const identifiers = new Identifiers<number | bigint>(values.length, values);
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
      const identifiers = new Identifiers<string>(words.length, TextColumn.from(words));
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
  );
});
