/**
 * The inputs of a tower: turns raw features into columns of ids and these into concatenated embeddings, and passes
 * gradients of the embeddings to the tables.
 */

import { assert } from '../checks/assert.ts';
import { shown } from '../checks/numbers.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import type { StringLookup } from '../embeddings/string-lookup.ts';
import { OptionError } from '../errors/errors.ts';
import type { FeatureColumn } from '../features/contract.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { Matrix } from '../vectors/matrix.ts';
import { EncodedFeatures } from './encoded-features.ts';

/** Raw features of one row: a word, or named words. */
export type Features = string | Readonly<Record<string, string>>;

/** An embedded feature; the name is empty for a tower of one plain feature. */
export interface TowerInput {
  name: string;
  lookup: StringLookup;
  table: EmbeddingTable;
}

/** Width of the concatenated embeddings. */
export function embeddedWidth(inputs: readonly TowerInput[]): number {
  return inputs.reduce((sum, { table }) => sum + table.dimensions, 0);
}

/** Encode raw features. A tower with one named feature also accepts the word itself. */
export function encodeFeatures(inputs: readonly TowerInput[], features: readonly Features[]): EncodedFeatures {
  const width = inputs.length;
  const plain = width === 1 && inputs[0]!.name === '';
  const columns = inputs.map(({ name, lookup }) => {
    const words = plain ? (features as readonly string[]) : features.map((row, i) => wordOf(row, name, width, i));
    return { kind: 'ids' as const, ids: lookup.encode(words) };
  });
  return new EncodedFeatures(features.length, columns);
}

/** Write the concatenated embeddings of each row of features to the rows of `out`. */
export function embedInputs(inputs: readonly TowerInput[], features: EncodedFeatures, out: Matrix): Matrix {
  if (inputs.length === 1) {
    inputs[0]!.table.rows(idsOf(features, 0), out);
    return out;
  }
  let from = 0;
  inputs.forEach(({ table }, i) => {
    const part = new Matrix(out.rows, table.dimensions, out.runtime);
    table.rows(idsOf(features, i), part);
    for (let row = 0; row < out.rows; row++) out.row(row).set(part.row(row), from);
    part.free();
    from += table.dimensions;
  });
  return out;
}

/** Step every table by the gradient of the embeddings of features. */
export function stepInputs(
  inputs: readonly TowerInput[],
  features: EncodedFeatures,
  gradient: Matrix,
  optimizer: SparseOptimizer,
): void {
  if (inputs.length === 1) {
    inputs[0]!.table.applyGradient(idsOf(features, 0), gradient, optimizer);
    return;
  }
  let from = 0;
  inputs.forEach(({ table }, i) => {
    stepTable(table, features.columns[i]!, gradient, from, optimizer);
    from += table.dimensions;
  });
}

/** Step one table by its columns of the gradient. Gradients of rows with the same id in this table are summed first. */
function stepTable(
  table: EmbeddingTable,
  column: FeatureColumn,
  gradient: Matrix,
  from: number,
  optimizer: SparseOptimizer,
): void {
  const { features, groupOf } = new EncodedFeatures(gradient.rows, [column]).distinct();
  const summed = new Matrix(features.rows, table.dimensions, gradient.runtime);
  const [source, target] = [gradient.data, summed.data];
  groupOf.forEach((group, row) => {
    for (let t = 0; t < table.dimensions; t++) {
      const at = group * table.dimensions + t;
      target[at] = target[at]! + source[row * gradient.dimensions + from + t]!;
    }
  });
  table.applyGradient(idsOf(features, 0), summed, optimizer);
  summed.free();
}

function idsOf({ columns }: EncodedFeatures, i: number): Int32Array {
  const column = columns[i];
  assert(column?.kind === 'ids', 'tower: the column of a word has no ids');
  return column.ids;
}

/** The word of a named feature of one row. */
function wordOf(row: unknown, name: string, width: number, position: number): string {
  if (width === 1 && typeof row === 'string') return row;
  const isObject = typeof row === 'object' && row !== null;
  // Only own properties count, because a feature may be called `constructor`.
  const word: unknown = isObject && Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined;
  if (typeof word === 'string') return word;
  const got = isObject ? shown(word) : shown(row);
  throw new OptionError(`features.${name}: expected a string, got ${got} at position ${position}`);
}
