/** From settings, options of a call and the index as it is to what the kernels are told. */
import { checkInteger, checkNumber } from '../../../checks/numbers.ts';
import type { CallOptions, Identifier } from '../../contract.ts';
import { GROUP_SLOTS, type Leaves } from '../leaves.ts';
import type { ScannSettings } from '../options.ts';
import type { GroupFilter } from './masks.ts';
import type { SearchPlan } from './search.ts';

/** Candidates taken for each reordered one where a candidate may come twice, as ScaNN's overretrieve factor. */
const OVERRETRIEVE = 1.4;
/** Groups of leaves opened: those that hold this many times the leaves searched, but no fewer than a share of all. */
const OPEN_PER_LEAF = 8;
const OPEN_SHARE_MIN = 0.2;
/** While a filter keeps no more than this many candidates, scoring them all exactly costs no more than searching leaves. */
const EXACT_KEPT = 4_000;

/** The plan of a call. */
export function searchPlan<I extends Identifier>(
  settings: ScannSettings,
  leaves: Leaves,
  rows: number,
  k: number,
  options: CallOptions<I> & {
    leavesToSearch?: number | undefined;
    reorder?: number | undefined;
    groupBound?: number | false | undefined;
    exact?: boolean | undefined;
  },
  filter: GroupFilter | undefined,
  exclusions: SearchPlan['exclusions'],
): SearchPlan {
  const { shape } = leaves;
  const asked = checkInteger('leavesToSearch', options.leavesToSearch ?? settings.numLeavesToSearch, 1);
  const reorder = Math.max(k, checkInteger('reorder', options.reorder ?? settings.numReorderingCandidates, 1));
  const isFlat = shape.leaves === 0;
  const kept = filter?.kept ?? rows;
  const isListed = isFlat || options.exact === true || (filter !== undefined && kept <= Math.max(EXACT_KEPT, reorder));
  const leavesToSearch = Math.max(1, Math.min(shape.leaves, widened(asked, kept, rows)));
  const isEverything = reorder >= rows;
  const beta = checkNumber('groupBound', Number(options.groupBound ?? shape.groupBound), 0);
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
    filter: filter?.words.offset ?? 0,
    exclusions,
    listed: isListed
      ? { slots: filter?.slots(), count: filter ? filter.slotCount : shape.groups * GROUP_SLOTS }
      : undefined,
  };
}

/** A filter spreads the best of the kept over more leaves: by the square root of what it leaves out. */
function widened(leaves: number, kept: number, rows: number): number {
  return kept >= rows ? leaves : Math.ceil(leaves * Math.sqrt(rows / Math.max(1, kept)));
}

/** Groups of leaves to open; 0: score every leaf. */
function groupsToOpen(leavesToSearch: number, leaves: number, groups: number): number {
  if (groups === 0) return 0;
  const share = Math.max(OPEN_SHARE_MIN, (OPEN_PER_LEAF * leavesToSearch) / leaves);
  return share >= 0.5 ? 0 : Math.ceil(share * groups);
}
