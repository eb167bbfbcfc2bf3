/**
 * The candidates of a bundle as vectors, with their identifiers: an index can be built again with other settings. Rows that
 * the bundle keeps as bfloat16 or int8 are rounded, and rows of a cosine index have length 1.
 */
import { AbortedError, BruteForce, type Bundle, DataError, type Identifier, ScaNN } from 'shortlist';
import { loadBundle } from 'shortlist/node';
import { ROWS_PER_BATCH, type VectorBatch, type VectorFile, type VectorRequest } from './contract.ts';

/** The first bytes of a bundle, as Latin-1. */
export const BUNDLE_MAGIC = '\x89SLST';

/**
 * The candidates of a bundle, whose file stays open until the result is garbage collected.
 *
 * @throws {FormatError} when the bundle is damaged
 * @throws {DataError} when its index does not keep vectors
 */
export async function bundleVectors(path: string): Promise<VectorFile> {
  const { index } = await opened(path);
  if (!(index instanceof ScaNN || index instanceof BruteForce)) {
    throw new DataError(`${path}: expected a bundle whose index keeps vectors, got one of the program's own`);
  }
  const kept = index.keptRows();
  const { identifiers, dimensions, precision } = kept;
  const rows = new Int32Array(index.size);
  for (let row = 0, at = 0; row < identifiers.size; row++) if (kept.isLive(row)) rows[at++] = row;
  return {
    path,
    description: `bundle (${precision})`,
    rows: rows.length,
    dimensions,
    async *batches({ rowsPerBatch = ROWS_PER_BATCH, signal }: VectorRequest = {}): AsyncGenerator<VectorBatch> {
      const read = kept.reader();
      for (let firstRow = 0; firstRow < rows.length; firstRow += rowsPerBatch) {
        if (signal?.aborted) throw new AbortedError(`${path}: interrupted`, { cause: signal.reason });
        const count = Math.min(rowsPerBatch, rows.length - firstRow);
        const data = new Float32Array(count * dimensions);
        for (let i = 0; i < count; i++) read(rows[firstRow + i]!, data.subarray(i * dimensions, (i + 1) * dimensions));
        yield { firstRow, rows: count, data };
      }
    },
    identifiers: async () => Array.from(rows, (row) => String(identifiers.of(row))),
  };
}

/** Rows stay in the file where the index can do that, so that a large index is not in memory twice. */
async function opened(path: string): Promise<Bundle<string, Identifier>> {
  try {
    return await loadBundle(path, { rows: 'file' });
  } catch {
    // An index without such rows; a bundle that is damaged is refused here.
    return loadBundle(path);
  }
}
