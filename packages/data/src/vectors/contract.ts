/** Vectors in a file, whatever its format: rows of one width, read in batches of float32, as often as needed. */

/** A file of vectors. */
export interface VectorFile {
  readonly path: string;
  /** For people: the format and how numbers are stored. */
  readonly description: string;
  readonly rows: number;
  readonly dimensions: number;
  /** Rows [0, rows) in their order. */
  batches(request?: VectorRequest): AsyncGenerator<VectorBatch>;
}

/** Options of reading vectors. */
export interface VectorRequest {
  readonly rowsPerBatch?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Some rows. */
export interface VectorBatch {
  readonly firstRow: number;
  readonly rows: number;
  /** [rows, dimensions] */
  readonly data: Float32Array;
}

/** Rows of a batch unless the caller says otherwise: some megabytes at 128 dimensions. */
export const ROWS_PER_BATCH = 8192;
