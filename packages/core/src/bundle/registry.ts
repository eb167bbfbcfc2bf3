/** Every kind of saved object and its loader. A new table, tower or index is one line here. */

import { FoldIn } from '../als/fold-in.ts';
import { shown } from '../checks/numbers.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { Cqr } from '../embeddings/cqr.ts';
import { Dhe } from '../embeddings/dhe.ts';
import { FullTable } from '../embeddings/full.ts';
import { HashEmbeddings } from '../embeddings/hash-embeddings.ts';
import { HashedTable } from '../embeddings/hashed.ts';
import { QuantizedTable } from '../embeddings/quantized.ts';
import { QuotientRemainder } from '../embeddings/quotient-remainder.ts';
import { Robe } from '../embeddings/robe.ts';
import { OptionError } from '../errors/errors.ts';
import type { Loaders } from '../format/part.ts';
import type { Savable, Saved } from '../format/saved.ts';
import type { Layer } from '../layers/contract.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { BruteForce } from '../topk/brute-force/brute-force.ts';
import { loadBruteForce, saveBruteForce } from '../topk/brute-force/saved-brute-force.ts';
import type { Identifier, QueryModel, TopK } from '../topk/contract.ts';
import { loadScann, saveScann } from '../topk/scann/saved-scann.ts';
import { ScaNN } from '../topk/scann/scann.ts';
import { Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';

/** An index that can be saved: an exact or a ScaNN index, or one of your own with the method `save`. */
export interface SavableIndex<Q, I extends Identifier> extends TopK<Q, I>, Partial<Savable> {
  readonly queryModel: QueryModel<Q> | undefined;
  readonly runtime: Runtime;
}

/**
 * The saved form of an index.
 *
 * @throws {StateError} when the index has no candidates yet
 * @throws {OptionError} when it cannot be saved
 */
export function saveIndex<Q, I extends Identifier>(index: SavableIndex<Q, I>): Saved {
  if (index instanceof ScaNN) return saveScann(index);
  if (index instanceof BruteForce) return saveBruteForce(index);
  if (typeof index?.save !== 'function')
    throw new OptionError(`index: expected an index that can be saved, got ${shown(index)}`);
  return index.save();
}

/** True for an index that `saveIndex` can save. */
export function isSavable(value: unknown): boolean {
  if (value instanceof ScaNN || value instanceof BruteForce) return true;
  return typeof (value as Partial<Savable> | null | undefined)?.save === 'function';
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
export const TOWERS: Loaders<Tower<Features>, [layers: Loaders<Layer>]> = {
  tower: (part, layers) => Tower.load(part, TABLES, layers),
  'feature-towers': (part, layers) => Tower.load(part, TABLES, layers),
};

/** Query models other than towers. */
export const QUERY_MODELS: Loaders<FoldIn> = { 'als-fold-in': FoldIn.load };

/** Indexes; each loader gets the query model that the saved index had, and the cache of rows that stay in a file. */
export const INDEXES: Loaders<
  SavableIndex<Features, Identifier>,
  [queryModel: QueryModel<Features> | undefined, cacheBytes: number]
> = {
  'brute-force': (part, queryModel) => loadBruteForce(part, queryModel),
  scann: (part, queryModel, cacheBytes) => loadScann(part, queryModel, cacheBytes),
};
