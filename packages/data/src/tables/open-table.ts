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
  if (magic === '\x93NUMPY') throw new DataError(`${path}: expected a table, got vectors (.npy)`);
  const { text, encoding } = decodeSample(head);
  if (text.includes('\0'))
    throw new DataError(`${path}: expected CSV, JSON Lines, Parquet or Arrow, got unknown bytes`);
  const words = [ENCODING_NAMES[encoding], ...packing];
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) {
    throw new DataError(
      `${path}: expected a table, got HTML or XML, such as a page that was downloaded in place of a file`,
    );
  }
  const start = text.trimStart()[0];
  if (start === '{' && isJsonLines(text) && !isOneObject(path, text)) return jsonLinesTable(file, text, words);
  if (start === '[' || start === '{') return jsonTable(file, words);
  const dialect = recogniseDialect(path, text, head.length < SAMPLE_BYTES, options);
  return dialect.isSequences ? sequencesTable(file, words) : delimitedTable(file, dialect, words);
}

/** True if a file with a single object is a map of rows: in `.json` it is one, in `.jsonl` the object is a row. */
function isOneObject(path: string, text: string): boolean {
  return /\.json(\.gz|\.zst)?$/i.test(path) && !text.trim().includes('\n');
}
