/**
 * The inputs of a tower: turns raw features into ids and ids into concatenated embeddings, and passes gradients of the
 * embeddings to the tables. Ids are row-major, [rows, inputs].
 */
import { shown } from '../checks/numbers.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import type { StringLookup } from '../embeddings/string-lookup.ts';
import { OptionError } from '../errors/errors.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { Matrix } from '../vectors/matrix.ts';
import { distinctFeatures } from './distinct-features.ts';

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

/** The ids of raw features. A tower with one named feature also accepts the word itself. */
export function encodeFeatures(inputs: readonly TowerInput[], features: readonly Features[]): Int32Array {
  const width = inputs.length;
  const plain = width === 1 && inputs[0]!.name === '';
  if (plain) return inputs[0]!.lookup.encode(features as readonly string[]);
  const ids = new Int32Array(features.length * width);
  inputs.forEach(({ name, lookup }, column) => {
    const words = features.map((row, position) => wordOf(row, name, width, position));
    lookup.encode(words).forEach((id, row) => {
      ids[row * width + column] = id;
    });
  });
  return ids;
}

/** Write the concatenated embeddings of each row of ids to the rows of `out`. */
export function embedInputs(inputs: readonly TowerInput[], ids: Int32Array, out: Matrix): Matrix {
  if (inputs.length === 1) {
    inputs[0]!.table.rows(ids, out);
    return out;
  }
  let from = 0;
  inputs.forEach(({ table }, column) => {
    const part = new Matrix(out.rows, table.dimensions, out.runtime);
    table.rows(columnOf(ids, column, inputs.length), part);
    for (let i = 0; i < out.rows; i++) out.row(i).set(part.row(i), from);
    part.free();
    from += table.dimensions;
  });
  return out;
}

/** Step every table by the gradient of the embeddings of ids. */
export function stepInputs(
  inputs: readonly TowerInput[],
  ids: Int32Array,
  gradient: Matrix,
  optimizer: SparseOptimizer,
): void {
  if (inputs.length === 1) {
    inputs[0]!.table.applyGradient(ids, gradient, optimizer);
    return;
  }
  let from = 0;
  inputs.forEach(({ table }, column) => {
    stepTable(table, columnOf(ids, column, inputs.length), gradient, from, optimizer);
    from += table.dimensions;
  });
}

/** Step one table by its columns of the gradient. Gradients of rows with the same id in this table are summed first. */
function stepTable(
  table: EmbeddingTable,
  columnIds: Int32Array,
  gradient: Matrix,
  from: number,
  optimizer: SparseOptimizer,
): void {
  const { ids, count, groupOf } = distinctFeatures(columnIds, [table.vocabularySize]);
  const summed = new Matrix(count, table.dimensions, gradient.runtime);
  const [source, target] = [gradient.data, summed.data];
  groupOf.forEach((group, row) => {
    for (let t = 0; t < table.dimensions; t++) {
      const at = group * table.dimensions + t;
      target[at] = target[at]! + source[row * gradient.dimensions + from + t]!;
    }
  });
  table.applyGradient(ids, summed, optimizer);
  summed.free();
}

function columnOf(ids: Int32Array, column: number, width: number): Int32Array {
  return Int32Array.from({ length: ids.length / width }, (_, row) => ids[row * width + column]!);
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
