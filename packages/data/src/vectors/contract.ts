/** The interface of a file of vectors of any format: rows of the same width, read in batches of float32, as often as needed. */

/** A file of vectors. */
export interface VectorFile {
  readonly path: string;
  /** A description for people: the format and the number type. */
  readonly description: string;
  readonly rows: number;
  readonly dimensions: number;
  /** Reads all rows in their order. @throws {OptionError} when an option is unknown, of another type, or out of range */
  batches(request?: VectorRequest): AsyncGenerator<VectorBatch>;
  /** Reads the identifiers that the file has beside its vectors, one for each row; undefined where it has none. */
  readonly identifiers?: (signal?: AbortSignal) => Promise<string[]>;
}

/** The columns of a table of vectors. */
export interface VectorColumns {
  /** The name of the column of vectors; default the only column of lists of numbers. */
  readonly vectorColumn?: string | undefined;
  /** The name of the column of identifiers; default the only one that is named `id` or `…_id`; without one, row numbers. */
  readonly identifierColumn?: string | undefined;
}

/** Options of reading vectors. */
export interface VectorRequest {
  readonly rowsPerBatch?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A batch of rows. */
export interface VectorBatch {
  readonly firstRow: number;
  readonly rows: number;
  /** [rows, dimensions] */
  readonly data: Float32Array;
}

/** The default number of rows of a batch: some megabytes at 128 dimensions. */
export const ROWS_PER_BATCH = 8192;
