/**
 * The plan of a call: the numbers for the kernels that follow from the options, the settings of the index and its
 * candidates.
 *
 * Effort grows with k. The settings are for k₀ = `tunedK` or else the index's k. Letters: N candidates in L leaves, of
 * which l are searched, and r candidates reordered. A call for k > k₀ that does not set these numbers searches max(l ·
 * (k / k₀)^½, 4 · k · L / N) leaves and reorders max(r · (k / k₀)^0.9, 3 · k) candidates.
 * docs/decisions/effort-grows-with-k.md has the figures.
 *
 * A group is skipped when its bound is below a threshold: the k-th best score so far, or one of a higher rank where more
 * candidates are reordered than usual. Usual are 10 for each result, and at least 100. Each candidate beyond them adds one
 * to the rank, because the results that it is reordered for have approximate scores below the k-th best.
 * docs/decisions/bounds-of-groups.md has the figures.
 *
 * Effort also grows where a filter or deletions leave candidates out. When n of N rows may be returned, the best of
 * them are spread over more leaves, so √(N / n) times as many leaves are searched. When only few candidates are left,
 * each of them is scored exactly.
 */
import { checkInteger, checkNumber } from '../../../checks/numbers.ts';
import type { Block } from '../../../memory/heap.ts';
import type { LeafSet } from '../leaf-set.ts';
import { GROUP_SLOTS, type LeafShape } from '../leaves.ts';
import type { ScannSettings } from '../settings.ts';
import type { GroupFilter } from './masks.ts';

/**
 * The factor by which more candidates are taken for reordering where a candidate may be found in two leaves: ScaNN's
 * overretrieve factor.
 */
const OVERRETRIEVE = 1.4;
/** The groups opened hold this many times the leaves searched, and are at least this share of all groups. */
const OPEN_PER_LEAF = 8;
const OPEN_SHARE_MIN = 0.2;
/** If at most this many candidates may be returned, scoring all of them exactly costs no more than searching leaves. */
const EXACT_KEPT = 4_000;
/** Leaves and reordered candidates grow by these powers of k. */
const LEAVES_POWER = 0.5;
const REORDER_POWER = 0.9;
/** Candidates reordered as usual, for each result and at least; groups are then skipped by the k-th best score. */
const USUAL_REORDER_PER_RESULT = 10;
const USUAL_REORDER_MIN = 100;
/** Candidates in the leaves searched, and candidates reordered, for each result of a larger k. */
const SEARCHED_PER_RESULT = 4;
const REORDERED_PER_RESULT = 3;

/** The options of a call that set its effort. Where they are missing, the settings and k decide. */
export interface Effort {
  leavesToSearch?: number | undefined;
  reorder?: number | undefined;
  groupBound?: number | false | undefined;
  exact?: boolean | undefined;
}

/** The input of a plan. */
export interface PlannedCall {
  settings: ScannSettings;
  leaves: LeafSet;
  /** Rows of the index, including deleted ones, and candidates. */
  rows: number;
  size: number;
  /** Results of a query. */
  k: number;
  effort: Effort;
  filter: GroupFilter | undefined;
  exclusions: SearchPlan['exclusions'];
}

/** The plan of a call: the leaves, candidates and counts that it searches. */
export interface SearchPlan {
  /** Results of a query. */
  k: number;
  leavesToSearch: number;
  upperToOpen: number;
  reorder: number;
  reorderExactly: boolean;
  /** 0: groups are not skipped. */
  pruneBeta: number;
  /** The rank of the score below which groups are skipped; at least k. */
  boundRank: number;
  /** Words of groups, shared by all queries; 0: none. For an index in segments, the words of the first segment. */
  filter: number;
  /** The filter to which these words belong; it also has the words of the other segments. */
  groupFilter: GroupFilter | undefined;
  /** The excluded slots of each query; `begin` has one entry more than there are queries. */
  exclusions: { slots: Int32Array; begin: Int32Array } | undefined;
  /**
   * Score these slots exactly instead of searching leaves. For an index in segments, the slots of the first segment.
   */
  listed: { slots: Block | undefined; count: number } | undefined;
}

/**
 * The plan of a call.
 *
 * @throws {OptionError} when a number is out of range
 */
export function searchPlan({ settings, leaves, rows, size, k, effort, filter, exclusions }: PlannedCall): SearchPlan {
  const { shape } = leaves;
  const { leaves: asked, reorder } = effortOf(settings, shape, size, k, effort);
  const kept = filter?.kept ?? size;
  const isListed = shape.leaves === 0 || effort.exact === true || (filter !== undefined && kept <= mostListed(reorder));
  const leavesToSearch = Math.max(1, Math.min(shape.leaves, widened(asked, kept, size, rows)));
  const isEverything = reorder >= size;
  const beta = checkNumber('groupBound', Number(effort.groupBound ?? shape.groupBound), 0);
  return {
    k,
    leavesToSearch,
    upperToOpen: leavesToSearch < shape.leaves ? groupsToOpen(leavesToSearch, shape.leaves, shape.upperGroups) : 0,
    reorder: Math.min(
      isEverything ? reorder * shape.copies : Math.ceil(reorder * (shape.copies > 1 ? OVERRETRIEVE : 1)),
      shape.groups * GROUP_SLOTS,
    ),
    reorderExactly: settings.reorder !== false,
    pruneBeta: isEverything || !shape.hasBounds ? 0 : beta,
    boundRank: isEverything || !shape.hasBounds || settings.reorder === false ? k : boundRankOf(k, reorder),
    filter: filter?.words().offset ?? 0,
    groupFilter: filter,
    exclusions,
    listed: isListed ? listedSlots(leaves, filter) : undefined,
  };
}

/** The rank of the score below which groups are skipped, when `reorder` candidates are reordered for k results. */
function boundRankOf(k: number, reorder: number): number {
  return k + Math.max(0, reorder - Math.max(USUAL_REORDER_MIN, USUAL_REORDER_PER_RESULT * k));
}

/** The plan that scores every candidate which the given plan may return, in all leaves. */
export function listedPlan(plan: SearchPlan, leaves: LeafSet, filter: GroupFilter | undefined): SearchPlan {
  return { ...plan, groupFilter: filter, listed: listedSlots(leaves, filter) };
}

/** The slots of a segment that a filter keeps, or all. */
export function listedSlots(
  leaves: LeafSet,
  filter: GroupFilter | undefined,
  segment = 0,
): NonNullable<SearchPlan['listed']> {
  if (filter) return { slots: filter.slots(segment), count: filter.slotCount(segment) };
  return { slots: undefined, count: leaves.segments[segment]!.shape.groups * GROUP_SLOTS };
}

/** True if so many rows were deleted that the remaining candidates are scored one by one. */
export function areFewLeft(rows: number, size: number, settings: ScannSettings): boolean {
  return 2 * size <= rows && size <= mostListed(settings.numReorderingCandidates);
}

function mostListed(reorder: number): number {
  return Math.max(EXACT_KEPT, reorder);
}

/**
 * Leaves searched and candidates reordered: the numbers of the call, or those of the settings for k. Filters and
 * deletions are not considered.
 */
export function effortOf(
  { k: ownK, tunedK = ownK, numLeavesToSearch, numReorderingCandidates }: ScannSettings,
  shape: LeafShape,
  size: number,
  k: number,
  { leavesToSearch, reorder }: Effort,
): { leaves: number; reorder: number } {
  const grown = Math.max(1, k / tunedK);
  const leavesOf = (): number => {
    if (grown === 1) return numLeavesToSearch;
    const holding = (SEARCHED_PER_RESULT * k * shape.leaves) / Math.max(1, size);
    return Math.ceil(Math.max(numLeavesToSearch * grown ** LEAVES_POWER, holding));
  };
  const reorderOf = (): number => {
    if (grown === 1) return numReorderingCandidates;
    return Math.ceil(Math.max(numReorderingCandidates * grown ** REORDER_POWER, REORDERED_PER_RESULT * k));
  };
  return {
    leaves: checkInteger('leavesToSearch', leavesToSearch ?? leavesOf(), 1),
    reorder: Math.max(k, checkInteger('reorder', reorder ?? reorderOf(), 1)),
  };
}

/** The number of leaves to search, multiplied by √(N / n) where a filter and deletions leave n of N rows. */
function widened(leaves: number, kept: number, size: number, rows: number): number {
  // Rounded down, so that a few deletions do not add a leaf.
  const remaining = size >= rows ? leaves : Math.floor(leaves * Math.sqrt(rows / Math.max(1, size)));
  return kept >= size ? remaining : Math.ceil(remaining * Math.sqrt(size / Math.max(1, kept)));
}

/** Groups of leaves to open; 0: score every leaf. */
function groupsToOpen(leavesToSearch: number, leaves: number, groups: number): number {
  if (groups === 0) return 0;
  const share = Math.max(OPEN_SHARE_MIN, (OPEN_PER_LEAF * leavesToSearch) / leaves);
  return share >= 0.5 ? 0 : Math.ceil(share * groups);
}
