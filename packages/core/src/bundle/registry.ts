/** Every kind of saved object and its loader. A new table, tower or index is one line here. */
import { FoldIn } from '../als/fold-in.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { Cqr } from '../embeddings/cqr.ts';
import { Dhe } from '../embeddings/dhe.ts';
import { FullTable } from '../embeddings/full.ts';
import { HashEmbeddings } from '../embeddings/hash-embeddings.ts';
import { HashedTable } from '../embeddings/hashed.ts';
import { QuantizedTable } from '../embeddings/quantized.ts';
import { QuotientRemainder } from '../embeddings/quotient-remainder.ts';
import { Robe } from '../embeddings/robe.ts';
import type { Loaders } from '../format/part.ts';
import type { Savable } from '../format/saved.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { BruteForce } from '../topk/brute-force/brute-force.ts';
import type { Identifier, QueryModel, TopK } from '../topk/contract.ts';
import { ScaNN } from '../topk/scann/scann.ts';
import { Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';

/** An index that can be saved. */
export interface SavableIndex<Q, I extends Identifier> extends TopK<Q, I>, Savable {
  readonly queryModel: QueryModel<Q> | undefined;
  readonly runtime: Runtime;
}

/** Embedding tables, by method. */
export const TABLES: Loaders<EmbeddingTable> = {
  full: FullTable.load,
  'hashing-trick': HashedTable.load,
  bloom: HashedTable.load,
  compositional: HashedTable.load,
  unified: HashedTable.load,
  'quotient-remainder': QuotientRemainder.load,
  'hash-embeddings': HashEmbeddings.load,
  robe: Robe.load,
  dhe: Dhe.load,
  cqr: Cqr.load,
  product: QuantizedTable.load,
  residual: QuantizedTable.load,
};

/** Towers. */
export const TOWERS: Loaders<Tower<Features>> = {
  tower: (part) => Tower.load(part, TABLES),
  'feature-towers': (part) => Tower.load(part, TABLES),
};

/** Query models other than towers. */
export const QUERY_MODELS: Loaders<FoldIn> = { 'als-fold-in': FoldIn.load };

/** Indexes; each loader gets the query model that the saved index had. */
export const INDEXES: Loaders<SavableIndex<Features, Identifier>, [queryModel: QueryModel<Features> | undefined]> = {
  'brute-force': (part, queryModel) => BruteForce.load(part, queryModel),
  scann: (part, queryModel) => ScaNN.load(part, queryModel),
};
