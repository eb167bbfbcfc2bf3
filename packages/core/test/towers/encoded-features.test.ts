/** Encoded features against plain lists: rows, distinct rows by content, joined columns, on all kinds of columns. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FeatureColumn } from '../../src/features/contract.ts';
import { EncodedFeatures } from '../../src/towers/encoded-features.ts';

interface PlainRow {
  id: number;
  bag: [id: number, weight: number][];
  floats: [number, number];
}

/** Columns of ids, of bags with and without weights, and of floats. `idScale` spreads the ids: distinct rows are found by table or map. */
function encoded(rows: readonly PlainRow[], idScale: number): EncodedFeatures {
  const offsets = new Int32Array(rows.length + 1);
  rows.forEach(({ bag }, i) => {
    offsets[i + 1] = offsets[i]! + bag.length;
  });
  const elements = rows.flatMap(({ bag }) => bag);
  const columns: FeatureColumn[] = [
    { kind: 'ids', ids: Int32Array.from(rows, ({ id }) => id * idScale) },
    {
      kind: 'bags',
      offsets,
      ids: Int32Array.from(elements, ([id]) => id),
      weights: Float32Array.from(elements, ([, weight]) => weight),
    },
    { kind: 'bags', offsets, ids: Int32Array.from(elements, ([id]) => id), weights: undefined },
    { kind: 'floats', dimensions: 2, values: Float32Array.from(rows.flatMap(({ floats }) => floats)) },
  ];
  return new EncodedFeatures(rows.length, columns);
}

/** The rows of encoded features as plain lists. */
function plain({ rows, columns }: EncodedFeatures): unknown[] {
  return Array.from({ length: rows }, (_, row) =>
    columns.map((column) => {
      if (column.kind === 'ids') return column.ids[row];
      if (column.kind === 'floats') return [...column.values.subarray(row * 2, row * 2 + 2)];
      const [from, to] = [column.offsets[row]!, column.offsets[row + 1]!];
      return [[...column.ids.slice(from, to)], column.weights && [...column.weights.slice(from, to)]];
    }),
  );
}

const row: fc.Arbitrary<PlainRow> = fc.record({
  id: fc.nat(2),
  bag: fc.array(fc.tuple(fc.nat(2), fc.constantFrom(0.5, 2)), { maxLength: 3 }),
  floats: fc.tuple(fc.constantFrom(0, 1), fc.constantFrom(0, 1.5)),
});
const rows = fc.array(row, { minLength: 1, maxLength: 50 });

test('slices, taken rows and joined rows are those of plain lists', () => {
  fc.assert(
    fc.property(rows, rows, fc.nat(49), fc.nat(49), fc.array(fc.nat(49)), (a, b, x, y, picked) => {
      const [features, all] = [encoded(a, 1), plain(encoded(a, 1))];
      const [begin, end] = [Math.min(x, y) % (a.length + 1), Math.max(x, y)].map((at) => Math.min(at, a.length));
      const [from, to] = [Math.min(begin!, end!), Math.max(begin!, end!)];
      assert.deepEqual(plain(features.slice(from, to)), all.slice(from, to));
      assert.deepEqual(plain(features.slice(from, to).slice(0, to - from)), all.slice(from, to));
      const order = picked.map((at) => at % a.length);
      assert.deepEqual(
        plain(features.take(Int32Array.from(order))),
        order.map((at) => all[at]),
      );
      assert.deepEqual(plain(features.concat(encoded(b, 1))), [...all, ...plain(encoded(b, 1))]);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('distinct rows: every row is in the group of its equals, by table or by map, in order of first appearance', () => {
  fc.assert(
    fc.property(rows, fc.constantFrom(1, 1_000_000), (list, scale) => {
      const all = encoded(list, scale);
      const { features, groupOf } = all.distinct();
      const [found, given] = [plain(features).map((value) => JSON.stringify(value)), plain(all)];
      assert.deepEqual(found, [...new Set(given.map((value) => JSON.stringify(value)))]);
      given.forEach((value, i) => {
        assert.equal(found[groupOf[i]!], JSON.stringify(value));
      });
    }),
    { seed: 4, numRuns: 200 },
  );
});

test('distinct rows of each kind of column alone, and of ids past 2³¹ groups × codes', () => {
  const list: PlainRow[] = Array.from({ length: 40 }, (_, i) => ({ id: i % 7, bag: [[i % 5, 1]], floats: [i % 3, 0] }));
  const counts = encoded(list, 1).columns.map((column) => new EncodedFeatures(40, [column]).distinct().features.rows);
  assert.deepEqual(counts, [7, 5, 5, 3]);
  assert.equal(encoded(list, 300_000_000).distinct().features.rows, 40);
});

test('columns of different kinds cannot be joined', () => {
  const ids = new EncodedFeatures(1, [{ kind: 'ids', ids: Int32Array.of(1) }]);
  const floats = new EncodedFeatures(1, [{ kind: 'floats', dimensions: 1, values: Float32Array.of(1) }]);
  assert.throws(() => ids.concat(floats), /features: expected columns of one kind, got ids and floats/);
});
