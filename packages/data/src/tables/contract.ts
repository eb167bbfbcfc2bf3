/**
 * The interface of a table in a file of any format: CSV, TSV, JSON Lines, Parquet, Arrow or sequences. A table has named columns
 * and is read in batches from the first row to the last, as often as needed.
 */
import { DataError } from 'shortlist';
import {
  BOOLEAN,
  instanceOf,
  type OptionType,
  type OptionTypes,
  objectWith,
  optionsCheck,
  optionType,
  SIGNAL,
  STRING,
  WORDS,
} from 'shortlist/options';
import type { ReadProgress } from '../bytes/file-bytes.ts';
import { ReadLog } from '../bytes/read-log.ts';
import type { Cells } from '../columns/cell.ts';

/** The format of a table. */
export type TableFormat = 'delimited' | 'json-lines' | 'json' | 'sequences' | 'parquet' | 'arrow';

/** A file as a table. */
export interface Table {
  readonly path: string;
  readonly format: TableFormat;
  /** A description for people: the format, the delimiter, the compression. */
  readonly description: string;
  /** The names of the columns. They are untrusted, so they must never be keys of a plain object. */
  readonly columns: readonly string[];
  /** False if the file has no column names; then the columns are named column_1, column_2, … */
  readonly hasNames: boolean;
  /** The size of the file, which is the final value of `ReadProgress.bytesRead`. */
  readonly sizeBytes: number;
  /** The number of rows, if it is known without reading the file. */
  readonly rows?: number;
  /**
   * Reads all rows from the first one; broken rows are recorded in the log.
   *
   * @throws {OptionError} when an option is unknown or of another type
   * @throws {DataError} when a column is no position of a column of the table
   */
  batches(request?: BatchRequest): AsyncGenerator<TableBatch>;
}

/** Options of reading batches. */
export interface BatchRequest {
  /** The positions of the columns to read; default all. */
  readonly columns?: readonly number[];
  readonly log?: ReadLog;
  readonly progress?: ReadProgress;
  readonly signal?: AbortSignal | undefined;
}

/** A batch of rows, as columns. */
export interface TableBatch {
  readonly rows: number;
  /** The requested columns in the order of the request; each has `rows` cells. */
  readonly columns: readonly Cells[];
  /** The position of a row of the batch in the file, from 1: its line in text formats, its row in binary formats. */
  lineOf(row: number): number;
}

/** Options that override the recognised format of a file. */
export interface TableOptions {
  /** The separator of fields, one or more characters; default recognised from the file. */
  readonly delimiter?: string | undefined;
  /** True if the first line has the names of the columns; default recognised. */
  readonly header?: boolean | undefined;
}

/** The types of the options of a table. */
export const TABLE_OPTIONS: OptionTypes<TableOptions> = { delimiter: STRING, header: BOOLEAN };

const checkRequest = optionsCheck<BatchRequest>('Table.batches', {
  columns: optionType('a list of positions of columns', Array.isArray),
  log: instanceOf('a ReadLog', () => ReadLog),
  progress: objectWith('an object with bytesRead', 'bytesRead'),
  signal: SIGNAL,
});

/** A table that checks the requests of its batches. */
export function withCheckedRequests(table: Table): Table {
  const { path, columns: names } = table;
  return {
    ...table,
    batches(request = {}) {
      const { columns } = checkRequest(request);
      const at =
        columns?.findIndex((column) => !Number.isInteger(column) || column < 0 || column >= names.length) ?? -1;
      if (at >= 0) {
        const got: unknown = columns![at];
        throw new DataError(
          `${path}: expected positions of columns from 0 to ${names.length - 1}, got ${typeof got === 'number' ? got : typeof got}`,
        );
      }
      return table.batches(request);
    },
  };
}

/** The type of an argument that is a table. */
export const TABLE: OptionType = objectWith('a table', 'path', 'columns', 'batches');

/** The type of an option that names one column or several. */
export const COLUMNS: OptionType = optionType(
  'the name of a column or a list of names',
  (value) => STRING.accepts(value) || (WORDS.accepts(value) && (value as readonly string[]).length > 0),
);

/** Names for columns that have none. */
export function namesByPosition(columns: number): string[] {
  return Array.from({ length: columns }, (_, i) => `column_${i + 1}`);
}

/** Makes names distinct: an empty name is replaced by its position, and a repeated name gets a number. */
export function distinctNames(names: readonly string[]): { names: string[]; changed: string[] } {
  const taken = new Set<string>();
  const changed: string[] = [];
  const distinct = names.map((given, i) => {
    const trimmed = given.trim();
    let name = trimmed === '' ? `column_${i + 1}` : trimmed;
    for (let copy = 2; taken.has(name); copy++) name = `${trimmed}_${copy}`;
    if (name !== trimmed) changed.push(name);
    taken.add(name);
    return name;
  });
  return { names: distinct, changed };
}
