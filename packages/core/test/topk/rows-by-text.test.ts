import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TextColumn } from '../../src/format/text-column.ts';
import { Identifiers } from '../../src/topk/identifiers.ts';
import { RowsByText } from '../../src/topk/rows-by-text.ts';

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
