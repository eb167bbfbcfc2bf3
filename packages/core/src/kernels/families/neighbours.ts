/** Rows compared with some of the centroids only. Formulas and layouts: packages/core/assembly/neighbours.ts. */
import type { RecordAddress } from '../record.ts';

/** A call of assignListed. */
export const ASSIGN_LISTED = {
  name: 'assignListed',
  fields: {
    /** [n, d] float32. */
    rows: 'usize',
    d: 'i32',
    /** [lists + 1] int32, and the row numbers of each list: order[rowBegin[l] … rowBegin[l + 1]). */
    rowBegin: 'usize',
    order: 'usize',
    /** [lists + 1] int32, and the centroids of each list, ascending, at least one where the list has rows. */
    listBegin: 'usize',
    listed: 'usize',
    /** [k, d] float32. */
    centroids: 'usize',
    /** [k] float32: |c|²/2. */
    halfSquares: 'usize',
    /** [n] int32, written for the rows of the lists. */
    labels: 'usize',
    /** [n] float32, written for the rows of the lists. */
    scores: 'usize',
    /** listedScratchBytes(listMax, d) per slot. */
    scratch: 'usize',
    scratchStride: 'usize',
    /** Centroids of the longest list. */
    listMax: 'i32',
  },
} as const;

/** A call of nearestListed. */
export const NEAREST_LISTED = {
  name: 'nearestListed',
  fields: {
    /** [k, d] float32. */
    centroids: 'usize',
    d: 'i32',
    /** [groups + 1] int32, and the centroids of each group. */
    groupBegin: 'usize',
    order: 'usize',
    /** [groups + 1] int32, and the centroids with which each group is compared, ascending, at least m of them. */
    listBegin: 'usize',
    listed: 'usize',
    /** Centroids that are kept. */
    m: 'i32',
    /** [k, m] int32, written: the m nearest listed centroids of each centroid, ascending by number. */
    nearest: 'usize',
    /** nearestScratchBytes(listMax, d, m) per slot. */
    scratch: 'usize',
    scratchStride: 'usize',
    /** Centroids of the longest list. */
    listMax: 'i32',
  },
} as const;

/** Rows that are gathered at a time; the kernel uses the same constant. */
const BLOCK_ROWS = 64;

const roundUp = (count: number): number => 8 * Math.ceil(count / 8);

/** Bytes of scratch that a slot of assignListed needs. */
export function listedScratchBytes(listMax: number, d: number): number {
  const padded = roundUp(listMax);
  return 64 * Math.ceil((4 * (2 * padded * d + padded + BLOCK_ROWS * (d + 2))) / 64);
}

/** Bytes of scratch that a slot of nearestListed needs. */
export function nearestScratchBytes(listMax: number, d: number, m: number): number {
  const padded = roundUp(listMax);
  return 64 * Math.ceil((4 * (2 * padded * d + 4 * padded + 4 * d) + 16 + 16 * m) / 64);
}

/** The kernels that compare with listed centroids. */
export interface NeighbourKernels {
  /** The nearest of the centroids of a list, for each of its rows. Items: lists. */
  assignListed(begin: number, end: number, slot: number, call: RecordAddress<typeof ASSIGN_LISTED>): void;
  /** The nearest centroids of each centroid of a group, among those listed for the group. Items: groups. */
  nearestListed(begin: number, end: number, slot: number, call: RecordAddress<typeof NEAREST_LISTED>): void;
}
