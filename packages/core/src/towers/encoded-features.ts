/**
 * Encoded features of many rows: one column of numbers for each feature of a tower.
 *
 * A data set is encoded once, and batches are made of its rows. `take` copies rows; a slice shares the ids and floats
 * of the whole.
 */
import { ShapeError } from '../errors/errors.ts';
import type { BagColumn, FeatureColumn } from '../features/contract.ts';
import { distinctFeatures } from './distinct-features.ts';

/** The distinct rows of encoded features. */
export interface DistinctFeatures {
  /** One row for each group of equal rows, in order of first appearance. */
  features: EncodedFeatures;
  /** [rows] the group of each row. */
  groupOf: Int32Array;
}

/** Rows of encoded features. */
export class EncodedFeatures {
  readonly rows: number;
  /** A column for each feature, in the order of the tower's inputs. */
  readonly columns: readonly FeatureColumn[];

  constructor(rows: number, columns: readonly FeatureColumn[]) {
    this.rows = rows;
    this.columns = columns;
  }

  /** The rows begin … end − 1. */
  slice(begin: number, end: number): EncodedFeatures {
    if (begin === 0 && end === this.rows) return this;
    return new EncodedFeatures(
      end - begin,
      this.columns.map((column) => sliceColumn(column, begin, end)),
    );
  }

  /** The rows with these numbers, in this order; a row may be taken more than once. */
  take(rows: Int32Array): EncodedFeatures {
    return new EncodedFeatures(
      rows.length,
      this.columns.map((column) => takeColumn(column, rows)),
    );
  }

  /** The distinct rows, compared by their content. */
  distinct(): DistinctFeatures {
    const { groupOf, first } = distinctFeatures(this.columns, this.rows);
    return { features: first.length === this.rows ? this : this.take(first), groupOf };
  }

  /** The rows of this, then those of `more`, which have the same kinds of columns. */
  concat(...more: readonly EncodedFeatures[]): EncodedFeatures {
    let parts: EncodedFeatures[] = [this, ...more];
    // Neighbours are joined in rounds, so that many short parts are not copied once for each part.
    while (parts.length > 1) {
      parts = parts.flatMap((part, i) => (i % 2 === 1 ? [] : [part.#join(parts[i + 1])]));
    }
    return parts[0]!;
  }

  #join(more: EncodedFeatures | undefined): EncodedFeatures {
    if (more === undefined) return this;
    return new EncodedFeatures(
      this.rows + more.rows,
      this.columns.map((column, i) => concatColumns(column, more.columns[i]!)),
    );
  }
}

function sliceColumn(column: FeatureColumn, begin: number, end: number): FeatureColumn {
  switch (column.kind) {
    case 'ids':
      return { kind: 'ids', ids: column.ids.subarray(begin, end) };
    case 'floats': {
      const { dimensions, values } = column;
      return { kind: 'floats', dimensions, values: values.subarray(begin * dimensions, end * dimensions) };
    }
    case 'bags': {
      const [from, to] = [column.offsets[begin]!, column.offsets[end]!];
      const offsets = column.offsets.slice(begin, end + 1).map((offset) => offset - from);
      return { kind: 'bags', offsets, ids: column.ids.subarray(from, to), weights: column.weights?.subarray(from, to) };
    }
  }
}

function takeColumn(column: FeatureColumn, rows: Int32Array): FeatureColumn {
  switch (column.kind) {
    case 'ids':
      return { kind: 'ids', ids: rows.map((row) => column.ids[row]!) };
    case 'floats': {
      const { dimensions, values } = column;
      const taken = new Float32Array(rows.length * dimensions);
      rows.forEach((row, i) => {
        taken.set(values.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
      });
      return { kind: 'floats', dimensions, values: taken };
    }
    case 'bags':
      return takeBags(column, rows);
  }
}

function takeBags({ offsets, ids, weights }: BagColumn, rows: Int32Array): BagColumn {
  const takenOffsets = new Int32Array(rows.length + 1);
  rows.forEach((row, i) => {
    takenOffsets[i + 1] = takenOffsets[i]! + offsets[row + 1]! - offsets[row]!;
  });
  const length = takenOffsets[rows.length]!;
  const taken = new Int32Array(length);
  const takenWeights = weights && new Float32Array(length);
  for (let i = 0; i < rows.length; i++) {
    // Bags are short: copying element by element is faster than a view and a call for each.
    const shift = offsets[rows[i]!]! - takenOffsets[i]!;
    for (let at = takenOffsets[i]!; at < takenOffsets[i + 1]!; at++) {
      taken[at] = ids[at + shift]!;
      if (takenWeights) takenWeights[at] = weights![at + shift]!;
    }
  }
  return { kind: 'bags', offsets: takenOffsets, ids: taken, weights: takenWeights };
}

function concatColumns(a: FeatureColumn, b: FeatureColumn): FeatureColumn {
  if (a.kind === 'ids' && b.kind === 'ids') return { kind: 'ids', ids: joined(a.ids, b.ids) };
  if (a.kind === 'floats' && b.kind === 'floats' && a.dimensions === b.dimensions) {
    return { kind: 'floats', dimensions: a.dimensions, values: joinedFloats(a.values, b.values) };
  }
  if (a.kind === 'bags' && b.kind === 'bags' && !a.weights === !b.weights) {
    const shift = a.offsets.at(-1)!;
    const offsets = joined(
      a.offsets,
      b.offsets.subarray(1).map((offset) => offset + shift),
    );
    const weights = a.weights && b.weights && joinedFloats(a.weights, b.weights);
    return { kind: 'bags', offsets, ids: joined(a.ids, b.ids), weights };
  }
  throw new ShapeError(`features: expected columns of one kind, got ${a.kind} and ${b.kind}`);
}

function joined(a: Int32Array, b: Int32Array): Int32Array {
  const all = new Int32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

function joinedFloats(a: Float32Array, b: Float32Array): Float32Array {
  const all = new Float32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
