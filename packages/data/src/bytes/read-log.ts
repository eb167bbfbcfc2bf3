/**
 * The log of a reading, for the user of the file: rows that were broken, and what was guessed,
 * replaced or passed over. Nothing is dropped in silence.
 */
import { DataError, OptionError } from 'shortlist';

/** A row that could not be taken. */
export interface BrokenRow {
  /** Line of a text file, row of a binary one, from 1. */
  readonly line: number;
  readonly reason: string;
}

/** The number of broken rows that are kept with their text; further ones are only counted. */
export const BROKEN_ROWS_SHOWN = 10;

/** Options of a log. */
export interface ReadLogOptions {
  /** The first broken row is an error; otherwise it is passed over and counted. Default false. */
  readonly strict?: boolean;
}

/** Gathers what is said about one file. */
export class ReadLog {
  readonly path: string;
  readonly strict: boolean;
  /** Broken rows altogether. */
  broken = 0;
  /** The first of them. */
  readonly firstBroken: BrokenRow[] = [];
  readonly #notes = new Set<string>();

  constructor(path: string, { strict = false, ...unknown }: ReadLogOptions = {}) {
    const [name] = Object.keys(unknown);
    if (name !== undefined) throw new OptionError(`options: expected strict, got ${JSON.stringify(name)}`);
    this.path = path;
    this.strict = strict;
  }

  /** Facts about the reading, each once. */
  get notes(): readonly string[] {
    return [...this.#notes];
  }

  /**
   * A row is left out.
   *
   * @throws {DataError} naming the file and the line, where reading is strict
   */
  reject(line: number, reason: string): void {
    if (this.strict) throw new DataError(`${this.path}:${line}: ${reason}`);
    this.broken++;
    if (this.firstBroken.length < BROKEN_ROWS_SHOWN) this.firstBroken.push({ line, reason });
  }

  /** Something was guessed, replaced or passed over. */
  note(text: string): void {
    this.#notes.add(text);
  }
}
