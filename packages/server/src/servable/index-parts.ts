/** What a servable is made of: a query tower and an index, which is searched, takes updates, and is saved. */
import {
  type CallOptions,
  DataError,
  type Identifier,
  type Matrix,
  type RebalancingTopK,
  type SeenItems,
  type UpdatableTopK,
} from 'shortlist';
import type { SavableIndex } from 'shortlist/format';
import { isRebalancing, isUpdatable, type SearchWork } from 'shortlist/topk';
import type { AttributeTable } from '../attributes/table.ts';

/** The part of a tower that serving needs. */
export interface QueryTower {
  readonly dimensions: number;
  /** Its features; those of a tower have a vocabulary, in which unknown words share one id. */
  readonly inputs: readonly {
    readonly name: string;
    readonly lookup?: { readonly oovId: number; idOf(word: string): number } | undefined;
  }[];
  embed(features: readonly never[]): Matrix;
}

/** Options of a scan; an exact index has no use for those of leaves. */
export interface ScanOptions extends CallOptions<Identifier> {
  leavesToSearch?: number | undefined;
  reorder?: number | undefined;
  exact?: boolean | undefined;
  work?: SearchWork | undefined;
}

/** An index that takes updates and can be saved: every index of a bundle. */
export type ServedIndex = SavableIndex<never, Identifier> & UpdatableTopK<never, Identifier, ScanOptions>;

/** An index that updates lead away from where the candidates are, and that can be built anew. */
export type RebalancedIndex = ServedIndex & RebalancingTopK<never, Identifier, ScanOptions>;

/** The index of a bundle as one that can be served. @throws {DataError} when it takes no updates */
export function servedIndex(index: SavableIndex<never, Identifier>): ServedIndex {
  if (!isUpdatable(index)) throw new DataError('index: expected one that takes updates, got one that takes none');
  return index;
}

/** The index as one that can be built anew from its own candidates, or undefined. */
export function rebalanced(index: ServedIndex): RebalancedIndex | undefined {
  return isRebalancing(index) ? index : undefined;
}

/** Room for updates that is made, as a share of the candidates, and the room at which it is time for more. */
export const ROOM_SHARE: number = 1 / 8;
const NEARLY_FULL_SHARE = 1 / 32;

/** True when there is little room for updates. */
export function isNearlyFull(index: ServedIndex): boolean {
  return index.room < NEARLY_FULL_SHARE * index.size;
}

/** Make room for updates, which wait until it has ended. */
export async function makeRoom(index: ServedIndex): Promise<void> {
  await index.reserveAsync(Math.ceil(ROOM_SHARE * index.size));
}

/** What a servable is made of. */
export interface IndexServableParts {
  index: ServedIndex;
  queryTower: QueryTower | undefined;
  candidateTower?: QueryTower | undefined;
  attributes?: AttributeTable;
  /** Default: nobody has seen anything. */
  seenItems?: SeenItems<Identifier> | undefined;
  /** Write an index and the attributes of the rows that it saves into a folder. */
  save: (folder: string, index: ServedIndex, attributes: AttributeTable, rows: number) => Promise<void>;
}
