/**
 * JSON Lines: an object a line. Columns are the names that the first lines have; a name that comes later is noted.
 *
 * Integers of more than fifteen digits stay text: `JSON.parse` would round them, and two identifiers became one.
 */
import type { FileBytes } from '../bytes/file-bytes.ts';
import { ReadLog } from '../bytes/read-log.ts';
import { lineBlocks } from '../bytes/text-chunks.ts';
import type { Cell } from '../columns/cell.ts';
import type { BatchRequest, Table, TableBatch } from './contract.ts';

/** A row of an object's own fields. */
export type JsonRow = ReadonlyMap<string, Cell>;

/** True where the first line is an object. */
export function isJsonLines(sample: string): boolean {
  const line = sample.trimStart().split('\n', 1)[0]!;
  return line.startsWith('{') && parseRow(line) !== undefined;
}

/** A JSON Lines file as a table. */
export function jsonLinesTable(file: FileBytes, sample: string, words: readonly string[]): Table {
  const names = new Set<string>();
  for (const line of sample.split('\n')) for (const name of parseRow(line)?.keys() ?? []) names.add(name);
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
        log.reject(line, 'expected a JSON object, got something else');
        continue;
      }
      for (const name of row.keys()) {
        if (!known.has(name)) log.note(`column ${JSON.stringify(name)}: first met in line ${line}, and passed over`);
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

/** Rows of fields as columns; a field that a row does not have is missing. */
export function rowsToBatch(rows: readonly JsonRow[], names: readonly string[], lines: readonly number[]): TableBatch {
  const columns = names.map((name) => rows.map((row) => row.get(name) ?? null));
  return { rows: rows.length, columns, lineOf: (row) => lines[row]! };
}

const LONG_INTEGER = /\d{16}/;
/** Whole tokens: the digits behind a point are no integer, and those within a string none either. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG_INTEGER_ALONE = /^-?\d{16,}$/;

/** JSON text whose integers of sixteen and more digits are strings. */
export function withLongIntegersAsText(json: string): string {
  if (!LONG_INTEGER.test(json)) return json;
  return json.replace(STRING_OR_NUMBER, (token) => (LONG_INTEGER_ALONE.test(token) ? `"${token}"` : token));
}

/** The own fields of an object in JSON; undefined where the text is none. */
function parseRow(line: string): JsonRow | undefined {
  try {
    return jsonRow(JSON.parse(withLongIntegersAsText(line)));
  } catch {
    return undefined;
  }
}

/** The own fields of an object; undefined for anything else. Objects within become JSON text. */
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
