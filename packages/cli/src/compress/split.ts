/** Describes the use of a table's budget: its trained matrices, and the bytes of pointers and hashes. */
import type { EmbeddingTable } from 'shortlist/embeddings';
import { bytes, count } from '../terminal/format-numbers.ts';

/** '464 × 4 floats, 4.6 KiB of pointers and hashes' */
export function splitOf(table: EmbeddingTable): string {
  const floats = table.trained().map(({ rows, dimensions }) => `${count(rows)} × ${dimensions}`);
  const otherBytes = table.sizeBytes() - table.trained().reduce((sum, { data }) => sum + data.byteLength, 0);
  return `${floats.join(' + ')} floats${otherBytes > 0 ? `, ${bytes(otherBytes)} of pointers and hashes` : ''}`;
}
