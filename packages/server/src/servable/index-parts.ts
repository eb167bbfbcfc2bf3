/** The parts of a servable: a query tower, and an index that can be searched, updated and saved. */
import {
  type CallOptions,
  DataError,
  type Identifier,
  type Matrix,
  type RebalancingTopK,
  type SeenItems,
  type UpdatableTopK,
} from 'shortlist';
import type { Feature } from 'shortlist/features';
import type { SavableIndex } from 'shortlist/format';
import { isRebalancing, isUpdatable, type SearchWork } from 'shortlist/topk';
import type { EncodedFeatures } from 'shortlist/training';
import type { AttributeTable } from '../attributes/table.ts';

/** The part of a tower that serving needs. */
export interface QueryTower {
  readonly dimensions: number;
  /** The tower's features. A feature of words has a vocabulary, in which all unknown words share one id. */
  readonly inputs: readonly {
    readonly name: string;
    readonly lookup?: { readonly oovId: number; idOf(word: string): number } | undefined;
    /** The feature of a spec, for a tower that has one. */
    readonly feature?: Feature | undefined;
  }[];
  /** The features of a spec; undefined for a tower of words. It refuses raw rows that do not fit. */
  readonly features?: { clock: (() => number) | undefined } | undefined;
  embed(features: readonly never[]): Matrix;
  /** `embed` in two parts; a tower of features has both. */
  encode?(features: readonly never[]): EncodedFeatures;
  embedEncoded?(features: EncodedFeatures): Matrix;
}

/** Options of a scan; an exact index ignores those about leaves. */
export interface ScanOptions extends CallOptions<Identifier> {
  leavesToSearch?: number | undefined;
  reorder?: number | undefined;
  exact?: boolean | undefined;
  work?: SearchWork | undefined;
}

/** An index that can be updated and saved, as every index of a bundle can. */
export type ServedIndex = SavableIndex<never, Identifier> & UpdatableTopK<never, Identifier, ScanOptions>;

/** An index that drifts under updates and can be rebuilt. */
export type RebalancedIndex = ServedIndex & RebalancingTopK<never, Identifier, ScanOptions>;

/** Check that the index of a bundle can be served. @throws {DataError} when it cannot be updated */
export function servedIndex(index: SavableIndex<never, Identifier>): ServedIndex {
  if (!isUpdatable(index)) throw new DataError('index: expected one that can be updated, got one that cannot');
  return index;
}

/** The index, if it can be rebuilt from its own candidates; else undefined. */
export function rebalanced(index: ServedIndex): RebalancedIndex | undefined {
  return isRebalancing(index) ? index : undefined;
}

/** Room for new candidates that is made at once, as a share of the candidates. */
export const ROOM_SHARE: number = 1 / 8;
/** Room for new candidates below which an index is nearly full, as a share of the candidates. */
const NEARLY_FULL_SHARE = 1 / 32;

/** Whether there is little room left for new candidates. */
export function isNearlyFull(index: ServedIndex): boolean {
  return index.room < NEARLY_FULL_SHARE * index.size;
}

/** Make room for new candidates; updates wait until it has ended. */
export async function makeRoom(index: ServedIndex): Promise<void> {
  await index.reserveAsync(Math.ceil(ROOM_SHARE * index.size));
}

/** The parts of a servable. */
export interface IndexServableParts {
  index: ServedIndex;
  queryTower: QueryTower | undefined;
  candidateTower?: QueryTower | undefined;
  attributes?: AttributeTable;
  /** Default: no user has seen any item. */
  seenItems?: SeenItems<Identifier> | undefined;
  /** Write an index, with the attributes of the rows that it saves, into a folder. */
  save: (folder: string, index: ServedIndex, attributes: AttributeTable, rows: number) => Promise<void>;
}
