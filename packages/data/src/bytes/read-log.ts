/**
 * The log of reading a file: broken rows, and notes on guesses, replaced values and skipped data. Everything that a reader
 * leaves out is in the log.
 */
import { DataError } from 'shortlist';
import { BOOLEAN, checkArgument, checkInteger, optionsCheck, STRING } from 'shortlist/options';

/** A row that could not be read. */
export interface BrokenRow {
  /** The line in a text file or the row in a binary file, from 1. */
  readonly line: number;
  readonly reason: string;
}

/** The number of broken rows that are kept with their text; further ones are only counted. */
export const BROKEN_ROWS_SHOWN = 10;

/** Options of a log. */
export interface ReadLogOptions {
  /** True to throw at the first broken row; false to leave broken rows out and count them. Default false. */
  readonly strict?: boolean;
}

const checkOptions = optionsCheck<ReadLogOptions>('ReadLog', { strict: BOOLEAN });

/** The log of one file. */
export class ReadLog {
  readonly path: string;
  readonly strict: boolean;
  /** The number of broken rows. */
  broken = 0;
  /** The first broken rows. */
  readonly firstBroken: BrokenRow[] = [];
  readonly #notes = new Set<string>();

  constructor(path: string, options: ReadLogOptions = {}) {
    const { strict = false } = checkOptions(options);
    this.path = checkArgument('path', path, STRING);
    this.strict = strict;
  }

  /** Notes, each once. */
  get notes(): readonly string[] {
    return [...this.#notes];
  }

  /**
   * Record a broken row, which is left out.
   *
   * @throws {DataError} naming the file and the line, if reading is strict
   */
  reject(line: number, reason: string): void {
    checkInteger('line', line, 1);
    checkArgument('reason', reason, STRING);
    if (this.strict) throw new DataError(`${this.path}:${line}: ${reason}`);
    this.broken++;
    if (this.firstBroken.length < BROKEN_ROWS_SHOWN) this.firstBroken.push({ line, reason });
  }

  /** Record a guess, a replaced value or skipped data. */
  note(text: string): void {
    this.#notes.add(checkArgument('text', text, STRING));
  }
}
