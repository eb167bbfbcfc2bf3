/** Encoded columns as plain lists, and checks that every column must pass. */
import assert from 'node:assert/strict';
import type { Feature, FeatureColumn } from '../../src/features/contract.ts';

/** Ids, lists of ids or floats per row. */
export function rowsOf(column: FeatureColumn): unknown[] {
  if (column.kind === 'ids') return [...column.ids];
  if (column.kind === 'bags') {
    const { offsets, ids } = column;
    return Array.from({ length: offsets.length - 1 }, (_, row) => [...ids.subarray(offsets[row], offsets[row + 1])]);
  }
  const { dimensions: d, values } = column;
  return Array.from({ length: values.length / d }, (_, row) => [...values.subarray(row * d, (row + 1) * d)]);
}

/** The weights of lists per row. */
export function weightsOf(column: FeatureColumn): number[][] | undefined {
  if (column.kind !== 'bags' || column.weights === undefined) return undefined;
  const { offsets, weights } = column;
  return Array.from({ length: offsets.length - 1 }, (_, row) => [...weights.subarray(offsets[row], offsets[row + 1])]);
}

/** Shapes and ranges of a column of n rows, as the contract says. */
export function assertSound(feature: Feature, column: FeatureColumn, n: number): void {
  assert.equal(column.kind, feature.column);
  if (column.kind === 'floats') {
    assert.equal(feature.vocabularySize, 0);
    assert.equal(column.dimensions, feature.dimensions);
    assert.equal(column.values.length, n * feature.dimensions);
    assert.ok(column.values.every(Number.isFinite));
    return;
  }
  assert.equal(feature.dimensions, 0);
  assert.ok(
    column.ids.every((id) => id >= 0 && id < feature.vocabularySize),
    `${column.ids} of ${feature.vocabularySize}`,
  );
  if (column.kind === 'ids') assert.equal(column.ids.length, n);
  else {
    assert.equal(column.offsets.length, n + 1);
    assert.equal(column.offsets[0], 0);
    assert.equal(column.offsets[n], column.ids.length);
    assert.ok(column.offsets.every((each, i) => i === 0 || each >= column.offsets[i - 1]!));
    assert.ok(column.weights === undefined || column.weights.length === column.ids.length);
  }
}

/** Equal rows; floats to float32's precision. */
export function assertRows(actual: readonly unknown[], expected: readonly unknown[]): void {
  const plain = (rows: readonly unknown[]): unknown[] =>
    rows.map((row) => (Array.isArray(row) ? row.map((x: number) => Math.round(x * 1e5) / 1e5 + 0) : row));
  assert.deepEqual(plain(actual), plain(expected));
}
