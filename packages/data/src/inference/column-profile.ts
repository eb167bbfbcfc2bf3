/** The contents of the columns of a table, from its first rows: type, number of distinct values, range. */
import { type Cell, isMissing, numberOf, textOf } from '../columns/cell.ts';
import { looksLikeTime, parseTime } from '../columns/time.ts';
import type { Table } from '../tables/contract.ts';

/** The type of the cells of a column. `text` also for numbers with leading zeros: 007 and 7 are two identifiers. */
export type ColumnKind = 'integer' | 'number' | 'boolean' | 'date' | 'list' | 'text' | 'empty';

/** A column, as far as it was looked at. */
export interface ColumnProfile {
  readonly name: string;
  readonly kind: ColumnKind;
  /** Rows looked at that have a value. */
  readonly filled: number;
  readonly distinct: number;
  /** Of numbers; NaN otherwise. */
  readonly min: number;
  readonly max: number;
  /** Share of the values that are dates, or numbers of the size of times since 1980. */
  readonly timeShare: number;
  /** Letters of a value, on average. */
  readonly meanLength: number;
  /**
   * The separator of the values of a list, or the one that would be if the column were a list: the one of | ; , that most of its values have;
   * '' where none has any, where the file has lists of its own, or JSON.
   */
  readonly separator: string;
}

/** Rows looked at: enough to see values repeat, read in some tenths of a second. */
const PROFILE_ROWS = 20_000;
/** Share of the values that must be of a kind: the others are broken cells. */
const KIND_SHARE = 0.95;
/** Share of the values that must have a bar, or a semicolon, for the column to be one of lists. */
const LIST_SHARE = 0.1;
/**
 * Semicolons are also punctuation: they separate a list where its values come again, this many times on average, and are
 * words, not sentences of more letters.
 */
const LIST_REPEATS = 2;
const LIST_LETTERS = 30;
/** Separators of lists, the surest first. */
const SEPARATORS = ['|', ';', ','] as const;
const BOOLEANS: ReadonlySet<string> = new Set(['true', 'false', 'yes', 'no', 't', 'f', 'y', 'n']);

/** Columns of a table and the rows they were told from. */
export interface TableProfile {
  readonly rows: number;
  readonly columns: readonly ColumnProfile[];
}

/** Looks at the first rows of a table. */
export async function profileTable(table: Table, rowsMax: number = PROFILE_ROWS): Promise<TableProfile> {
  const tallies = table.columns.map((name) => new Tally(name));
  let rows = 0;
  for await (const batch of table.batches()) {
    const taken = Math.min(batch.rows, rowsMax - rows);
    for (let column = 0; column < tallies.length; column++) {
      const cells = batch.columns[column]!;
      for (let i = 0; i < taken; i++) tallies[column]!.add(cells[i]!);
    }
    rows += taken;
    if (rows >= rowsMax) break;
  }
  return { rows, columns: tallies.map((tally) => tally.profile()) };
}

/** Counts what the cells of a column could be. */
class Tally {
  readonly #name: string;
  readonly #distinct = new Set<string>();
  #filled = 0;
  #integers = 0;
  #numbers = 0;
  #leadingZeros = 0;
  #booleans = 0;
  #dates = 0;
  #times = 0;
  #lists = 0;
  #jsonLists = 0;
  readonly #separated = new Map<string, number>(SEPARATORS.map((separator) => [separator, 0]));
  /** Values between semicolons: how many, how many letters, and which. */
  #parts = 0;
  #partLetters = 0;
  readonly #distinctParts = new Set<string>();
  #letters = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  constructor(name: string) {
    this.#name = name;
  }

  add(cell: Cell): void {
    if (isMissing(cell)) return;
    this.#filled++;
    const text = textOf(cell).trim();
    this.#distinct.add(text);
    this.#letters += text.length;
    if (Array.isArray(cell)) this.#lists++;
    if (typeof cell === 'boolean' || (typeof cell === 'string' && BOOLEANS.has(text.toLowerCase()))) this.#booleans++;
    else this.#addNumber(cell, text);
    if (cell instanceof Date || (typeof cell === 'string' && !Number.isNaN(parseTime(cell).seconds))) this.#dates++;
    if (looksLikeTime(cell)) this.#times++;
    if (typeof cell === 'string') {
      if (text.startsWith('[') && text.endsWith(']')) this.#jsonLists++;
      this.#addSeparators(text);
    }
  }

  #addSeparators(text: string): void {
    for (const separator of SEPARATORS) {
      if (text.includes(separator)) this.#separated.set(separator, this.#separated.get(separator)! + 1);
    }
    for (const part of text.split(';')) {
      this.#parts++;
      this.#partLetters += part.trim().length;
      this.#distinctParts.add(part.trim());
    }
  }

  #addNumber(cell: Cell, text: string): void {
    const value = numberOf(cell);
    if (Number.isNaN(value)) return;
    this.#numbers++;
    if (typeof cell === 'string' && /^[+-]?0\d/.test(text)) this.#leadingZeros++;
    else if (Number.isInteger(value) && !text.includes('.')) this.#integers++;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  profile(): ColumnProfile {
    const kind = this.#kind();
    const isNumeric = kind === 'integer' || kind === 'number';
    return {
      name: this.#name,
      kind,
      filled: this.#filled,
      distinct: this.#distinct.size,
      min: isNumeric ? this.#min : Number.NaN,
      max: isNumeric ? this.#max : Number.NaN,
      timeShare: this.#filled === 0 ? 0 : this.#times / this.#filled,
      meanLength: this.#filled === 0 ? 0 : this.#letters / this.#filled,
      separator: this.#separator(),
    };
  }

  #separator(): string {
    const [bars, semicolons, commas] = SEPARATORS.map((separator) => this.#separated.get(separator)!) as [
      number,
      number,
      number,
    ];
    const own = this.#lists + this.#jsonLists;
    if (own > 0 && own >= Math.max(bars, semicolons)) return '';
    if (bars > 0 && bars >= LIST_SHARE * this.#filled) return '|';
    if (Math.max(bars, semicolons, commas) === 0) return '';
    return semicolons >= commas || this.#isListOfSemicolons() ? ';' : ',';
  }

  #isListOfSemicolons(): boolean {
    return (
      this.#separated.get(';')! >= LIST_SHARE * this.#filled &&
      this.#parts >= LIST_REPEATS * this.#distinctParts.size &&
      this.#partLetters <= LIST_LETTERS * this.#parts
    );
  }

  #kind(): ColumnKind {
    const most = KIND_SHARE * this.#filled;
    if (this.#filled === 0) return 'empty';
    const bars = this.#separated.get('|')!;
    if (this.#lists >= most || this.#jsonLists >= most || bars >= LIST_SHARE * this.#filled) return 'list';
    if (this.#isListOfSemicolons()) return 'list';
    if (this.#booleans >= most) return 'boolean';
    if (this.#numbers >= most && this.#leadingZeros === 0)
      return this.#integers === this.#numbers ? 'integer' : 'number';
    // Before 'date' are numbers: a column of digits is a date only where its role says so.
    return this.#dates - this.#numbers >= most ? 'date' : 'text';
  }
}
