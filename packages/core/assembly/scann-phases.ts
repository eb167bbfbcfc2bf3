// The phases of a search of a ScaNN index for one query. searchScann (scann.ts) runs them one after another in one memory; a
// search over segments (src/kernels/segments/search-segments.ts) runs each in the memories that need it, and copies the
// state of the query from one to the next.
// Letters: d dimensions, L leaves, M blocks, R candidates reordered, k results.
// Readable forms: src/kernels/reference/scann-phases.ts.
import { gatherBest, quantizeQuery, scorePanel16 } from './centroids';
import { finiteScore, keyOf, rowOf as rowOfKey, scoreOf, selectKeys, sortKeys } from './keys';
import {
  blockRanges, blockValues, correctionShift, correctionValues, largestRange, MASKED, quantizeTables, sumOfRanges, tableScale,
} from './lut16';
import { bestRows, exactKeys, touchRows } from './reorder';
import { ScannCall, ScannIndex, ScannState } from './records.generated';
import { transformQuery } from './scann-query';
import { chooseCandidates, isPruned, scanLeaves } from './scann-scan';

/**
 * The score of a result is estimated as this times the score of the best centroid. Values from .9 to 1.0 were measured
 * to be equally good.
 */
const CORRECTION_FACTOR: f32 = 0.95;

/** The state of a thread's query. */
// @ts-ignore: decorator
@inline export function stateOf(call: ScannCall, scratch: usize): ScannState {
  return changetype<ScannState>(scratch + call.areaState);
}

/** The scratch memory of a thread. */
// @ts-ignore: decorator
@inline export function scratchOf(call: ScannCall, slot: i32): usize {
  return call.scratch + <usize>slot * call.scratchStride;
}

/** Score panels of centroids [begin, end); writes scores, maxima and panel numbers from position `at`. */
function scorePanels16(
  centroids: usize, pairs: i32, q16: usize, unscale: f32, addend: usize, begin: i32, end: i32, at: i32, call: ScannCall,
  scratch: usize,
): i32 {
  const scores = scratch + call.areaScores;
  const maxima = scratch + call.areaMaxima;
  const ids = scratch + call.areaPanels;
  const u = f32x4.splat(unscale);
  for (let p = begin; p < end; p++) {
    const lanes = scorePanel16(
      centroids + ((<usize>p * <usize>pairs) << 6), pairs, q16, u, addend + (<usize>p << 6), scores + (<usize>at << 6),
    );
    v128.store(maxima + (<usize>at << 4), lanes);
    store<i32>(ids + (<usize>at << 2), p);
    at++;
  }
  return at;
}

/** Keep the `wanted` largest keys in their present order. `keys` has room for them twice. */
function cutInOrder(keys: usize, found: i32, wanted: i32): i32 {
  const copy = keys + (<usize>found << 3);
  memory.copy(copy, keys, <usize>found << 3);
  selectKeys(copy, 0, found - 1, wanted - 1);
  const least = load<u64>(copy + (<usize>(wanted - 1) << 3));
  let kept: usize = 0;
  for (let i = 0; i < found; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    store<u64>(keys + (kept << 3), key);
    kept += key >= least ? 1 : 0;
  }
  return wanted;
}

/**
 * Write the keys (score, leaf) of the leaves to search: best first if groups are skipped, because good leaves raise the
 * bound early; otherwise in the order of memory. Returns their number.
 */
export function chooseLeaves(index: ScannIndex, call: ScannCall, scratch: usize, query: usize): i32 {
  const pairs = index.pairs;
  const q16 = scratch + call.areaQuery16;
  const keys = scratch + call.areaKeys;
  const histogram = scratch + call.areaHistogram;
  const inverse = quantizeQuery(query, index.dimensions, index.codedStride, q16);
  const scores = scratch + call.areaScores;
  const maxima = scratch + call.areaMaxima;
  const ids = scratch + call.areaPanels;
  const centroids = index.centroids;
  const addend = index.leafAddend;
  const unscale = index.centroidUnscale * inverse;
  const open = call.upperToOpen;
  let panels = 0;
  if (open == 0) {
    panels = scorePanels16(
      centroids, pairs, q16, unscale, addend, 0, index.leafPanels, 0, call, scratch,
    );
  } else {
    const upper = scorePanels16(
      index.upperCentroids, pairs, q16, index.upperUnscale * inverse,
      index.upperAddend, 0, index.upperPanels, 0, call, scratch,
    );
    let found = gatherBest(scores, maxima, ids, upper, open, histogram, keys);
    if (found > open) {
      selectKeys(keys, 0, found - 1, open - 1);
      found = open;
    }
    // Adjacent groups of leaves may share a panel; the ascending order ensures that no panel is scored twice.
    for (let i = 0; i < found; i++) {
      const at = keys + (<usize>i << 3);
      store<u64>(at, ~<u64>rowOfKey(load<u64>(at)));
    }
    sortKeys(keys, 0, found - 1);
    const ranges = index.upperLeaves;
    let next = 0;
    for (let i = 0; i < found; i++) {
      const range = ranges + (<usize>~load<u64>(keys + (<usize>i << 3)) << 2);
      const first = max(next, load<i32>(range) >> 4);
      next = max(next, (load<i32>(range, 4) + 15) >> 4);
      panels = scorePanels16(centroids, pairs, q16, unscale, addend, first, next, panels, call, scratch);
    }
  }
  const wanted = call.leavesToSearch;
  let leaves = gatherBest(scores, maxima, ids, panels, wanted, histogram, keys);
  if (isPruned(call)) {
    if (leaves > wanted) {
      selectKeys(keys, 0, leaves - 1, wanted - 1);
      leaves = wanted;
    }
    sortKeys(keys, 0, leaves - 1);
  } else if (leaves > wanted) {
    leaves = cutInOrder(keys, leaves, wanted);
  }
  stateOf(call, scratch).centroids = panels << 4;
  return leaves;
}

/**
 * Bit words of the groups for a query; 0 if all slots may be returned. Excluded slots are cleared in the words of the
 * thread.
 */
export function openMask(index: ScannIndex, call: ScannCall, slot: i32, item: i32): usize {
  const filter = call.filter;
  const begins = call.exclusionBegin;
  if (begins == 0) return filter;
  const at = begins + (<usize>item << 2);
  const first = load<i32>(at), last = load<i32>(at, 4);
  if (first == last) return filter;
  const words = call.masks + <usize>slot * (<usize>index.groups << 2);
  const slots = call.exclusions;
  for (let i = first; i < last; i++) {
    const excluded = load<i32>(slots + (<usize>i << 2));
    const word = words + (<usize>(excluded >> 5) << 2);
    store<i32>(word, load<i32>(word) & ~(1 << (excluded & 31)));
  }
  return words;
}

/** The words that openMask returned for the query. */
function maskOf(index: ScannIndex, call: ScannCall, slot: i32, item: i32): usize {
  const begins = call.exclusionBegin;
  if (begins == 0) return call.filter;
  const at = begins + (<usize>item << 2);
  if (load<i32>(at) == load<i32>(at, 4)) return call.filter;
  return call.masks + <usize>slot * (<usize>index.groups << 2);
}

/** Restore the thread's words after a query. */
export function closeMask(call: ScannCall, words: usize, item: i32): void {
  const filter = call.filter;
  if (words == filter) return;
  const at = call.exclusionBegin + (<usize>item << 2);
  const slots = call.exclusions;
  for (let i = load<i32>(at); i < load<i32>(at, 4); i++) {
    const word = <usize>(load<i32>(slots + (<usize>i << 2)) >> 5) << 2;
    store<i32>(words + word, filter != 0 ? load<i32>(filter + word) : -1);
  }
}

function normOf(query: usize, stride: i32): f32 {
  let square: f32 = 0;
  for (let t = 0; t < stride; t++) {
    const value = load<f32>(query + (<usize>t << 2));
    square += value * value;
  }
  return sqrt(square);
}

/** Choose the leaves of query `item`, make its look-up tables and begin its state. Returns the number of leaves. */
export function planOne(index: ScannIndex, call: ScannCall, scratch: usize, item: i32): i32 {
  const query = transformQuery(index, call, scratch, item);
  const leaves = chooseLeaves(index, call, scratch, query);
  makeTables(index, call, scratch, query, leaves);
  return leaves;
}

/** Make the look-up tables of a query for its chosen leaves, and begin its state. */
export function makeTables(index: ScannIndex, call: ScannCall, scratch: usize, query: usize, leaves: i32): void {
  const state = stateOf(call, scratch);
  const keys = scratch + call.areaKeys;
  let best = leaves > 0 ? load<u64>(keys) : 0, worst = best;
  for (let i = 1; i < leaves; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    best = max(best, key);
    worst = min(worst, key);
  }
  const top: f32 = leaves > 0 ? scoreOf(best) : 0;
  const spread: f32 = leaves > 0 ? top - scoreOf(worst) : 0;
  const values = scratch + call.areaValues;
  const minima = scratch + call.areaMinima;
  const blocks = index.productBlocks, corrections = index.correctionBlocks;
  blockValues(query, index.codebook, blocks, index.blockWidth, values);
  correctionValues(
    index.corrections, corrections,
    index.correctionIsRelative ? CORRECTION_FACTOR * top : 1, values + (<usize>blocks << 6),
  );
  blockRanges(values, blocks, minima);
  const range = largestRange, sum = sumOfRanges;
  const afterBlocks = values + (<usize>blocks << 6);
  const minimaAfter = minima + (<usize>blocks << 2);
  blockRanges(afterBlocks, corrections, minimaAfter);
  const scale = tableScale(range, sum + sumOfRanges, spread);
  const shift = correctionShift(largestRange * scale);
  const tables = scratch + call.areaTables;
  state.leaves = leaves;
  state.top = top;
  state.scale = scale;
  state.correctionShift = shift;
  state.least = quantizeTables(values, minima, blocks, scale, tables) +
    quantizeTables(afterBlocks, minimaAfter, corrections, scale / <f32>(1 << shift), tables + (<usize>blocks << 4));
  state.queryNorm = isPruned(call) ? normOf(query, index.codedStride) : 0;
  state.theta = MASKED;
  state.bestCount = 0;
  state.scanned = 0;
}

/** Score the candidates again, exactly where the call says so, and write results and counters of query `item`. */
export function reorderOne(index: ScannIndex, call: ScannCall, scratch: usize, item: i32, found: i32): void {
  const state = stateOf(call, scratch);
  const stride = index.stride;
  const keys = scratch + call.areaKeys;
  const slots = scratch + call.areaSlots;
  if (call.reorderExactly) {
    const kind = index.rowKind;
    const rows = index.rows;
    const placeOf = index.placeOf;
    // The sum is stored so that the compiler does not remove the reads.
    store<i32>(scratch, touchRows(kind, stride, rows, placeOf, slots, found));
    exactKeys(
      kind, index.squared != 0, call.queries + <usize>item * (<usize>stride << 2), stride, rows, index.rowScales,
      placeOf, slots, found, keys,
    );
  } else {
    const slotScores = scratch + call.areaSlotScores;
    const scale = state.scale;
    const unscale: f32 = scale > 0 ? 1 / scale : 0;
    for (let i = 0; i < found; i++) {
      const score = state.top + state.least + <f32>load<i32>(slotScores + (<usize>i << 2)) * unscale;
      store<u64>(keys + (<usize>i << 3), keyOf(finiteScore(score), load<i32>(slots + (<usize>i << 2))));
    }
  }
  writeResults(index, call, scratch, keys, found, item);
  const counters = call.countersOut;
  if (counters != 0) {
    const at = counters + (<usize>item << 4);
    store<i32>(at, state.centroids);
    store<i32>(at, state.leaves, 4);
    store<i32>(at, state.scanned << 5, 8);
    store<i32>(at, found, 12);
  }
}

function isListed(rows: usize, count: i32, row: i32): bool {
  for (let i = 0; i < count; i++) if (load<i32>(rows + (<usize>i << 2)) == row) return true;
  return false;
}

/** Write the k best keys as scores and rows; each row is written only once. */
export function writeResults(index: ScannIndex, call: ScannCall, scratch: usize, keys: usize, found: i32, item: i32): void {
  const k = call.results;
  const copies = index.copies;
  const wanted = <i32>min<i64>(<i64>k * <i64>copies, <i64>found);
  const best = bestRows(
    keys, found, wanted, index.rowOf, scratch + call.areaBest,
  );
  sortKeys(keys, 0, best - 1);
  const scores = call.scoresOut + ((<usize>item * <usize>k) << 2);
  const rows = call.rowsOut + ((<usize>item * <usize>k) << 2);
  let results = 0;
  for (let i = 0; i < best && results < k; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    const row = rowOfKey(key);
    if (copies > 1 && isListed(rows, results, row)) continue;
    store<f32>(scores + (<usize>results << 2), scoreOf(key));
    store<i32>(rows + (<usize>results << 2), row);
    results++;
  }
  store<i32>(call.countsOut + (<usize>item << 2), results);
}

/** Choose the leaves of query `item`, as keys (score, leaf), and make its tables. Returns the number of leaves. */
export function planQuery(slot: i32, item: i32, index: ScannIndex, call: ScannCall): i32 {
  return planOne(index, call, scratchOf(call, slot), item);
}

/** Scan the leaves of keys [begin, end). The first run of a query in this memory begins at 0. */
export function scanChosen(slot: i32, item: i32, index: ScannIndex, call: ScannCall, begin: i32, end: i32): void {
  const filter = begin == 0 ? openMask(index, call, slot, item) : maskOf(index, call, slot, item);
  scanLeaves(index, call, scratchOf(call, slot), filter, begin, end);
}

/**
 * Choose the candidates to reorder among the points scanned in this memory whose score is above `floor`. Returns their
 * number.
 */
export function chooseScanned(slot: i32, item: i32, index: ScannIndex, call: ScannCall, floor: i32): i32 {
  closeMask(call, maskOf(index, call, slot, item), item);
  const scratch = scratchOf(call, slot);
  return chooseCandidates(call, scratch, call.reorder, floor);
}

/** Score the first `found` chosen candidates again and write the results of query `item`. */
export function reorderChosen(slot: i32, item: i32, index: ScannIndex, call: ScannCall, found: i32): void {
  reorderOne(index, call, scratchOf(call, slot), item, found);
}
