/**
 * Embedding tables (`shortlist/embeddings`): every compression method, quantized tables, clustering, and first pointers from
 * co-occurrence. Re-exports only.
 */

export { type ClusterOptions, cluster } from '../embeddings/cluster.ts';
// embeddings
export type { ClusterHealth } from '../embeddings/cluster-health.ts';
export { type CoOccurrenceOptions, pointByCoOccurrence } from '../embeddings/co-occurrence.ts';
export type { CoOccurrences } from '../embeddings/co-occurrence-matrix.ts';
export type { EmbeddingTable } from '../embeddings/contract.ts';
export { Cqr, type CqrOptions } from '../embeddings/cqr.ts';
export { FullTable, type FullTableOptions } from '../embeddings/full.ts';
export { EMBEDDING_METHODS, makeTable } from '../embeddings/make-table.ts';
export { type ProductOptions, quantizeProduct } from '../embeddings/product.ts';
export { QuantizedTable, type QuantizeOptions } from '../embeddings/quantized.ts';
export { quantizeResidual, type ResidualOptions } from '../embeddings/residual.ts';
export type { TableContext } from '../embeddings/table-context.ts';
