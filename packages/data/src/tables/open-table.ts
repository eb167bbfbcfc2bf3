/**
 * Opens a file as a table. The format is recognised by the first bytes and the text; the name only distinguishes the two forms
 * of JSON.
 */
import { DataError } from 'shortlist';
import { checkArgument, optionsCheck, STRING } from 'shortlist/options';
import { openBytes, sampleBytes } from '../bytes/file-bytes.ts';
import { decodeSample, type TextEncoding } from '../bytes/text-chunks.ts';
import { arrowTable } from './arrow.ts';
import { isArrow } from './arrow-messages.ts';
import { TABLE_OPTIONS, type Table, type TableOptions, withCheckedRequests } from './contract.ts';
import { delimitedTable } from './delimited.ts';
import { recogniseDialect } from './delimited-dialect.ts';
import { jsonTable } from './json.ts';
import { isJsonLines, jsonLinesTable } from './json-lines.ts';
import { parquetTable } from './parquet.ts';
import { sequencesTable } from './sequences.ts';

/** Bytes that are read to recognise the format: some thousand rows of ratings, or some hundred items with descriptions. */
const SAMPLE_BYTES = 1 << 18;

/** Formats that are no tables, by their first bytes as latin-1. */
const OTHER_FORMATS: readonly (readonly [start: string, name: string])[] = [
  ['\x93NUMPY', 'vectors (.npy)'],
  ['PK\x03\x04', 'a ZIP archive or an Excel workbook; extract it, or save the sheet as CSV'],
  ['\xd0\xcf\x11\xe0', 'an Excel workbook; save the sheet as CSV'],
  ['SQLite format 3\0', 'an SQLite database; export a table as CSV'],
  ['BZh91AY&SY', 'a bzip2 file; decompress it first'],
  ['\xfd7zXZ\0', 'an xz file; decompress it first'],
  ['%PDF-', 'a PDF'],
];
/** The longest of these starts. */
const START_BYTES = 16;

const ENCODING_NAMES: Readonly<Record<TextEncoding, string>> = {
  'utf-8': 'UTF-8',
  'windows-1252': 'latin-1',
  'utf-16le': 'UTF-16LE',
  'utf-16be': 'UTF-16BE',
};

const checkOptions = optionsCheck<TableOptions>('openTable', TABLE_OPTIONS);

/**
 * Opens a file as a table and recognises its format.
 *
 * @throws {FileError} when the file cannot be read
 * @throws {DataError} when the file is empty or not a table
 */
export async function openTable(path: string, options: TableOptions = {}): Promise<Table> {
  return openFile(path, checkOptions(options));
}

/** `openTable` for options that were checked among those of another call. */
export async function openFile(path: string, options: TableOptions): Promise<Table> {
  return withCheckedRequests(await recognised(path, options));
}

async function recognised(path: string, options: TableOptions): Promise<Table> {
  checkArgument('path', path, STRING);
  const file = await openBytes(path);
  const head = await sampleBytes(file, SAMPLE_BYTES);
  if (head.length === 0) throw new DataError(`${path}: expected rows, got an empty file`);
  const packing = file.compression === 'none' ? [] : [file.compression];
  const magic = Buffer.from(head.subarray(0, 6)).toString('latin1');
  const isBinary = magic.startsWith('PAR1') || isArrow(head);
  if (isBinary && packing.length > 0) {
    throw new DataError(
      `${path}: expected Parquet or Arrow without further compression, got a ${packing[0]} file; decompress it first`,
    );
  }
  if (magic.startsWith('PAR1')) return parquetTable(file);
  if (isArrow(head)) return arrowTable(file);
  const { text, encoding } = decodeSample(head);
  refuseOtherFormats(path, head, text);
  const words = [ENCODING_NAMES[encoding], ...packing];
  const start = text.trimStart()[0];
  if (start === '{' && isJsonLines(text) && !isOneObject(path, text)) return jsonLinesTable(file, text, words);
  if (start === '[' || start === '{') return jsonTable(file, words);
  const dialect = recogniseDialect(path, text, head.length < SAMPLE_BYTES, options);
  return dialect.isSequences ? sequencesTable(file, words) : delimitedTable(file, dialect, words);
}

/** @throws {DataError} naming the format of a file that is no table */
function refuseOtherFormats(path: string, head: Uint8Array, text: string): void {
  const start = Buffer.from(head.subarray(0, START_BYTES)).toString('latin1');
  const other = OTHER_FORMATS.find(([first]) => start.startsWith(first))?.[1];
  if (other !== undefined) throw new DataError(`${path}: expected a table, got ${other}`);
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) {
    throw new DataError(
      `${path}: expected a table, got HTML or XML, such as a page that was downloaded in place of a file`,
    );
  }
  const at = text.indexOf('\0');
  if (at < 0) return;
  const got = isUtf16(text)
    ? 'UTF-16 text without a byte order mark; save it as UTF-8'
    : isText(text)
      ? `a NUL character in line ${text.slice(0, at).split(/\r\n|\r|\n/).length}`
      : 'unknown bytes';
  throw new DataError(`${path}: expected CSV, JSON Lines, Parquet or Arrow, got ${got}`);
}

/** True if every second of the first characters is NUL, as of Latin letters in UTF-16. */
function isUtf16(text: string): boolean {
  const first = Array.from({ length: START_BYTES }, (_, i) => text[i] === '\0');
  return first.every((isNul, i) => isNul === (i % 2 === 0)) || first.every((isNul, i) => isNul === (i % 2 === 1));
}

/** True for a text without control characters other than NUL, tabs and ends of lines. */
function isText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0 && code < 9) return false;
  }
  return true;
}

/** True if a file with a single object is a map of rows: in `.json` it is one, in `.jsonl` the object is a row. */
function isOneObject(path: string, text: string): boolean {
  return /\.json(\.gz|\.zst)?$/i.test(path) && !text.trim().includes('\n');
}
