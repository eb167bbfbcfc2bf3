/** What a servable is made of: a query tower and an index that answers, perhaps takes updates, and is saved. */
import type { Identifier, Identifiers, Matrix, SavableIndex } from 'shortlist';
import type { AttributeTable } from '../attributes/table.ts';

/** The part of a tower that serving needs. */
export interface QueryTower {
  readonly dimensions: number;
  readonly inputs: readonly { name: string }[];
  embed(features: readonly never[]): Matrix;
}

/** An index whose rows can be found by identifier: every index of the library. */
export interface ServedIndex extends SavableIndex<never, Identifier> {
  readonly identifiers: Identifiers<Identifier> | undefined;
  prepareLookups(): Promise<void>;
}

/** An index that takes updates itself. A replaced candidate keeps its row, a new one gets the next. */
export interface UpdatableIndex extends ServedIndex {
  upsert(identifiers: readonly Identifier[], vectors: Matrix): void;
  delete(identifiers: readonly Identifier[]): number;
  /** Candidates that can be upserted before what is there is copied. */
  readonly room: number;
  reserveInTurns(candidates: number): Promise<void>;
}

/** An index built of leaves, which updates lead away from where the candidates are. */
export interface RebalancedIndex extends UpdatableIndex {
  drift(): { movedShare: number; distance: number; builtDistance: number };
  rebalance(): Promise<unknown>;
}

/** The index as one that can be built anew from its own candidates, or undefined. */
export function rebalanced(index: ServedIndex): RebalancedIndex | undefined {
  const { drift, rebalance } = index as Partial<RebalancedIndex>;
  return drift && rebalance && updatable(index) ? (index as RebalancedIndex) : undefined;
}

/** Where an index's identifiers are row numbers, an update could only name the next row: those are not updated so. */
export function updatable(index: ServedIndex): UpdatableIndex | undefined {
  const { upsert, delete: remove } = index as Partial<UpdatableIndex>;
  return upsert && remove && index.identifiers?.values ? (index as UpdatableIndex) : undefined;
}

/** Room for updates that is made, as a share of the candidates, and the room at which it is time for more. */
export const ROOM_SHARE: number = 1 / 8;
const NEARLY_FULL_SHARE = 1 / 32;

/** True when there is little room for updates. */
export function isNearlyFull(index: UpdatableIndex | undefined): boolean {
  return index !== undefined && index.room < NEARLY_FULL_SHARE * index.size;
}

/** Make room for updates; until it has ended none may come. */
export async function makeRoom(index: UpdatableIndex | undefined): Promise<void> {
  await index?.reserveInTurns(Math.ceil(ROOM_SHARE * index.size));
}

/** What a servable is made of. */
export interface IndexServableParts {
  index: ServedIndex;
  queryTower: QueryTower | undefined;
  attributes?: AttributeTable;
  /** Write index and attributes into a folder. */
  save: (folder: string, index: ServedIndex, attributes: AttributeTable) => Promise<void>;
}
