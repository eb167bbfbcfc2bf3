/** Grouping of equal rows: against a map of their texts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { distinctRows } from '../../src/vectors/distinct-rows.ts';

test('groups are those of a map, in the order of their first rows', () => {
  const rows = fc.array(fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: 0, max: 1 })), { maxLength: 80 });
  fc.assert(
    fc.property(rows, (list) => {
      const { first, groupOf } = distinctRows(Float32Array.from(list.flat()), 2);
      const groups = new Map<string, number>();
      const expected = list.map((row) => {
        const text = row.join();
        if (!groups.has(text)) groups.set(text, groups.size);
        return groups.get(text)!;
      });
      assert.deepEqual([...groupOf], expected);
      assert.deepEqual(
        [...first],
        [...groups.values()].map((group) => expected.indexOf(group)),
      );
    }),
    { numRuns: 200, seed: 2 },
  );
});
