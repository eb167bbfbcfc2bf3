/** The tables of a query: corrections whose values are much larger than those of product blocks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Generator } from '../../src/random/generator.ts';
import { recallOf } from '../../src/topk/recall.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { flat, normalRows } from '../conformance/oracle.ts';

/** The recall@10 of a search of all leaves that scores 20 candidates again: it only depends on the codes and the tables. */
function recallOfCodes(
  base: readonly ArrayLike<number>[],
  queries: readonly ArrayLike<number>[],
  options: ScannOptions<ArrayLike<number>>,
): number {
  const index = new ScaNN({ tree: 'always', seed: 1, minLeafSize: 1, ...options }).index(flat(base));
  const truth = index.call(flat(queries), { k: 10, exact: true });
  return recallOf(index.call(flat(queries), { k: 10, leavesToSearch: options.numLeaves, reorder: 20 }), truth);
}

test('squared distance, leaves of different lengths: the norms do not make the tables of the blocks coarse', () => {
  const random = new Generator(3);
  const centres = normalRows(20, 32, 5).map((row) => {
    const length = 4 * random.uniform();
    return row.map((x) => length * x);
  });
  const around = (rows: number, seed: number): readonly ArrayLike<number>[] =>
    normalRows(rows, 32, seed).map((row, i) => row.map((x, t) => centres[i % 20]![t]! + x));
  const recall = recallOfCodes(around(2_000, 1), around(50, 2), { numLeaves: 20, distanceMeasure: 'squared_l2' });
  // Measured: .818; with one scale for the tables of norms and of blocks .752.
  assert.ok(recall > 0.79, `recall ${recall}`);
});

test('squared distance, one row ten times as long as the others: its norm does not make the tables coarse', () => {
  const base = normalRows(2_000, 32, 1);
  const far = base[0]!.map((x) => 10 * x);
  const recall = recallOfCodes([...base, far], normalRows(50, 32, 2), { numLeaves: 20, distanceMeasure: 'squared_l2' });
  // Measured: .684; with one scale .282.
  assert.ok(recall > 0.6, `recall ${recall}`);
});
