/**
 * Reads a table of items from a file: recognises the column of identifiers, the column of titles, and the types of all columns.
 *
 * Lists are arrays of the format, JSON arrays in text, or words separated by bars or semicolons (`Comedy|Drama`).
 */
import { DataError, OptionError } from 'shortlist';
import { BOOLEAN, optionsCheck, SIGNAL, STRING, WORDS } from 'shortlist/options';
import { ReadLog } from '../bytes/read-log.ts';
import { type Cell, isMissing, numberOf, textOf } from '../columns/cell.ts';
import { parseTime } from '../columns/time.ts';
import { type ColumnProfile, profileTable } from '../inference/column-profile.ts';
import { suggestion } from '../inference/suggestion.ts';
import { TABLE_OPTIONS, type Table, type TableOptions } from '../tables/contract.ts';
import { bareName, KNOWN_NAMES } from '../tables/known-names.ts';
import { openFile } from '../tables/open-table.ts';
import type { ItemColumn, ItemColumnKind, ItemTable, ItemValue } from './item-table.ts';

/** Options of reading items. */
export interface ReadItemsOptions extends TableOptions {
  /** The column of identifiers; default: recognised by the known identifiers and by name. */
  readonly identifierColumn?: string | undefined;
  /** The column of titles; default: recognised by name and content. */
  readonly titleColumn?: string | undefined;
  /** The columns that hold lists, with elements separated by | ; or a comma; default: recognised by content. */
  readonly listColumns?: readonly string[] | undefined;
  /** Identifiers of interactions or vectors, by which the column of identifiers is recognised. */
  readonly known?: readonly string[] | undefined;
  readonly strict?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A table of items, with the log of its reading. */
export interface ReadItems {
  readonly items: ItemTable;
  readonly description: string;
  readonly identifierColumn: string;
  /** The log; broken rows are those without an identifier or with a repeated one. */
  readonly log: ReadLog;
}

const checkOptions = optionsCheck<ReadItemsOptions>('readItems', {
  ...TABLE_OPTIONS,
  identifierColumn: STRING,
  titleColumn: STRING,
  listColumns: WORDS,
  known: WORDS,
  strict: BOOLEAN,
  signal: SIGNAL,
});
/** Names of columns of titles, the best first. */
const TITLES: readonly string[] = [
  ...['title', 'name', 'movietitle', 'itemname', 'productname', 'producttitle', 'trackname', 'songname', 'artistname'],
  ...['booktitle', 'headline', 'articletitle', 'displayname', 'label'],
];
/** The most values of each column that are compared with the known identifiers. */
const KNOWN_SAMPLE = 1000;

/**
 * Reads a table of items.
 *
 * @throws {FileError} when the file cannot be read
 * @throws {DataError} when it is damaged, when no column has the known identifiers, or at the first broken row if `strict` is true
 * @throws {OptionError} when an option is unknown or names a column that does not exist
 */
export async function readItems(path: string, options: ReadItemsOptions = {}): Promise<ReadItems> {
  checkOptions(options);
  const table = await openFile(path, options);
  const { columns: looked } = await profileTable(table);
  const profiles = withLists(table, looked, options.listColumns);
  const identifier = await identifierColumn(table, profiles, options);
  const log = new ReadLog(path, { strict: options.strict ?? false });
  const { identifiers, columns } = await readColumns(table, profiles, identifier, log, options.signal);
  const titleAt = titleColumn(table, profiles, identifier, options);
  const rows = new Map(identifiers.map((word, row) => [word, row]));
  const title = columns.find(({ name }) => titleAt >= 0 && name === table.columns[titleAt]);
  return {
    items: { identifiers, columns, title, rows },
    description: table.description,
    identifierColumn: table.columns[identifier]!,
    log,
  };
}

/** Profiles in which exactly the named columns are lists. */
function withLists(
  table: Table,
  profiles: readonly ColumnProfile[],
  lists: readonly string[] | undefined,
): readonly ColumnProfile[] {
  if (lists === undefined) return profiles;
  const listColumns = new Set(lists.map((name) => named(table, 'listColumns', name)));
  return profiles.map((profile, i) => {
    if (listColumns.has(i)) return { ...profile, kind: 'list' };
    return profile.kind === 'list' ? { ...profile, kind: 'text' } : profile;
  });
}

/** The column of identifiers: by the option, by the known identifiers, by name, or else the first column. */
async function identifierColumn(
  table: Table,
  profiles: readonly ColumnProfile[],
  options: ReadItemsOptions,
): Promise<number> {
  if (options.identifierColumn !== undefined) return named(table, 'identifierColumn', options.identifierColumn);
  const byName = bestByName(profiles, [...KNOWN_NAMES.get('item')!, 'id']);
  const { known } = options;
  if (known === undefined || known.length === 0) return Math.max(byName, 0);
  const shares = await knownShares(table, new Set(known));
  const best = shares.reduce((a, b, i) => (b > shares[a]! ? i : a), 0);
  if (shares[best] === 0) {
    throw new DataError(
      `${table.path}: expected identifiers of the interactions such as ${JSON.stringify(known[0])}, found none in the first ` +
        `rows of ${table.columns.join(', ')}; identifierColumn sets the column`,
    );
  }
  // A column of small numbers matches many identifiers by chance, so a matching name counts more than a few more matches.
  return byName >= 0 && shares[byName]! >= 0.5 * shares[best]! ? byName : best;
}

/** For each column, the share of its first distinct values that are known identifiers. */
async function knownShares(table: Table, known: ReadonlySet<string>): Promise<number[]> {
  for await (const batch of table.batches()) {
    return batch.columns.map((cells) => {
      const distinct = new Set(
        Array.from({ length: Math.min(batch.rows, KNOWN_SAMPLE) }, (_, i) => textOf(cells[i]!).trim()),
      );
      let found = 0;
      for (const word of distinct) if (known.has(word)) found++;
      // Distinct values are counted, so that a column of 0 and 1 has at most two matches.
      return found / Math.min(batch.rows, KNOWN_SAMPLE);
    });
  }
  return table.columns.map(() => 0);
}

function titleColumn(
  table: Table,
  profiles: readonly ColumnProfile[],
  identifier: number,
  { titleColumn }: ReadItemsOptions,
): number {
  if (titleColumn !== undefined) return named(table, 'titleColumn', titleColumn);
  const byName = bestByName(profiles, TITLES);
  if (byName >= 0 && byName !== identifier) return byName;
  // A title is text that differs in nearly every row and is not a URL.
  return profiles.findIndex(
    ({ kind, distinct, filled, meanLength }, i) =>
      i !== identifier && kind === 'text' && distinct > 0.7 * filled && meanLength > 3,
  );
}

function bestByName(profiles: readonly ColumnProfile[], names: readonly string[]): number {
  const ranks = profiles.map(({ name }) => names.indexOf(bareName(name)));
  const best = Math.min(...ranks.filter((rank) => rank >= 0));
  return ranks.indexOf(best);
}

function named(table: Table, option: string, name: string): number {
  const column = table.columns.indexOf(name);
  if (column >= 0) return column;
  throw new OptionError(
    `${option}: expected a column of ${table.path}, got ${JSON.stringify(name)}: ${suggestion(name, table.columns)}`,
  );
}

async function readColumns(
  table: Table,
  profiles: readonly ColumnProfile[],
  identifier: number,
  log: ReadLog,
  signal: AbortSignal | undefined,
): Promise<{ identifiers: string[]; columns: ItemColumn[] }> {
  const identifiers: string[] = [];
  const lines = new Map<string, number>();
  const columns = profiles.map(({ name, kind, separator }) => ({
    ...{ name, kind: kindOf(kind), values: [] as ItemValue[], misfits: 0 },
    convert: converter(kindOf(kind), separator),
  }));
  for await (const batch of table.batches({ log, signal })) {
    for (let row = 0; row < batch.rows; row++) {
      const word = textOf(batch.columns[identifier]![row]!).trim();
      const earlier = lines.get(word);
      if (word === '')
        log.reject(batch.lineOf(row), `${table.columns[identifier]}: expected an identifier, got nothing`);
      else if (earlier !== undefined)
        log.reject(
          batch.lineOf(row),
          `expected a new identifier, got ${JSON.stringify(word)} of line ${earlier} again`,
        );
      if (word === '' || earlier !== undefined) continue;
      lines.set(word, batch.lineOf(row));
      identifiers.push(word);
      columns.forEach((column, i) => {
        const cell = batch.columns[i]![row]!;
        const value = isMissing(cell) ? null : column.convert(cell);
        if (value === null && !isMissing(cell)) column.misfits++;
        column.values.push(value);
      });
    }
  }
  for (const { name, kind, misfits } of columns) {
    if (misfits > 0) log.note(`${name}: ${misfits} values are not of the type ${kind} and are treated as missing`);
  }
  for (const [i, { name, kind }] of columns.entries()) {
    const { separator } = profiles[i]!;
    if (kind === 'list')
      log.note(`${name}: read as lists${separator === '' ? '' : `, separated by ${JSON.stringify(separator)}`}`);
  }
  const kept = columns.filter((_, i) => i !== identifier && profiles[i]!.kind !== 'empty');
  return { identifiers, columns: kept.map(({ name, kind, values }) => ({ name, kind, values })) };
}

function kindOf(kind: ColumnProfile['kind']): ItemColumnKind {
  if (kind === 'integer' || kind === 'number') return 'number';
  return kind === 'empty' ? 'text' : kind;
}

const YES = /^(true|yes|t|y|1)$/i;
const NO = /^(false|no|f|n|0)$/i;

function converter(kind: ItemColumnKind, separator: string): (cell: Cell) => ItemValue {
  if (kind === 'number') return (cell) => (Number.isFinite(numberOf(cell)) ? numberOf(cell) : null);
  if (kind === 'boolean')
    return (cell) => (YES.test(textOf(cell).trim()) ? true : NO.test(textOf(cell).trim()) ? false : null);
  if (kind === 'date') return toDate;
  return kind === 'list' ? (cell) => toList(cell, separator) : textOf;
}

/** A date as text: the day, with the time of day if that is not midnight. */
function toDate(cell: Cell): string | null {
  const { seconds } = parseTime(cell);
  if (!Number.isFinite(seconds) || Math.abs(seconds) > 8.64e12) return null;
  const text = new Date(seconds * 1000).toISOString();
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text;
}

/** The elements of a list. Numbers in arrays stay numbers; elements between separators are text. */
function toList(cell: Cell, separator: string): readonly (string | number)[] {
  if (Array.isArray(cell)) return cell.flatMap(toElement);
  const text = textOf(cell).trim();
  if (separator !== '')
    return text
      .split(separator)
      .map((word) => word.trim())
      .filter((word) => word !== '');
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list)) return list.flatMap(toElement);
  } catch {
    // Python's notation of a list, ['a', 'b'], is not JSON and is parsed here.
    if (text.startsWith('['))
      return [...text.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s,[\]'"]+)/g)].map(
        ([, a, b, c]) => a ?? b ?? c!,
      );
  }
  return [text];
}

/** An element of a list as text or number; an empty list if it is missing. Integers that a double cannot hold become text. */
function toElement(element: Cell): readonly (string | number)[] {
  if (element === null) return [];
  if (typeof element === 'number' && Number.isFinite(element)) return [element];
  return typeof element === 'bigint' && BigInt(Number(element)) === element ? [Number(element)] : [textOf(element)];
}
