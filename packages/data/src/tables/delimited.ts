/**
 * Reads CSV, TSV and similar text (RFC 4180, and `::` as in MovieLens) with papaparse, as a stream of batches.
 *
 * Rows with another number of fields than the header are broken; they are not padded. After a quote that is not closed, reading
 * continues with the next line, so that only the line of the quote is broken and not the rest of the file.
 */
import Papa from 'papaparse';
import type { FileBytes } from '../bytes/file-bytes.ts';
import { ReadLog } from '../bytes/read-log.ts';
import { textChunks } from '../bytes/text-chunks.ts';
import type { Table, TableBatch } from './contract.ts';
import { distinctNames, namesByPosition } from './contract.ts';
import { withDecimalPoint } from './decimal-commas.ts';
import { DELIMITER_NAMES, type Dialect } from './delimited-dialect.ts';

/** The longest record; a longer one has an unclosed quote. Descriptions of items have some kilobytes. */
const RECORD_UNITS_MAX = 1 << 20;

interface Parsed {
  readonly data: string[][];
  readonly errors: readonly { readonly row?: number; readonly code: string }[];
  readonly meta: { readonly cursor: number };
}

/** A delimited file as a table. */
export function delimitedTable(file: FileBytes, dialect: Dialect, words: readonly string[]): Table {
  const { hasHeader, width, firstRow, delimiter, decimalCommas } = dialect;
  const { names, changed } = hasHeader ? distinctNames(firstRow) : { names: namesByPosition(width), changed: [] };
  const separator = DELIMITER_NAMES.get(delimiter) ?? JSON.stringify(delimiter);
  const kind = delimiter === '\t' ? 'TSV' : delimiter === ',' ? 'CSV' : `text separated by ${separator}`;
  const inDecimal = decimalCommas.map((column) => names[column]).join(' and ');
  const commas = decimalCommas.length === 0 ? [] : [`decimal commas in ${inDecimal}`];
  return {
    path: file.path,
    format: 'delimited',
    description: [kind, hasHeader ? 'with a header' : 'without a header', ...commas, ...words].join(', '),
    columns: names,
    hasNames: hasHeader,
    sizeBytes: file.sizeBytes,
    batches({ columns = names.map((_, i) => i), log = new ReadLog(file.path), progress, signal } = {}) {
      for (const name of changed) log.note(`columns: an empty or repeated name was replaced by ${name}`);
      const reader = new RecordReader(dialect, names.length, log);
      const texts = textChunks(file, log, progress, signal);
      return batches(
        reader,
        dialect.hasSeparatorLine ? afterFirstLine(texts, dialect.newline) : texts,
        columns,
        decimalCommas,
      );
    },
  };
}

async function* batches(
  reader: RecordReader,
  texts: AsyncIterable<string>,
  columns: readonly number[],
  decimalCommas: readonly number[],
): AsyncGenerator<TableBatch> {
  for await (const text of texts) {
    for (const records of reader.push(text)) yield toBatch(records, columns, decimalCommas);
  }
  for (const records of reader.end()) yield toBatch(records, columns, decimalCommas);
}

/** A text without its first line. */
async function* afterFirstLine(texts: AsyncIterable<string>, newline: string): AsyncGenerator<string> {
  let isPast = false;
  for await (const text of texts) {
    const at: number = isPast ? -1 : text.indexOf(newline);
    if (isPast || at >= 0) yield text.slice(at + 1);
    isPast ||= at >= 0;
  }
}

/** Complete records, and the lines in which they begin. */
interface Records {
  readonly rows: readonly (readonly string[])[];
  readonly lines: Int32Array | Float64Array;
}

function toBatch({ rows, lines }: Records, columns: readonly number[], decimalCommas: readonly number[]): TableBatch {
  const cells = columns.map((column) => {
    const values = new Array<string>(rows.length);
    for (let i = 0; i < rows.length; i++) values[i] = rows[i]![column]!;
    return decimalCommas.includes(column) ? values.map(withDecimalPoint) : values;
  });
  return { rows: rows.length, columns: cells, lineOf: (row) => lines[row]! };
}

/** Splits text into records of the same width. */
class RecordReader {
  readonly #parser: Papa.Parser;
  readonly #dialect: Dialect;
  readonly #width: number;
  readonly #log: ReadLog;
  #tail = '';
  #line: number;
  #isBeforeHeader: boolean;

  constructor(dialect: Dialect, width: number, log: ReadLog) {
    const { delimiter, newline, isQuoted, hasHeader } = dialect;
    this.#parser = new Papa.Parser({ delimiter, newline, ...(isQuoted ? {} : { fastMode: true }) });
    this.#dialect = dialect;
    this.#width = width;
    this.#log = log;
    this.#isBeforeHeader = hasHeader;
    this.#line = dialect.hasSeparatorLine ? 2 : 1;
  }

  *push(text: string): Generator<Records> {
    this.#tail += text;
    yield* this.#cut(false);
    while (this.#tail.length > RECORD_UNITS_MAX) {
      this.#dropLine(`a record does not end within ${RECORD_UNITS_MAX} characters; a quote may not be closed`);
      yield* this.#cut(false);
    }
  }

  *end(): Generator<Records> {
    while (this.#tail !== '') yield* this.#cut(true);
  }

  /** The complete records. After a broken record of several lines, splitting continues with its second line. */
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

  /** The error in a row; '' for the header and for empty lines, which are skipped without a message. */
  #faultOf(row: string[], code: string | undefined, height: number): string | undefined {
    const last = row.length - 1;
    if (this.#dialect.newline === '\n' && row[last]!.endsWith('\r')) row[last] = row[last]!.slice(0, -1);
    if (row.length === 1 && this.#width > 1 && row[0]!.trim() === '') return '';
    if (this.#isBeforeHeader) {
      this.#isBeforeHeader = false;
      return '';
    }
    const over = height > 1 ? ` over ${height} lines` : '';
    if (code === 'MissingQuotes') return `a quote is not closed${over}`;
    if (code !== undefined) return `a quoted field has an unescaped quote${over}`;
    if (row.length === this.#width) return undefined;
    return `expected ${this.#width} fields, got ${row.length}${over}`;
  }

  #dropLine(reason: string): void {
    this.#log.reject(this.#line, reason);
    this.#line++;
    this.#tail = afterLines(this.#tail, 1, this.#dialect.newline);
  }
}

/** The number of lines of a record: one, and one more for each line end within its fields. */
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
