/** Describes how a table spends its budget: its trained matrices, and what is stored beside them. */
import type { EmbeddingTable } from 'shortlist/embeddings';
import { bytes, count } from '../terminal/format-numbers.ts';

/** '464 × 4 floats, 4.6 KiB of pointers and hashes' */
export function splitOf(table: EmbeddingTable): string {
  const floats = table.trained().map(({ rows, dimensions }) => `${count(rows)} × ${dimensions}`);
  const beside = table.sizeBytes() - table.trained().reduce((sum, { data }) => sum + data.byteLength, 0);
  return `${floats.join(' + ')} floats${beside > 0 ? `, ${bytes(beside)} of pointers and hashes` : ''}`;
}
