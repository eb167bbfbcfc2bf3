/**
 * The inputs of a tower: turns raw features into columns of ids and floats and these into concatenated vectors, and
 * passes gradients of the vectors to the tables and projections.
 */

import { assert } from '../checks/assert.ts';
import { shown } from '../checks/numbers.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import type { StringLookup } from '../embeddings/string-lookup.ts';
import { OptionError } from '../errors/errors.ts';
import type { Feature, FeatureColumn, FloatColumn } from '../features/contract.ts';
import type { FeatureSet } from '../features/feature-set.ts';
import { padded } from '../layers/contract.ts';
import type { DenseLayer } from '../layers/dense-layer.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { Matrix } from '../vectors/matrix.ts';
import type { AttentionEncoder } from './attention-encoder.ts';
import { embedBags, weightedIds } from './embedding-bag.ts';
import { EncodedFeatures } from './encoded-features.ts';
import type { RowAdder } from './row-sums.ts';
import type { TableGradients } from './table-gradients.ts';

/** Raw features of one row: a word, or named values. */
export type Features = string | Readonly<Record<string, unknown>>;

/** A word that is embedded; the name is empty for a tower of one plain feature. */
export interface WordInput {
  readonly name: string;
  readonly lookup: StringLookup;
  readonly table: EmbeddingTable;
  readonly feature?: undefined;
  readonly projection?: undefined;
  readonly attention?: undefined;
}

/** A feature of a spec: ids are embedded, floats are projected or enter the layers as they are. */
export interface FeatureInput {
  readonly name: string;
  readonly feature: Feature;
  /** Undefined for floats; several inputs, also of both towers, may have the same. */
  readonly table: EmbeddingTable | undefined;
  /** A dense layer without activation for floats; undefined for ids and for floats that enter as they are. */
  readonly projection: DenseLayer | undefined;
  /** Attention over the ids of a list; undefined where they are summed. */
  readonly attention?: AttentionEncoder | undefined;
  readonly lookup?: undefined;
}

/** An input of a tower. */
export type TowerInput = WordInput | FeatureInput;

/**
 * The type of the inputs of a tower with rows of type Q: a tower of plain words has only `WordInput`s. Rows of named words
 * may be those of a spec whose features are all strings, which has `FeatureInput`s.
 */
export type InputOf<Q extends Features> = [Q] extends [never]
  ? TowerInput
  : [Q] extends [string]
    ? WordInput
    : TowerInput;

/** The distinct tables of inputs, in the order of their first use. */
export function tablesOf(inputs: readonly TowerInput[]): EmbeddingTable[] {
  return [...new Set(inputs.flatMap(({ table }) => table ?? []))];
}

/** The trained matrices of inputs, those of a shared table once. */
export function trainedParts(inputs: readonly TowerInput[]): Matrix[] {
  return [...tablesOf(inputs).flatMap((table) => table.trained()), ...inputs.flatMap(encoderParameters)];
}

/** The trained matrices of an input beside its table: those of its projection, or of its attention. */
export function encoderParameters({ projection, attention }: TowerInput): Matrix[] {
  return [...(projection?.parameters() ?? []), ...(attention?.parameters() ?? [])];
}

/** Columns of the vector of an input. */
function widthOf(input: TowerInput): number {
  if (input.table) return input.table.dimensions;
  return input.projection?.units ?? input.feature!.dimensions;
}

/** Width of the concatenated vectors. */
export function embeddedWidth(inputs: readonly TowerInput[]): number {
  return inputs.reduce((sum, input) => sum + widthOf(input), 0);
}

/**
 * Encode raw rows, by `features` where the inputs are features. A tower with one named word, or of features that read one
 * field, also accepts the value itself.
 */
export function encodeFeatures(
  { inputs, features }: { inputs: readonly TowerInput[]; features?: FeatureSet | undefined },
  rows: readonly Features[],
): EncodedFeatures {
  if (features) return new EncodedFeatures(rows.length, features.encode(rows));
  const plain = inputs.length === 1 && inputs[0]!.name === '';
  const columns = inputs.map(({ name, lookup }): FeatureColumn => {
    assert(lookup !== undefined, `tower: the input ${name} of a tower of words has a vocabulary`);
    const words = plain ? (rows as readonly string[]) : rows.map((row, i) => wordOf(row, name, inputs.length, i));
    return { kind: 'ids', ids: lookup.encode(words) };
  });
  return new EncodedFeatures(rows.length, columns);
}

/**
 * Write the concatenated vectors of each row of features to the rows of `out`.
 *
 * @param trainingStep the number of the step while training, from which dropout draws
 */
export function embedInputs(
  inputs: readonly TowerInput[],
  { columns }: EncodedFeatures,
  adder: RowAdder,
  out: Matrix,
  trainingStep?: number,
): Matrix {
  const [only] = columns;
  if (inputs.length === 1 && inputs[0]!.table && only?.kind === 'ids') {
    inputs[0]!.table.rows(only.ids, out);
    return out;
  }
  let at = 0;
  inputs.forEach((input, i) => {
    const column = columns[i]!;
    if (column.kind === 'floats') embedFloats(input, column, adder, out, at);
    else if (input.attention && column.kind === 'bags') {
      input.attention.embed(input.table!, column, adder, out, at, trainingStep);
    } else embedBags(input.table!, weightedIds(column, combinerOf(input)), adder, out, at);
    at += widthOf(input);
  });
  return out;
}

function embedFloats(
  { name, projection, feature }: TowerInput,
  { values, dimensions }: FloatColumn,
  adder: RowAdder,
  out: Matrix,
  at: number,
): void {
  assert(dimensions === feature?.dimensions, `tower: ${name} has ${dimensions} floats per row`);
  // The layer reads whole vectors of four floats.
  const floats = new Matrix(out.rows, projection ? padded(dimensions) : dimensions, out.runtime);
  if (floats.dimensions === dimensions) floats.data.set(values);
  else {
    const { data } = floats;
    for (let row = 0; row < out.rows; row++) {
      for (let t = 0; t < dimensions; t++) data[row * floats.dimensions + t] = values[row * dimensions + t]!;
    }
  }
  if (projection) adder.copy(projection.forward(floats), 0, projection.units, out, at);
  else adder.copy(floats, 0, dimensions, out, at);
  // A projection keeps its input until `backward`; the collector frees it.
  if (!projection) floats.free();
}

/** Step projections and attention by the gradient of the concatenated vectors, and add the gradients of tables to `tables`. */
export function addGradients(
  inputs: readonly TowerInput[],
  { columns }: EncodedFeatures,
  gradient: Matrix,
  adder: RowAdder,
  optimizer: SparseOptimizer,
  tables: TableGradients,
): void {
  let at = 0;
  inputs.forEach((input, i) => {
    const column = columns[i]!;
    if (input.attention && column.kind === 'bags') {
      input.attention.addGradients(input.table!, column, gradient, at, adder, optimizer, tables);
    } else if (column.kind !== 'floats') {
      // The rows of a batch are distinct, so if they are a single column of ids, the ids are distinct.
      const isDistinct = inputs.length === 1 && column.kind === 'ids';
      tables.add(input.table!, { ...weightedIds(column, combinerOf(input)), gradient, column: at, isDistinct });
    } else if (input.projection) {
      const dy = new Matrix(gradient.rows, padded(input.projection.units), gradient.runtime);
      adder.copy(gradient, at, input.projection.units, dy, 0);
      input.projection.backwardWeights(dy, optimizer);
      dy.free();
    }
    at += widthOf(input);
  });
}

function combinerOf(input: TowerInput): Feature['combiner'] {
  return input.feature?.combiner ?? 'sum';
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
