/**
 * CSV, TSV and their kin (RFC 4180 and MovieLens's `::`), by papaparse, streamed: text in, batches of columns out.
 *
 * Rows of another width than the header's are broken, never padded. A quote that opens and does not close would swallow
 * the rest of the file: what it swallowed is read again from the next line on, and only the line it stands in is broken.
 */
import Papa from 'papaparse';
import type { FileBytes } from '../bytes/file-bytes.ts';
import { ReadLog } from '../bytes/read-log.ts';
import { textChunks } from '../bytes/text-chunks.ts';
import type { Table, TableBatch } from './contract.ts';
import { distinctNames, namesByPosition } from './contract.ts';
import { DELIMITER_NAMES, type Dialect } from './delimited-dialect.ts';

/** Longest record: what is longer is an open quote. Item descriptions have some kilobytes. */
const RECORD_UNITS_MAX = 1 << 20;

interface Parsed {
  readonly data: string[][];
  readonly errors: readonly { readonly row?: number; readonly code: string }[];
  readonly meta: { readonly cursor: number };
}

/** A delimited file as a table. */
export function delimitedTable(file: FileBytes, dialect: Dialect, words: readonly string[]): Table {
  const { hasHeader, width, firstRow, delimiter } = dialect;
  const { names, changed } = hasHeader ? distinctNames(firstRow) : { names: namesByPosition(width), changed: [] };
  const separator = DELIMITER_NAMES.get(delimiter) ?? JSON.stringify(delimiter);
  const kind = delimiter === '\t' ? 'TSV' : delimiter === ',' ? 'CSV' : `text separated by ${separator}`;
  return {
    path: file.path,
    format: 'delimited',
    description: [kind, hasHeader ? 'with a header' : 'without a header', ...words].join(', '),
    columns: names,
    hasNames: hasHeader,
    sizeBytes: file.sizeBytes,
    batches({ columns = names.map((_, i) => i), log = new ReadLog(file.path), progress, signal } = {}) {
      for (const name of changed) log.note(`columns: a name that was empty or repeated became ${name}`);
      const reader = new RecordReader(dialect, names.length, log);
      return batches(reader, textChunks(file, log, progress, signal), columns);
    },
  };
}

async function* batches(
  reader: RecordReader,
  texts: AsyncIterable<string>,
  columns: readonly number[],
): AsyncGenerator<TableBatch> {
  for await (const text of texts) {
    for (const records of reader.push(text)) yield toBatch(records, columns);
  }
  for (const records of reader.end()) yield toBatch(records, columns);
}

/** Whole records, and the line that each begins in. */
interface Records {
  readonly rows: readonly (readonly string[])[];
  readonly lines: Int32Array | Float64Array;
}

function toBatch({ rows, lines }: Records, columns: readonly number[]): TableBatch {
  const cells = columns.map((column) => {
    const values = new Array<string>(rows.length);
    for (let i = 0; i < rows.length; i++) values[i] = rows[i]![column]!;
    return values;
  });
  return { rows: rows.length, columns: cells, lineOf: (row) => lines[row]! };
}

/** Cuts text into records of one width. */
class RecordReader {
  readonly #parser: Papa.Parser;
  readonly #dialect: Dialect;
  readonly #width: number;
  readonly #log: ReadLog;
  #tail = '';
  #line = 1;
  #isBeforeHeader: boolean;

  constructor(dialect: Dialect, width: number, log: ReadLog) {
    const { delimiter, newline, isQuoted, hasHeader } = dialect;
    this.#parser = new Papa.Parser({ delimiter, newline, ...(isQuoted ? {} : { fastMode: true }) });
    this.#dialect = dialect;
    this.#width = width;
    this.#log = log;
    this.#isBeforeHeader = hasHeader;
  }

  *push(text: string): Generator<Records> {
    this.#tail += text;
    yield* this.#cut(false);
    while (this.#tail.length > RECORD_UNITS_MAX) {
      this.#dropLine(`a record does not end within ${RECORD_UNITS_MAX} letters: is a quote left open?`);
      yield* this.#cut(false);
    }
  }

  *end(): Generator<Records> {
    while (this.#tail !== '') yield* this.#cut(true);
  }

  /** The records that are whole; where one is broken over several lines, those before it, and then on from its second. */
  *#cut(isLast: boolean): Generator<Records> {
    for (let again = true; again; ) {
      const parsed = this.#parser.parse(this.#tail, 0, !isLast) as Parsed;
      const { records, rest } = this.#take(parsed, this.#tail.includes('"'));
      again = rest !== undefined;
      this.#tail = rest ?? this.#tail.slice(parsed.meta.cursor);
      if (isLast && !again) this.#tail = '';
      if (records.rows.length > 0) yield records;
    }
  }

  #take({ data, errors }: Parsed, hasQuotes: boolean): { records: Records; rest?: string } {
    const bad = new Map(errors.map(({ row, code }) => [row ?? data.length - 1, code]));
    const rows: string[][] = [];
    const lines = new Float64Array(data.length);
    const firstLine = this.#line;
    for (let i = 0; i < data.length; i++) {
      const row = data[i]!;
      const line = this.#line;
      const height = hasQuotes ? linesOf(row) : 1;
      const fault = this.#faultOf(row, bad.get(i), height);
      if (fault !== undefined && fault !== '') {
        this.#log.reject(line, fault);
        if (height > 1) {
          this.#line++;
          return {
            records: { rows, lines },
            rest: afterLines(this.#tail, line - firstLine + 1, this.#dialect.newline),
          };
        }
      }
      this.#line += height;
      if (fault === undefined) {
        lines[rows.length] = line;
        rows.push(row);
      }
    }
    return { records: { rows, lines } };
  }

  /** The fault of a row; '' for a line that is skipped without a message: the header, and empty lines. */
  #faultOf(row: string[], code: string | undefined, height: number): string | undefined {
    const last = row.length - 1;
    if (this.#dialect.newline === '\n' && row[last]!.endsWith('\r')) row[last] = row[last]!.slice(0, -1);
    if (row.length === 1 && this.#width > 1 && row[0]!.trim() === '') return '';
    if (this.#isBeforeHeader) {
      this.#isBeforeHeader = false;
      return '';
    }
    const over = height > 1 ? ` over ${height} lines` : '';
    if (code === 'MissingQuotes') return `a quote is opened and never closed${over}`;
    if (code !== undefined) return `a quote stands inside a quoted field${over}`;
    if (row.length === this.#width) return undefined;
    return `expected ${this.#width} fields, got ${row.length}${over}`;
  }

  #dropLine(reason: string): void {
    this.#log.reject(this.#line, reason);
    this.#line++;
    this.#tail = afterLines(this.#tail, 1, this.#dialect.newline);
  }
}

/** Lines a record takes: one, and one more for each line end within its fields. */
function linesOf(row: readonly string[]): number {
  let lines = 1;
  for (const field of row) {
    for (let at = field.indexOf('\n'); at !== -1; at = field.indexOf('\n', at + 1)) lines++;
  }
  return lines;
}

/** A text without its first lines. */
function afterLines(text: string, lines: number, newline: string): string {
  let at = 0;
  for (let i = 0; i < lines && at !== -1; i++) at = text.indexOf(newline, at) + 1 || -1;
  return at === -1 ? '' : text.slice(at);
}
