/**
 * The gradients of embedding tables in one step of training, from all features and towers that read them. They are
 * summed for each id, and each table is stepped once.
 *
 * Several features, also of both towers, may share a table. The terms of the sum of an id have a fixed order (the order
 * in which the uses were added, and the order of the rows of a use), so results have the same bits on any number of
 * threads.
 */

import { checkArgument } from '../checks/arguments.ts';
import { objectWith } from '../checks/options.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { checkTable } from '../embeddings/table-lock.ts';
import { OPTIMIZER, type SparseOptimizer } from '../optimizers/contract.ts';
import { MATRIX, type Matrix } from '../vectors/matrix.ts';
import { unfilledMatrix } from '../vectors/unfilled.ts';
import { distinctFeatures } from './distinct-features.ts';
import type { WeightedIds } from './embedding-bag.ts';
import { RowAdder } from './row-sums.ts';

/** The ids that a feature embedded with a table, and the gradient of the resulting vectors. */
export interface TableUse extends WeightedIds {
  /** [rows, stride] the gradient of the vectors. */
  gradient: Matrix;
  /** The first column of the feature in `gradient`. */
  column: number;
  /** True where each row has one id and no id occurs twice, so that no gradients have to be summed. */
  isDistinct: boolean;
}

const USE = objectWith('ids and the gradient of their vectors', 'ids', 'gradient');

/** The gradients of tables, collected until `step`. */
export class TableGradients {
  readonly #uses = new Map<EmbeddingTable, TableUse[]>();
  /** Matrices that the uses read, freed after the step. */
  readonly #held = new Set<Matrix>();

  /** Add a use of a table. The matrix of its gradient must not change until `step`. */
  add(table: EmbeddingTable, use: TableUse): void {
    checkTable(table);
    checkArgument('use', use, USE);
    const uses = this.#uses.get(table);
    if (uses) uses.push(use);
    else this.#uses.set(table, [use]);
  }

  /** Keep a matrix until `step`, which then frees it. */
  hold(matrix: Matrix): void {
    this.#held.add(checkArgument('matrix', matrix, MATRIX));
  }

  /** Step every table once by the sums of its gradients. */
  step(optimizer: SparseOptimizer): void {
    checkArgument('optimizer', optimizer, OPTIMIZER);
    for (const [table, uses] of this.#uses) stepTable(table, uses, optimizer);
    this.#uses.clear();
    for (const matrix of this.#held) matrix.free();
    this.#held.clear();
  }
}

function stepTable(table: EmbeddingTable, uses: readonly TableUse[], optimizer: SparseOptimizer): void {
  const [only] = uses;
  if (uses.length === 1 && only!.isDistinct) {
    table.applyGradient(only!.ids, only!.gradient, optimizer);
    return;
  }
  const { runtime } = only!.gradient;
  const ids = new Int32Array(uses.reduce((sum, use) => sum + use.ids.length, 0));
  let at = 0;
  for (const use of uses) {
    ids.set(use.ids, at);
    at += use.ids.length;
  }
  if (ids.length === 0) return;
  const { first, groupOf } = distinctFeatures([{ kind: 'ids', ids }], ids.length);
  const offsets = new Int32Array(first.length + 1);
  for (const group of groupOf) offsets[group + 1]!++;
  for (let group = 0; group < first.length; group++) offsets[group + 1] = offsets[group + 1]! + offsets[group]!;
  const summed = unfilledMatrix(first.length, table.dimensions, runtime);
  new RowAdder(runtime).sum({ offsets, ...sortedUses(uses, groupOf, offsets) }, table.dimensions, summed);
  table.applyGradient(
    first.map((use) => ids[use]!),
    summed,
    optimizer,
  );
  summed.free();
}

/** The place of the gradient of each use and its weight, sorted by group and in the order of the uses in each. */
function sortedUses(
  uses: readonly TableUse[],
  groupOf: Int32Array,
  offsets: Int32Array,
): { places: Int32Array; weights: Float32Array | undefined } {
  const next = offsets.slice();
  const places = new Int32Array(groupOf.length);
  const weighted = uses.some(({ weights }) => weights);
  const sorted = weighted ? new Float32Array(groupOf.length) : undefined;
  let use = 0;
  for (const { offsets: rows, weights, gradient, column } of uses) {
    const base = gradient.offset / 4 + column;
    for (let row = 0; row + 1 < rows.length; row++) {
      for (let i = rows[row]!; i < rows[row + 1]!; i++) {
        const at = next[groupOf[use++]!]!++;
        places[at] = base + row * gradient.dimensions;
        if (sorted) sorted[at] = weights ? weights[i]! : 1;
      }
    }
  }
  return { places, weights: sorted };
}
