/**
 * Recognises the dialect of a delimited file from its first lines: the delimiter, whether fields are quoted, whether the first
 * line has names, and whether the lines are sequences (`user item item …`).
 */

import Papa from 'papaparse';
import { DataError } from 'shortlist';
import { lineEndOf } from '../bytes/text-chunks.ts';
import { isMissing, numberOf } from '../columns/cell.ts';
import { looksLikeTime } from '../columns/time.ts';
import { decimalCommaColumns } from './decimal-commas.ts';
import { isKnownName } from './known-names.ts';

/** The rules by which a line is divided into fields. */
export interface Dialect {
  readonly delimiter: string;
  readonly newline: '\n' | '\r';
  /** True if the first line is `sep=;`, with which a table tells Excel its delimiter. */
  readonly hasSeparatorLine: boolean;
  /** True if double quotes protect delimiters and line ends. */
  readonly isQuoted: boolean;
  readonly hasHeader: boolean;
  /** The number of fields of a row. */
  readonly width: number;
  /** The first row. */
  readonly firstRow: readonly string[];
  /** True if each line is a user and any number of items. */
  readonly isSequences: boolean;
  /** The positions of the columns whose numbers have decimal commas. */
  readonly decimalCommas: readonly number[];
}

/** Delimiters in order of preference, for texts that several of them divide equally well. */
const DELIMITERS = ['\t', '::', ',', ';', '|', ' '] as const;
/** The names of delimiters in descriptions. */
export const DELIMITER_NAMES: ReadonlyMap<string, string> = new Map([
  ['\t', 'tab'],
  ['::', 'double colon'],
  [',', 'comma'],
  [';', 'semicolon'],
  ['|', 'bar'],
  [' ', 'space'],
]);
/** Rows that are read to recognise the dialect. */
const SAMPLE_ROWS = 1000;
/** A first line that names the delimiter. */
const SEPARATOR_LINE = /^sep=(.)\r?[\n\r]/i;
/** The share of the rows that must have the same width; a few may be broken. */
const REGULAR_SHARE = 0.9;

interface Split {
  readonly rows: readonly (readonly string[])[];
  readonly delimiter: string;
  readonly isQuoted: boolean;
  readonly width: number;
  /** The share of the rows that have that width. */
  readonly share: number;
}

/**
 * Recognises the dialect of a text.
 *
 * @param sample the start of the file; unless `isWhole` is true its last line may be incomplete
 * @throws {DataError} when there is no row
 */
export function recogniseDialect(
  path: string,
  sample: string,
  isWhole: boolean,
  given: { delimiter?: string | undefined; header?: boolean | undefined } = {},
): Dialect {
  const newline = lineEndOf(sample);
  const end = isWhole ? sample.length : sample.lastIndexOf(newline) + 1 || sample.length;
  const separator = SEPARATOR_LINE.exec(sample)?.[1];
  const text = sample.slice(separator === undefined ? 0 : sample.indexOf(newline) + 1, end);
  const delimiter = given.delimiter ?? separator;
  const delimiters = delimiter === undefined ? DELIMITERS : [delimiter];
  const splits = delimiters.map((delimiter) => split(text, delimiter, newline)).filter(({ rows }) => rows.length > 0);
  if (splits.length === 0) throw new DataError(`${path}: expected rows, got an empty file`);
  const best = splits
    .filter(({ width, share }) => width > 1 && share >= REGULAR_SHARE)
    .reduce<Split | undefined>(
      (a, b) => (a && (a.share > b.share || (a.share === b.share && a.width >= b.width)) ? a : b),
      undefined,
    );
  const sequences = best === undefined ? splits.find(isSequences) : undefined;
  const chosen = best ?? sequences ?? widest(splits);
  const isNamed = sequences === undefined && (given.header ?? hasHeader(chosen.rows, chosen.width));
  return {
    delimiter: chosen.delimiter,
    newline,
    hasSeparatorLine: separator !== undefined,
    isQuoted: chosen.isQuoted,
    width: chosen.width,
    firstRow: chosen.rows[0]!,
    hasHeader: isNamed,
    isSequences: sequences !== undefined,
    decimalCommas: decimalCommaColumns(chosen.rows.slice(isNamed ? 1 : 0), chosen.width, chosen.delimiter),
  };
}

/** For lines of different widths that are not sequences: the first delimiter that occurs, in order of preference; else one column. */
function widest(splits: readonly Split[]): Split {
  return (
    splits.find(({ width, delimiter }) => width > 1 && delimiter !== ' ') ??
    splits.find((s) => s.delimiter === ',') ??
    splits[0]!
  );
}

function split(text: string, delimiter: string, newline: '\n' | '\r'): Split {
  const isProtecting = delimiter !== '::' && delimiter !== ' ' && text.includes('"');
  if (isProtecting) {
    const quoted = measured(text, delimiter, newline, true);
    if (quoted) return quoted;
  }
  return measured(text, delimiter, newline, false)!;
}

/** Splits a text and measures the widths; undefined if the quotes in it cannot be quotes of fields. */
function measured(text: string, delimiter: string, newline: '\n' | '\r', isQuoted: boolean): Split | undefined {
  const { data, errors } = parseRows(text, delimiter, newline, isQuoted, SAMPLE_ROWS);
  // Text after an unclosed quote is not a row.
  if (errors.some(({ code }) => code === 'MissingQuotes')) data.pop();
  const rows = data.map(withoutCarriageReturn).filter((row) => row.some((field) => field.trim() !== ''));
  // A stray quote in fewer than one of twenty lines is a broken row; more mean that quotes are ordinary characters.
  if (isQuoted && errors.length > text.split(newline, SAMPLE_ROWS).length / 20) return undefined;
  const counts = new Map<number, number>();
  for (const { length } of rows) counts.set(length, (counts.get(length) ?? 0) + 1);
  const [width, count] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), [0, 0]);
  return { rows, delimiter, isQuoted, width, share: rows.length === 0 ? 0 : count / rows.length };
}

/** Rows as the CSV library splits them. */
export function parseRows(
  text: string,
  delimiter: string,
  newline: '\n' | '\r',
  isQuoted: boolean,
  rows = 0,
): { data: string[][]; errors: readonly { readonly code: string }[] } {
  // `fastMode` ignores quotes; if it is undefined, the library uses it for texts without quotes.
  const config = { delimiter, newline, preview: rows, ...(isQuoted ? {} : { fastMode: true }) };
  return new Papa.Parser(config).parse(text, 0, false) as {
    data: string[][];
    errors: readonly { readonly code: string }[];
  };
}

function withoutCarriageReturn(row: readonly string[]): readonly string[] {
  const last = row[row.length - 1]!;
  return last.endsWith('\r') ? [...row.slice(0, -1), last.slice(0, -1)] : row;
}

/** True for sequences `user item item …`: lines of different lengths, without quotes, and no user twice. */
function isSequences({ rows, delimiter, share }: Split): boolean {
  if ((delimiter !== ' ' && delimiter !== '\t') || share >= REGULAR_SHARE) return false;
  const users = new Set(rows.map((row) => row[0]));
  const isPlain = rows.every((row) => row.every((word) => !/[",;:{}]/.test(word)));
  return isPlain && users.size === rows.length && rows.some((row) => row.length > 2);
}

/**
 * True if the first row has names. It has none if one of its cells is a number or a time. It has some if a column below is
 * numeric; in a table of text it has some if a name is known, or if none of its words occurs in a later row.
 */
function hasHeader(all: readonly (readonly string[])[], width: number): boolean {
  const [first, ...rest] = all;
  if (first === undefined || first.length !== width) return false;
  if (first.some((cell) => cell.trim() !== '' && isValue(cell))) return false;
  if (first.some(isKnownName)) return true;
  const rows = rest.filter((row) => row.length === width);
  if (rows.length === 0) return false;
  const columns = first.map((_, i) => rows.map((row) => row[i]!).filter((cell) => !isMissing(cell)));
  if (columns.some((cells) => cells.length > 0 && cells.every(isValue))) return true;
  return first.every((name, i) => /^[\p{L}_][\p{L}\p{N}_ .-]*$/u.test(name.trim()) && !columns[i]!.includes(name));
}

function isValue(cell: string): boolean {
  return !Number.isNaN(numberOf(cell)) || looksLikeTime(cell);
}
