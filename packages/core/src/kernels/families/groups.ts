/** Rows compared with groups of centroids. Formulas and layouts: packages/core/assembly/groups.ts. */
import type { RecordAddress } from '../record.ts';
import { nearestScratchBytes } from './assign.ts';

/** A call of nearestGroups. */
export const NEAREST_GROUPS = {
  name: 'nearestGroups',
  fields: {
    /** [n, d] float32. */
    rows: 'usize',
    n: 'i32',
    d: 'i32',
    /** The centres of the groups in panels of 8, float32, and [groups padded to 8] half their squared norms. */
    packed: 'usize',
    halfSquares: 'usize',
    groups: 'i32',
    /** Groups of a row. */
    nearest: 'i32',
    /** [n, nearest] int32, written. */
    chosen: 'usize',
    /** nearestGroupsScratchBytes(groups, nearest) per slot. */
    scratch: 'usize',
    scratchStride: 'usize',
  },
} as const;

/** A call of assignGrouped. */
export const ASSIGN_GROUPED = {
  name: 'assignGrouped',
  fields: {
    /** [n, d] float32. */
    rows: 'usize',
    d: 'i32',
    /** Groups that each row is compared with: pair r · groupsPerRow + j is the j-th of row r. */
    groupsPerRow: 'i32',
    /** [groups + 1] int32, and the pairs of each group: pairs[pairBegin[g] … pairBegin[g + 1]). */
    pairBegin: 'usize',
    pairs: 'usize',
    /** [groups + 1] int32: the panels of each group. */
    panelBegin: 'usize',
    /** All panels, as in assignNearest; a group begins with a panel. */
    packed: 'usize',
    halfSquares: 'usize',
    packed16: 'usize',
    unscale: 'f32',
    limits: 'usize',
    /** [n · groupsPerRow] int32, written: the nearest centroid of each pair, by its place in the panels. */
    places: 'usize',
    /** [n · groupsPerRow] float32, written. */
    scores: 'usize',
    /** groupedScratchBytes(panels of the largest group, d) per slot. */
    scratch: 'usize',
    scratchStride: 'usize',
  },
} as const;

/** Room for the record of assignNearest, in whole cache lines; the kernel uses the same constant. */
const RECORD_BYTES = 64;
/** Rows that are gathered at a time; the kernel uses the same constant. */
const BLOCK_ROWS = 64;

/** Bytes of scratch that a slot of assignGrouped needs. */
export function groupedScratchBytes(panelsMax: number, d: number): number {
  return RECORD_BYTES + 64 * Math.ceil((4 * BLOCK_ROWS * (d + 2)) / 64) + nearestScratchBytes(panelsMax, d);
}

/** Bytes of scratch that a slot of nearestGroups needs. */
export function nearestGroupsScratchBytes(groups: number, nearest: number): number {
  return 64 * Math.ceil((128 * Math.ceil(groups / 8) + 16 + 16 * nearest) / 64);
}

/** The kernels that compare with groups of centroids. */
export interface GroupKernels {
  /** The nearest groups of each row, in no order; of equally near ones the first. Items: blocks of 4 rows. */
  nearestGroups(begin: number, end: number, slot: number, call: RecordAddress<typeof NEAREST_GROUPS>): void;
  /** The nearest of the centroids of a group, for each of its pairs of row and group. Items: groups. */
  assignGrouped(begin: number, end: number, slot: number, call: RecordAddress<typeof ASSIGN_GROUPED>): void;
}
