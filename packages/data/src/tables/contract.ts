/**
 * A table in a file, whatever its format: named columns, read in batches from the first row to the last, as often as
 * needed. One interface for CSV, TSV, JSON Lines, Parquet, Arrow and sequences.
 */
import type { ReadProgress } from '../bytes/file-bytes.ts';
import type { ReadLog } from '../bytes/read-log.ts';
import type { Cells } from '../columns/cell.ts';

/** The kind of file. */
export type TableFormat = 'delimited' | 'json-lines' | 'json' | 'sequences' | 'parquet' | 'arrow';

/** A file as a table. */
export interface Table {
  readonly path: string;
  readonly format: TableFormat;
  /** For people: the format, what separates fields, the packing. */
  readonly description: string;
  /** Names of the columns. They may come from a stranger: never an index into a plain object. */
  readonly columns: readonly string[];
  /** False where the columns have no names in the file and are called column_1, column_2, … */
  readonly hasNames: boolean;
  /** Size of the file, which `ReadProgress.bytesRead` comes to. */
  readonly sizeBytes: number;
  /** Rows, where the file tells them without being read. */
  readonly rows?: number;
  /** Read from the first row; rows that are broken go to the log. */
  batches(request?: BatchRequest): AsyncGenerator<TableBatch>;
}

/** The source that is read. */
export interface BatchRequest {
  /** Numbers of the columns wanted; default all. */
  readonly columns?: readonly number[];
  readonly log?: ReadLog;
  readonly progress?: ReadProgress;
  readonly signal?: AbortSignal | undefined;
}

/** Some rows, as columns. */
export interface TableBatch {
  readonly rows: number;
  /** The wanted columns in the order of the request; each has `rows` cells. */
  readonly columns: readonly Cells[];
  /** The place of a row of the batch in the file: its line in text formats, its number in binary formats, from 1. */
  lineOf(row: number): number;
}

/** Settings of a file's format that replace what is recognised from the file itself. */
export interface TableOptions {
  /** The separator of fields, one or more characters; default recognised from the file. */
  readonly delimiter?: string | undefined;
  /** Whether the first line has the names; default recognised. */
  readonly header?: boolean | undefined;
}

/** Names for columns that have none. */
export function namesByPosition(columns: number): string[] {
  return Array.from({ length: columns }, (_, i) => `column_${i + 1}`);
}

/** Names as they are, but each once: an empty one gets its position, a repeated one a number. */
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
