/**
 * Embedding tables (`shortlist/embeddings`): every compression method, quantized tables, clustering, and first pointers from
 * co-occurrence. Re-exports only.
 */

// embeddings
export type { BloomOptions } from '../embeddings/bloom.ts';
export type { Budget } from '../embeddings/budget.ts';
export { type ClusterOptions, cluster } from '../embeddings/cluster.ts';
export type { ClusterHealth } from '../embeddings/cluster-health.ts';
export { type CoOccurrenceOptions, pointByCoOccurrence } from '../embeddings/co-occurrence.ts';
export type { CoOccurrences } from '../embeddings/co-occurrence-matrix.ts';
export type { CompositionalOptions } from '../embeddings/compositional.ts';
export type { EmbeddingTable } from '../embeddings/contract.ts';
export { type Clustering, Cqr, type CqrOptions } from '../embeddings/cqr.ts';
export type { DheOptions } from '../embeddings/dhe.ts';
export { FullTable, type FullTableOptions } from '../embeddings/full.ts';
export type { HashEmbeddingsOptions } from '../embeddings/hash-embeddings.ts';
export type { HashingTrickOptions } from '../embeddings/hashing-trick.ts';
export type { LearnedIds } from '../embeddings/learned-ids.ts';
export type { LearnedPointers } from '../embeddings/learned-pointers.ts';
export { EMBEDDING_METHODS, makeTable } from '../embeddings/make-table.ts';
export { type ProductOptions, quantizeProduct } from '../embeddings/product.ts';
export { type QuantizedShape, QuantizedTable, type QuantizeOptions } from '../embeddings/quantized.ts';
export { fitQuantizedAls, type QuantizedAlsOptions } from '../embeddings/quantized-als/fit-quantized-als.ts';
export type { QuantizedAlsObjective } from '../embeddings/quantized-als/solve-column.ts';
export type { Combination, QuotientRemainderOptions } from '../embeddings/quotient-remainder.ts';
export { quantizeResidual, type ResidualOptions } from '../embeddings/residual.ts';
export type { RobeOptions } from '../embeddings/robe.ts';
export type { TableContext } from '../embeddings/table-context.ts';
export type { UnifiedOptions } from '../embeddings/unified.ts';
