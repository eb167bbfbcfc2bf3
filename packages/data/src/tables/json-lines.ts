/**
 * Reads JSON Lines: one object in each line. The columns are the names in the first lines; a name that appears later is
 * ignored and noted in the log.
 *
 * Integers of more than fifteen digits become text, because `JSON.parse` would round them and merge different identifiers.
 */
import type { FileBytes } from '../bytes/file-bytes.ts';
import { ReadLog } from '../bytes/read-log.ts';
import { lineBlocks, lineEndOf } from '../bytes/text-chunks.ts';
import type { Cell } from '../columns/cell.ts';
import type { BatchRequest, Table, TableBatch } from './contract.ts';

/** A row: the fields of an object. */
export type JsonRow = ReadonlyMap<string, Cell>;

/** True if the first line is an object. */
export function isJsonLines(sample: string): boolean {
  const line = sample.trimStart().split(lineEndOf(sample), 1)[0]!;
  return line.startsWith('{') && parseRow(line) !== undefined;
}

/** A JSON Lines file as a table. */
export function jsonLinesTable(file: FileBytes, sample: string, words: readonly string[]): Table {
  const names = new Set<string>();
  for (const line of sample.split(lineEndOf(sample))) for (const name of parseRow(line)?.keys() ?? []) names.add(name);
  const columns = [...names];
  return {
    path: file.path,
    format: 'json-lines',
    description: ['JSON Lines', ...words].join(', '),
    columns,
    hasNames: true,
    sizeBytes: file.sizeBytes,
    batches: (request = {}) => batches(file, columns, request),
  };
}

async function* batches(file: FileBytes, names: readonly string[], request: BatchRequest): AsyncGenerator<TableBatch> {
  const { columns = names.map((_, i) => i), log = new ReadLog(file.path), progress, signal } = request;
  const known = new Set(names);
  let line = 0;
  const take = (block: readonly string[]): TableBatch => {
    const rows: JsonRow[] = [];
    const lines: number[] = [];
    for (const textLine of block) {
      line++;
      if (textLine.trim() === '') continue;
      const row = parseRow(textLine);
      if (row === undefined) {
        log.reject(line, 'expected a JSON object, got other text');
        continue;
      }
      for (const name of row.keys()) {
        if (!known.has(name))
          log.note(`column ${JSON.stringify(name)}: ignored, because it appears only from line ${line} on`);
        known.add(name);
      }
      rows.push(row);
      lines.push(line);
    }
    return rowsToBatch(
      rows,
      columns.map((column) => names[column]!),
      lines,
    );
  };
  for await (const block of lineBlocks(file, log, progress, signal)) {
    const batch = take(block);
    if (batch.rows > 0) yield batch;
  }
}

/** Turns rows into columns; a field that a row lacks is a missing value. */
export function rowsToBatch(rows: readonly JsonRow[], names: readonly string[], lines: readonly number[]): TableBatch {
  const columns = names.map((name) => rows.map((row) => row.get(name) ?? null));
  return { rows: rows.length, columns, lineOf: (row) => lines[row]! };
}

const LONG_INTEGER = /\d{16}/;
/** Matches whole tokens, so that digits after a decimal point or within a string are not taken for integers. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG_INTEGER_ALONE = /^-?\d{16,}$/;

/** JSON text in which integers of sixteen and more digits are replaced by strings. */
export function withLongIntegersAsText(json: string): string {
  if (!LONG_INTEGER.test(json)) return json;
  return json.replace(STRING_OR_NUMBER, (token) => (LONG_INTEGER_ALONE.test(token) ? `"${token}"` : token));
}

/** The fields of an object in JSON; undefined if the text is not an object. */
function parseRow(line: string): JsonRow | undefined {
  try {
    return jsonRow(JSON.parse(withLongIntegersAsText(line)));
  } catch {
    return undefined;
  }
}

/** The fields of an object; undefined for other values. Nested objects become JSON text. */
export function jsonRow(value: unknown): JsonRow | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value).map(([name, field]) => [name, jsonCell(field)]));
}

/** A parsed JSON value as a cell. */
export function jsonCell(value: unknown): Cell {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  return Array.isArray(value) ? value.map(jsonCell) : JSON.stringify(value);
}
