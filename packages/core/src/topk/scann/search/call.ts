/** A call of `ScaNN`: checks its options, plans the search, runs it and returns the result. */
import { throwIfAborted } from '../../../checks/abort.ts';
import { BOOLEAN, NUMBER, OBJECT, optionsCheck, optionType, SIGNAL } from '../../../checks/options.ts';
import { CALL, callOptions } from '../../call-options.ts';
import type { CallOptions, Identifier } from '../../contract.ts';
import { checkWidth } from '../../queries.ts';
import { TopKResult } from '../../result.ts';
import type { VectorSource } from '../../vector-source.ts';
import type { ScannSettings } from '../settings.ts';
import type { LiveIndex } from '../update/live-index.ts';
import type { Found } from './call-buffers.ts';
import { complete, completionOf } from './completion.ts';
import { type DistinctQueries, distinctQueries } from './distinct-queries.ts';
import { checkFilter, compileFilter, excludedSlots, GroupFilter, type SlotsOfRows } from './masks.ts';
import { addScanWork, type FlatScan, flatScan, isPackedScan, packedScan } from './panel-scan.ts';
import { areFewLeft, type SearchPlan, searchPlan } from './plan.ts';
import type { ScannSearch } from './search.ts';
import type { SearchWork } from './search-work.ts';

/** Options of a call of `ScaNN`. */
export interface ScannCallOptions<I extends Identifier> extends Omit<CallOptions<I>, 'filter'> {
  /** Leaves searched; default the index's. A search of fewer than all leaves may return fewer than k results. */
  leavesToSearch?: number | undefined;
  /** Candidates whose approximate score is replaced by the exact one; default the index's; at least k. */
  reorder?: number | undefined;
  /** Score every candidate exactly, for comparison with approximate results. Default false. */
  exact?: boolean | undefined;
  /**
   * A group is skipped when its bound is more than this many standard errors below the k-th best score, or below a score of
   * higher rank where more than 10 candidates are reordered for each result; default the index's; false: no group is
   * skipped.
   */
  groupBound?: number | false | undefined;
  /** A predicate, bit words over the rows, or a filter compiled by `compileFilter`. */
  filter?: CallOptions<I>['filter'] | GroupFilter;
  /** Counts the work of the call into this object. */
  work?: SearchWork | undefined;
  /** The call throws an AbortedError when this signal was raised before it. */
  signal?: AbortSignal | undefined;
}

const checkCall = optionsCheck<ScannCallOptions<never>>('a call of ScaNN', {
  ...CALL,
  leavesToSearch: NUMBER,
  reorder: NUMBER,
  exact: BOOLEAN,
  groupBound: optionType('a number or false', (value) => typeof value === 'number' || value === false),
  work: OBJECT,
  signal: SIGNAL,
});

/** A call whose arguments were checked, ready to be searched. */
export interface PreparedCall<I extends Identifier> {
  live: LiveIndex<I>;
  plan: SearchPlan;
  /** The candidates that may be returned; undefined for all. */
  filter: GroupFilter | undefined;
  /** True if a query that found too few results is searched again in all candidates. */
  isCompleted: boolean;
  distinct: DistinctQueries;
  /** The scan of a flat index instead of a search of the plan. */
  scan: FlatScan | undefined;
  work: SearchWork | undefined;
  result: (found: Found) => TopKResult<I>;
  free: () => void;
}

/**
 * Check the arguments of a call and plan its search; free the result afterwards.
 *
 * @throws as `ScaNN.call`
 */
export function prepareCall<I extends Identifier>(
  index: { settings: ScannSettings; k: number },
  live: LiveIndex<I>,
  search: ScannSearch,
  source: VectorSource,
  k: number | (ScannCallOptions<I> & CallOptions<I>) | ScannCallOptions<I> | undefined,
): PreparedCall<I> {
  const { leaves, identifiers } = live;
  const { settings } = index;
  const options = callOptions<I, CallOptions<I> & ScannCallOptions<I>>(
    k as number | CallOptions<I>,
    index.k,
    checkCall,
  );
  throwIfAborted('call', options.signal);
  checkWidth(source, leaves.shape.dimensions);
  const columns = Math.min(options.k, live.size);
  const slotsOf = (): SlotsOfRows => live.slots;
  const { filter } = options as ScannCallOptions<I>;
  const isFlat = leaves.shape.leaves === 0;
  const own =
    filter instanceof GroupFilter
      ? undefined
      : compileFilter(leaves, identifiers, { include: options.include, filter }, slotsOf);
  const given = filter instanceof GroupFilter ? checkFilter(filter, leaves) : own;
  const areFew = !given && !isFlat && areFewLeft(identifiers.size, live.size, settings);
  const compiled = areFew ? live.present : given;
  const free = (): void => own?.free();
  try {
    const exclusions = excludedSlots(identifiers, source.rows, options.exclude, slotsOf);
    const plan = searchPlan({
      settings,
      leaves,
      rows: identifiers.size,
      size: live.size,
      k: columns,
      effort: options,
      filter: compiled,
      exclusions,
    });
    const isWhole = !compiled && !exclusions && live.size === identifiers.size;
    const isCompleted = !isWhole || (options.leavesToSearch ?? Infinity) >= leaves.shape.leaves;
    const distinct = distinctQueries(search, leaves, source, settings.distanceMeasure === 'cosine', plan);
    const scan = flatScan(live, plan, distinct, compiled, options.exclude);
    const result = ({ counts, scores, rows }: Found): TopKResult<I> =>
      new TopKResult(columns, counts, scores, rows, identifiers.of);
    return { live, plan, filter: compiled, isCompleted, distinct, scan, work: options.work, result, free };
  } catch (error) {
    free();
    throw error;
  }
}

/** Search and free a prepared call. */
export function runCall<I extends Identifier>(ready: PreparedCall<I>, search: ScannSearch): TopKResult<I> {
  const { live, plan, filter, isCompleted, distinct, scan, work } = ready;
  try {
    const isPacked = isPackedScan(live.leaves, plan, distinct.count);
    if (work && (scan || isPacked)) addScanWork(work, live, plan, filter, distinct.count);
    if (scan) return ready.result(distinct.ofAll(search.panels.run(...scan)));
    if (isPacked) return ready.result(distinct.ofAll(packedScan(live, plan.k, distinct)));
    const found = search.run(live, distinct.count, distinct.write, plan, work);
    const again = isCompleted ? completionOf(live, plan, filter, distinct, found) : undefined;
    if (again) {
      const { plan, distinct } = again;
      complete(found, again, search.run(live, distinct.count, distinct.write, plan, work));
      if (work) work.queries -= distinct.count;
    }
    return ready.result(distinct.ofAll(found));
  } finally {
    ready.free();
  }
}

/** `runCall` on the worker threads. */
export async function runCallAsync<I extends Identifier>(
  ready: PreparedCall<I>,
  search: ScannSearch,
): Promise<TopKResult<I>> {
  const { live, plan, filter, isCompleted, distinct, scan, work } = ready;
  try {
    if (scan) {
      if (work) addScanWork(work, live, plan, filter, distinct.count);
      return ready.result(distinct.ofAll(await search.panels.runAsync(...scan)));
    }
    const found = await search.runAsync(live, distinct.count, distinct.write, plan, work);
    const again = isCompleted ? completionOf(live, plan, filter, distinct, found) : undefined;
    if (again) {
      const { plan, distinct } = again;
      complete(found, again, await search.runAsync(live, distinct.count, distinct.write, plan, work));
      if (work) work.queries -= distinct.count;
    }
    return ready.result(distinct.ofAll(found));
  } finally {
    ready.free();
  }
}
