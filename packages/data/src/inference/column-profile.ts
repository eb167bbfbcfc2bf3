/** Profiles the columns of a table by its first rows: type, number of distinct values, range. */
import { checkArgument, checkInteger } from 'shortlist/options';
import { type Cell, isMissing, numberOf, textOf } from '../columns/cell.ts';
import { looksLikeTime, parseTime } from '../columns/time.ts';
import { TABLE, type Table } from '../tables/contract.ts';

/** The type of the cells of a column. Numbers with leading zeros are `text`, because 007 and 7 are different identifiers. */
export type ColumnKind = 'integer' | 'number' | 'boolean' | 'date' | 'list' | 'text' | 'empty';

/** The profile of a column, from the first rows of its table. */
export interface ColumnProfile {
  readonly name: string;
  readonly kind: ColumnKind;
  /** The number of rows that have a value. */
  readonly filled: number;
  readonly distinct: number;
  /** The smallest and largest number; NaN for a column without numbers. */
  readonly min: number;
  readonly max: number;
  /** The share of the values that are dates, or numbers that are times since 1980. */
  readonly timeShare: number;
  /** The mean length of a value in letters. */
  readonly meanLength: number;
  /**
   * The separator of list elements that most values contain: | ; or a comma. It is '' if no value contains one, and if lists
   * are arrays of the format or JSON.
   */
  readonly separator: string;
  /** True if some values are numbers with a comma (`4,5`), and nearly all others are numbers, too. */
  readonly hasCommaNumbers?: boolean;
}

/** Rows of a profile: enough to see values repeat, and read within some tenths of a second. */
const PROFILE_ROWS = 20_000;
/** The share of the values that must be of a type; the others are broken cells. */
const KIND_SHARE = 0.95;
/** The share of the values that must contain a bar or a semicolon for the column to hold lists. */
const LIST_SHARE = 0.1;
/**
 * Semicolons are also punctuation. They separate list elements if the elements repeat, this many times on average, and are
 * short words instead of sentences.
 */
const LIST_REPEATS = 2;
const LIST_LETTERS = 30;
/** Separators of list elements, the most reliable first. */
const SEPARATORS = ['|', ';', ','] as const;
const COMMA_NUMBER = /^[+-]?\d+,\d+$/;
const BOOLEANS: ReadonlySet<string> = new Set(['true', 'false', 'yes', 'no', 't', 'f', 'y', 'n']);

/** The profiles of the columns, and the number of rows that were read for them. */
export interface TableProfile {
  readonly rows: number;
  readonly columns: readonly ColumnProfile[];
}

/** Profiles a table by its first rows. */
export async function profileTable(table: Table, rowsMax: number = PROFILE_ROWS): Promise<TableProfile> {
  checkArgument('table', table, TABLE);
  checkInteger('rowsMax', rowsMax, 1);
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

/** Counts the possible types of the cells of a column. */
class Tally {
  readonly #name: string;
  readonly #distinct = new Set<string>();
  #filled = 0;
  #integers = 0;
  #numbers = 0;
  #leadingZeros = 0;
  #commaNumbers = 0;
  #booleans = 0;
  #dates = 0;
  #times = 0;
  #lists = 0;
  #jsonLists = 0;
  readonly #separated = new Map<string, number>(SEPARATORS.map((separator) => [separator, 0]));
  /** Values between semicolons: their number, their letters, and the distinct ones. */
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
    if (COMMA_NUMBER.test(text)) this.#commaNumbers++;
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
      ...(this.#commaNumbers > 0 &&
        this.#commaNumbers + this.#numbers >= KIND_SHARE * this.#filled && { hasCommaNumbers: true }),
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
    // Numbers come before dates: a column of digits is a date only if its role is time.
    return this.#dates - this.#numbers >= most ? 'date' : 'text';
  }
}
