/** Encodes batches of rows in each output format. `.npy` is NumPy's format 1.0 with little-endian float32 in C order. */
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import Papa from 'papaparse';
import { DataError } from 'shortlist';

/** A column of the output. */
export interface OutputColumn {
  readonly name: string;
  readonly type: 'text' | 'integer' | 'number' | 'vector';
  /** The dimensions of vectors. */
  readonly width?: number;
}
/** The values of each column; all columns have the same length. */
export type OutputBatch = readonly (readonly (string | number | Float32Array)[])[];
type Cells = readonly (string | number)[];

/** A format: its bytes at the start of a file, for a batch, and at the end. */
export interface BatchFormat {
  readonly head: string | Uint8Array;
  batch(columns: OutputBatch): string | Uint8Array;
  end(): string | Uint8Array;
}

const PARQUET_TYPES = { text: 'STRING', integer: 'INT32', number: 'DOUBLE', vector: 'FLOAT' } as const;
/** The header of a `.npy` is padded to a multiple of this. */
const NPY_ALIGNMENT = 64;

/** Comma-separated values. */
export function csv(columns: readonly OutputColumn[]): BatchFormat {
  const lines = (rows: (string | number)[][]): string =>
    rows.length === 0 ? '' : `${Papa.unparse(rows, { newline: '\n' })}\n`;
  return {
    head: lines([flatNames(columns)]),
    batch: (batch) => lines(rowsOf(flatColumns(columns, batch))),
    end: () => '',
  };
}

/** JSON Lines: one object in each line. */
export function jsonLines(columns: readonly OutputColumn[]): BatchFormat {
  const jsonOf = (value: string | number | Float32Array): unknown =>
    value instanceof Float32Array ? Array.from(value) : value;
  const line = (row: OutputBatch[number]): string =>
    `${JSON.stringify(Object.fromEntries(columns.map(({ name }, i) => [name, jsonOf(row[i]!)])))}\n`;
  return { head: '', batch: (batch) => rowsOf(batch).map(line).join(''), end: () => '' };
}

/** Parquet; each batch is a row group. */
export function parquet(columns: readonly OutputColumn[]): BatchFormat {
  const names = flatNames(columns);
  const types = columns.flatMap(({ type, width = 1 }) => Array.from({ length: width }, () => PARQUET_TYPES[type]));
  const writer = new ByteWriter();
  const dataOf = (flat: readonly Cells[]) =>
    names.map((name, i) => ({ name, type: types[i]!, data: [...(flat[i] ?? [])] }));
  const file = new ParquetWriter({ writer, schema: schemaFromColumnData({ columnData: dataOf([]) }) });
  const taken = (): Uint8Array => {
    const bytes = writer.getBytes().slice();
    // The buffer is emptied, and the writer keeps its offset in the file.
    writer.index = 0;
    return bytes;
  };
  return {
    head: taken(),
    batch: (batch) => {
      const columnData = dataOf(flatColumns(columns, batch));
      const rowGroupSize = columnData[0]!.data.length;
      if (rowGroupSize > 0) file.write({ columnData, rowGroupSize });
      return taken();
    },
    end: () => {
      file.finish();
      return taken();
    },
  };
}

/** The header of a `.npy` of float32 in C order. */
export function npyHeader(shape: readonly number[]): Buffer {
  // Python writes a tuple of one number as (3,).
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = Math.ceil((10 + dictionary.length + 1) / NPY_ALIGNMENT) * NPY_ALIGNMENT - 10;
  const head = Buffer.from(`\x93NUMPY\x01\x00..${dictionary.padEnd(length - 1)}\n`, 'latin1');
  head.writeUInt16LE(length, 8);
  return head;
}

/** Identifiers, one in each line, and vectors as `.npy`. */
export function npy(columns: readonly OutputColumn[], rows: number): [identifiers: BatchFormat, vectors: BatchFormat] {
  const text = columns.findIndex(({ type }) => type === 'text');
  const vector = columns.findIndex(({ type }) => type === 'vector');
  const head = npyHeader([rows, columns[vector]!.width!]);
  const bytesOf = (row: Float32Array): Uint8Array => new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
  return [
    { head: '', batch: (batch) => batch[text]!.map((value) => `${oneLine(String(value))}\n`).join(''), end: () => '' },
    { head, batch: (batch) => Buffer.concat((batch[vector] as Float32Array[]).map(bytesOf)), end: () => '' },
  ];
}

/** Checks that an identifier is one line. @throws {DataError} when it has a line end */
function oneLine(identifier: string): string {
  if (!/[\r\n]/.test(identifier)) return identifier;
  throw new DataError(`identifier: expected text without a line end for a .npy, got ${JSON.stringify(identifier)}`);
}

function flatNames(columns: readonly OutputColumn[]): string[] {
  return columns.flatMap(({ name, type, width = 0 }) =>
    type === 'vector' ? Array.from({ length: width }, (_, i) => `${name}_${i}`) : [name],
  );
}

function flatColumns(columns: readonly OutputColumn[], batch: OutputBatch): Cells[] {
  return columns.flatMap(({ type, width = 0 }, at) => {
    const values = batch[at]!;
    if (type !== 'vector') return [values as Cells];
    return Array.from({ length: width }, (_, i) => (values as readonly Float32Array[]).map((row) => row[i]!));
  });
}

function rowsOf<V>(columns: readonly (readonly V[])[]): V[][] {
  return Array.from({ length: columns[0]?.length ?? 0 }, (_, row) => columns.map((values) => values[row]!));
}
