/** A table in a file as the source of a training run: its rows are read again in every pass and need not fit into memory. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { DataError, FileError, type RetrievalDataset, type RetrievalSource } from 'shortlist';
import { systemReason } from 'shortlist/node';
import { optionsCheck, required, SIGNAL, STRING } from 'shortlist/options';
import { type Cells, isMissing, numberOf, textOf } from '../columns/cell.ts';
import { COLUMNS, TABLE_OPTIONS, type Table, type TableBatch, type TableOptions } from '../tables/contract.ts';
import { openFile } from '../tables/open-table.ts';

/** The words of a row: those of one column, or of several columns by name. */
export type RowWords = string | Readonly<Record<string, string>>;

/** The columns of a table that a model is trained on. */
export interface TableSourceOptions extends TableOptions {
  /** The column of the query tower's word, or the columns of its named words. */
  readonly query: string | readonly string[];
  /** The column of the candidate tower's word, or the columns of its named words. */
  readonly candidate: string | readonly string[];
  /** A column of weights of at least 0; default: all rows weigh 1. */
  readonly weight?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const checkOptions = optionsCheck<TableSourceOptions>('tableSource', {
  ...TABLE_OPTIONS,
  query: required(COLUMNS),
  candidate: required(COLUMNS),
  weight: STRING,
  signal: SIGNAL,
});

/**
 * Open a file of interactions (CSV, JSON Lines, Parquet, Arrow, …) for `fit`. Its fingerprint is a hash of the whole file and
 * of the names of the columns.
 *
 * @throws {FileError} when the file cannot be read
 * @throws {DataError} when it is no table, or has no column of a name; while it is read, when a row has no value
 */
export async function tableSource<Q extends RowWords = string, C extends RowWords = string>(
  path: string,
  options: TableSourceOptions,
): Promise<RetrievalSource<Q, C>> {
  const { query, candidate, weight, signal } = checkOptions(options);
  const table = await openFile(path, options);
  const queries = new WordColumns<Q>(table, query);
  const candidates = new WordColumns<C>(table, candidate);
  const weights = weight === undefined ? undefined : positionOf(table, weight);
  const positions = [...queries.positions, ...candidates.positions, ...(weights === undefined ? [] : [weights])];
  const fingerprint = await hashOf(path, JSON.stringify([query, candidate, weight ?? null]));
  return {
    fingerprint,
    rows: table.rows,
    async *read(skip: number): AsyncGenerator<RetrievalDataset<Q, C>> {
      let left = skip;
      for await (const batch of table.batches({ columns: positions, signal })) {
        const from = Math.min(left, batch.rows);
        left -= from;
        if (from === batch.rows) continue;
        const split = queries.positions.length;
        yield {
          queries: queries.rows(path, batch, batch.columns.slice(0, split), from),
          candidates: candidates.rows(path, batch, batch.columns.slice(split), from),
          ...(weights !== undefined && { sampleWeight: weightsOf(path, batch, weight!, from) }),
        };
      }
    },
  };
}

/** The columns of the words of one tower. */
class WordColumns<W extends RowWords> {
  readonly positions: readonly number[];
  readonly #names: readonly string[];
  readonly #isPlain: boolean;

  constructor(table: Table, columns: string | readonly string[]) {
    this.#isPlain = typeof columns === 'string';
    this.#names = typeof columns === 'string' ? [columns] : columns;
    this.positions = this.#names.map((name) => positionOf(table, name));
  }

  /** The words of the rows of a batch from row `from` on. `columns` begins with those of this tower. */
  rows(path: string, batch: TableBatch, columns: readonly Cells[], from: number): W[] {
    const words = this.#names.map((name, i) => (row: number): string => {
      const cell = columns[i]![row]!;
      if (!isMissing(cell)) return textOf(cell);
      throw new DataError(`${path}, line ${batch.lineOf(row)}: expected a value of ${JSON.stringify(name)}, got none`);
    });
    return Array.from({ length: batch.rows - from }, (_, i): W => {
      const row = from + i;
      if (this.#isPlain) return words[0]!(row) as W;
      return Object.fromEntries(this.#names.map((name, at) => [name, words[at]!(row)])) as W;
    });
  }
}

function weightsOf(path: string, batch: TableBatch, name: string, from: number): Float64Array {
  const column = batch.columns.at(-1)!;
  return Float64Array.from({ length: batch.rows - from }, (_, i) => {
    const weight = numberOf(column[from + i]!);
    if (weight >= 0 && weight < Number.POSITIVE_INFINITY) return weight;
    const place = `${path}, line ${batch.lineOf(from + i)}`;
    throw new DataError(
      `${place}: expected a weight of at least 0 in ${JSON.stringify(name)}, got ${textOf(column[from + i]!)}`,
    );
  });
}

function positionOf({ path, columns }: Table, name: string): number {
  const position = columns.indexOf(name);
  if (position >= 0) return position;
  throw new DataError(
    `${path}: expected a column ${JSON.stringify(name)}, got ${columns.map((each) => JSON.stringify(each)).join(', ')}`,
  );
}

async function hashOf(path: string, names: string): Promise<string> {
  const hash = createHash('sha256').update(names);
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (error) {
    throw new FileError(`${path}: cannot be read: ${systemReason(error)}`, { cause: error });
  }
  return `sha256:${hash.digest('hex')}`;
}
