/** An attribute as rules count it: whole columns are tested by codes, and say what the values of each row say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ruleColumn } from '../../src/attributes/rule-column.ts';
import { AttributeTable } from '../../src/attributes/table.ts';
import type { AttributeKind, AttributeValue } from '../../src/attributes/values.ts';

const word = fc.constantFrom('x', 'y', 'z');
const day = fc.constantFrom('2000-01-01', '2001-02-03', '2001-02-03T10:00:00.000Z');
const VALUES: { readonly [K in AttributeKind]: fc.Arbitrary<AttributeValue> } = {
  text: word,
  number: fc.integer({ min: -2, max: 2 }),
  boolean: fc.boolean(),
  date: day,
  list: fc.array(fc.oneof(word, fc.integer({ min: 1, max: 2 })), { maxLength: 4 }),
};

for (const [kind, value] of Object.entries(VALUES)) {
  test(`${kind}: a row has one of some values where one of its own is among them`, () => {
    const rows = fc.array(fc.option(value), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(rows, fc.array(fc.nat(39)), (values, wantedRows) => {
        const table = new AttributeTable();
        table.addColumn('x', values, kind as AttributeKind);
        const column = ruleColumn(table, 'x');
        const wanted = new Set(wantedRows.flatMap((row) => column.valuesOf(row)));
        const has = column.rowsWith(wanted);
        for (let row = 0; row < values.length + 2; row++) {
          const own = column.valuesOf(row);
          assert.deepEqual([...new Set(own)], own);
          assert.equal(
            has(row),
            own.some((one) => wanted.has(one)),
            `row ${row}`,
          );
        }
      }),
      { seed: 3 },
    );
  });
}

test('an attribute that no candidate has a value of limits nothing', () => {
  const column = ruleColumn(new AttributeTable(), 'x');
  assert.deepEqual([column.valuesOf(0), column.rowsWith(new Set(['x']))(0)], [[], false]);
});
