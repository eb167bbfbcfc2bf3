/** Every kind of saved object and its loader. A new index, tower or table is one line here. */
import type { Loaders } from '../format/part.ts';
import type { Savable } from '../format/saved.ts';
import { BruteForce } from '../topk/brute-force.ts';
import type { Identifier, QueryModel, TopK } from '../topk/contract.ts';

/** An index that can be saved. */
export interface SavableIndex<Q, I extends Identifier> extends TopK<Q, I>, Savable {
  readonly queryModel?: QueryModel<Q> | undefined;
}

/** Indexes; each is given the query model it had. */
export const INDEXES: Loaders<SavableIndex<unknown, Identifier>, [queryModel: QueryModel<unknown> | undefined]> = {
  'brute-force': (part, queryModel) => BruteForce.load(part, queryModel),
};
