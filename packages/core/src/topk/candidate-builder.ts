/** Collects the rows and identifiers of candidates, given all at once or batch by batch. */
import { checkArgument, ITERABLE } from '../checks/arguments.ts';
import { OptionError } from '../errors/errors.ts';
import type { CandidateBatch, CandidateDataset, CandidateSequence, Identifier } from './contract.ts';
import { type ColumnOf, type IdentifierColumn, listColumn } from './identifier-column.ts';
import { checkIdentifiers, Identifiers } from './identifiers.ts';
import { splitBatch, type VectorSource } from './vector-source.ts';

/** Receives the rows: a `PanelStore`, a `RowBuffer` or a `StreamSearch`. */
export interface RowSink {
  readonly rows: number;
  append(source: VectorSource): unknown;
}

/** Passes the rows of batches on to a sink and collects their checked identifiers. */
export class CandidateBuilder<I extends Identifier> {
  readonly #sink: RowSink;
  readonly #columnOf: ColumnOf;
  readonly #column: IdentifierColumn<I>;
  #type: string | undefined;
  #hasIdentifiers: boolean | undefined;

  /** @param columnOf makes the column of the identifiers */
  constructor(sink: RowSink, columnOf: ColumnOf = listColumn) {
    this.#sink = sink;
    this.#columnOf = columnOf;
    this.#column = columnOf<I>([]);
  }

  /** Add candidates with their identifiers; all batches have identifiers or none has. */
  add(source: VectorSource, identifiers: readonly I[] | undefined): void {
    const has = identifiers !== undefined;
    if (this.#hasIdentifiers !== undefined && this.#hasIdentifiers !== has) {
      const words = has ? 'no identifiers as before, got some' : 'identifiers as before, got none';
      throw new OptionError(`dataset: expected ${words} from row ${this.#sink.rows}`);
    }
    if (identifiers) {
      const type = checkIdentifiers(identifiers, source.rows, this.#type, this.#sink.rows);
      if (identifiers.length > 0) this.#type = type;
    }
    this.#hasIdentifiers = has;
    if (identifiers) for (const identifier of identifiers) this.#column.push(identifier);
    this.#sink.append(source);
  }

  /** Add a batch of a data set. */
  addBatch(batch: CandidateBatch<I>): void {
    const { identifiers, source } = splitBatch(batch);
    this.add(source, identifiers);
  }

  /** The identifiers of rows [begin, end). */
  part(begin: number, end: number): Identifiers<I> {
    const column = this.#column;
    const values = { length: end - begin, at: (row: number) => column.at(begin + row) };
    return new Identifiers<I>(end - begin, this.#hasIdentifiers ? values : undefined, begin);
  }

  /** The identifiers of all rows added. */
  identifiers(): Identifiers<I> {
    return new Identifiers<I>(this.#sink.rows, this.#hasIdentifiers ? this.#column : undefined, 0, this.#columnOf);
  }
}

/** Start reading a data set. */
export async function openDataset<I extends Identifier>(dataset: CandidateDataset<I>): Promise<CandidateSequence<I>> {
  return checkArgument('dataset', typeof dataset === 'function' ? await dataset() : dataset, ITERABLE);
}

/** Add every batch of a data set to a sink and return the identifiers. */
export async function readDataset<I extends Identifier>(
  dataset: CandidateDataset<I>,
  sink: RowSink,
): Promise<Identifiers<I>> {
  const builder = new CandidateBuilder<I>(sink);
  for await (const batch of await openDataset(dataset)) builder.addBatch(batch);
  return builder.identifiers();
}

/** Add candidates given all at once and return the identifiers. */
export function readCandidates<I extends Identifier>(
  source: VectorSource,
  identifiers: readonly I[] | undefined,
  sink: RowSink,
): Identifiers<I> {
  const builder = new CandidateBuilder<I>(sink);
  builder.add(source, identifiers);
  return builder.identifiers();
}
