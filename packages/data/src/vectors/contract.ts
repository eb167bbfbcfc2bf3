/** The interface of a file of vectors of any format: rows of the same width, read in batches of float32, as often as needed. */

/** A file of vectors. */
export interface VectorFile {
  readonly path: string;
  /** A description for people: the format and the number type. */
  readonly description: string;
  readonly rows: number;
  readonly dimensions: number;
  /** Reads all rows in their order. */
  batches(request?: VectorRequest): AsyncGenerator<VectorBatch>;
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
