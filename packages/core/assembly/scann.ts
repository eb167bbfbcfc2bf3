// One query against a ScaNN index, from embedding to results, in one call: centroids, leaves, tables, scan, the best R by
// approximate score, their exact scores, the best k.
// Letters: d dimensions, L leaves, M blocks, R candidates reordered, k results.
// Readable forms: src/kernels/reference/scann.ts.
import { gatherBest, quantizeQuery, scorePanel16 } from './centroids';
import { keyOf, rowOf as rowOfKey, scoreOf, selectKeys, sortKeys } from './keys';
import { blockRanges, blockValues, correctionValues, quantizeTables, tableScale } from './lut16';
import { bestRows, exactKeys, touchRows } from './reorder';
import {
  STRIDE, DIMENSIONS, PAIRS, LEAF_PANELS, CENTROIDS, CENTROID_UNSCALE, LEAF_ADDEND, UPPER_PANELS, UPPER_CENTROIDS,
  UPPER_UNSCALE, UPPER_ADDEND, UPPER_LEAVES, PRODUCT_BLOCKS, BLOCK_WIDTH, CODEBOOK, CORRECTION_BLOCKS, CORRECTIONS,
  CORRECTION_IS_RELATIVE, ROW_OF, VALID, ROWS, ROW_KIND, ROW_SCALES, PLACE_OF, SQUARED, COPIES, GROUPS, QUERIES,
  RESULTS, LEAVES_TO_SEARCH, UPPER_TO_OPEN, REORDER, FILTER, MASKS, EXCLUSIONS, EXCLUSION_BEGIN, SLOTS, SLOT_COUNT,
  SCORES_OUT, ROWS_OUT, COUNTS_OUT, COUNTERS_OUT, SCRATCH, SCRATCH_STRIDE, AREA_QUERY, AREA_QUERY16, AREA_SCORES,
  AREA_MAXIMA, AREA_PANELS, AREA_KEYS, AREA_VALUES, AREA_MINIMA, AREA_TABLES, AREA_SLOTS, AREA_SLOT_SCORES,
  AREA_HISTOGRAM, AREA_BEST, REORDER_EXACTLY,
} from './scann-records';
import { transformQuery } from './scann-query';
import { chooseCandidates, isPruned, scanLeaves, scanned } from './scann-scan';

/** The best centroid's score stands for the score of a result; results lie a little below it (measured: .9 to 1.0 alike). */
const CORRECTION_FACTOR: f32 = 0.95;
/** Score panels of centroids [begin, end); writes scores, maxima and panel numbers from position `at`. */
function scorePanels16(
  centroids: usize, pairs: i32, q16: usize, unscale: f32, addend: usize, begin: i32, end: i32, at: i32, call: usize,
  scratch: usize,
): i32 {
  const scores = scratch + <usize>load<u32>(call, AREA_SCORES);
  const maxima = scratch + <usize>load<u32>(call, AREA_MAXIMA);
  const ids = scratch + <usize>load<u32>(call, AREA_PANELS);
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

/** Keep the `wanted` largest keys in the order they stand in. `keys` has room for them twice. */
function cutInOrder(keys: usize, found: i32, wanted: i32): i32 {
  const copy = keys + (<usize>found << 3);
  memory.copy(copy, keys, <usize>found << 3);
  selectKeys(copy, 0, found - 1, wanted - 1);
  const least = load<u64>(copy + (<usize>(wanted - 1) << 3));
  let kept: usize = 0;
  for (let i = 0; i < found; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    store<u64>(keys + (kept << 3), key);
    kept += <usize>(key >= least);
  }
  return wanted;
}

/**
 * Keys (score, leaf) of the leaves to search: best first where groups are skipped, since good leaves raise the bound early;
 * else as they stand in memory. Returns how many.
 */
function chooseLeaves(index: usize, call: usize, scratch: usize, query: usize): i32 {
  const pairs = load<i32>(index, PAIRS);
  const q16 = scratch + <usize>load<u32>(call, AREA_QUERY16);
  const keys = scratch + <usize>load<u32>(call, AREA_KEYS);
  const histogram = scratch + <usize>load<u32>(call, AREA_HISTOGRAM);
  const inverse = quantizeQuery(query, load<i32>(index, DIMENSIONS), load<i32>(index, STRIDE), q16);
  const scores = scratch + <usize>load<u32>(call, AREA_SCORES);
  const maxima = scratch + <usize>load<u32>(call, AREA_MAXIMA);
  const ids = scratch + <usize>load<u32>(call, AREA_PANELS);
  const centroids = <usize>load<u32>(index, CENTROIDS);
  const addend = <usize>load<u32>(index, LEAF_ADDEND);
  const unscale = load<f32>(index, CENTROID_UNSCALE) * inverse;
  const open = load<i32>(call, UPPER_TO_OPEN);
  let panels = 0;
  if (open == 0) {
    panels = scorePanels16(
      centroids, pairs, q16, unscale, addend, 0, load<i32>(index, LEAF_PANELS), 0, call, scratch,
    );
  } else {
    const upper = scorePanels16(
      <usize>load<u32>(index, UPPER_CENTROIDS), pairs, q16, load<f32>(index, UPPER_UNSCALE) * inverse,
      <usize>load<u32>(index, UPPER_ADDEND), 0, load<i32>(index, UPPER_PANELS), 0, call, scratch,
    );
    let found = gatherBest(scores, maxima, ids, upper, open, histogram, keys);
    if (found > open) {
      selectKeys(keys, 0, found - 1, open - 1);
      found = open;
    }
    // Groups of leaves overlap by a panel where they meet; in ascending order no panel is scored twice.
    for (let i = 0; i < found; i++) {
      const at = keys + (<usize>i << 3);
      store<u64>(at, ~<u64>rowOfKey(load<u64>(at)));
    }
    sortKeys(keys, 0, found - 1);
    const ranges = <usize>load<u32>(index, UPPER_LEAVES);
    let next = 0;
    for (let i = 0; i < found; i++) {
      const range = ranges + (<usize>~load<u64>(keys + (<usize>i << 3)) << 2);
      const first = max(next, load<i32>(range) >> 4);
      next = max(next, (load<i32>(range, 4) + 15) >> 4);
      panels = scorePanels16(centroids, pairs, q16, unscale, addend, first, next, panels, call, scratch);
    }
  }
  const wanted = load<i32>(call, LEAVES_TO_SEARCH);
  let leaves = gatherBest(scores, maxima, ids, panels, wanted, histogram, keys);
  if (isPruned(index, call)) {
    if (leaves > wanted) {
      selectKeys(keys, 0, leaves - 1, wanted - 1);
      leaves = wanted;
    }
    sortKeys(keys, 0, leaves - 1);
  } else if (leaves > wanted) {
    leaves = cutInOrder(keys, leaves, wanted);
  }
  store<i32>(scratch, panels << 4);
  return leaves;
}

/** Bit words of the groups a query may return; 0 when all. Excluded slots are cleared in the thread's own words. */
function openMask(index: usize, call: usize, slot: i32, item: i32): usize {
  const filter = <usize>load<u32>(call, FILTER);
  const begins = <usize>load<u32>(call, EXCLUSION_BEGIN);
  if (begins == 0) return filter;
  const at = begins + (<usize>item << 2);
  const first = load<i32>(at), last = load<i32>(at, 4);
  if (first == last) return filter;
  const words = <usize>load<u32>(call, MASKS) + <usize>slot * (<usize>load<i32>(index, GROUPS) << 2);
  const slots = <usize>load<u32>(call, EXCLUSIONS);
  for (let i = first; i < last; i++) {
    const excluded = load<i32>(slots + (<usize>i << 2));
    const word = words + (<usize>(excluded >> 5) << 2);
    store<i32>(word, load<i32>(word) & ~(1 << (excluded & 31)));
  }
  return words;
}

/** Make the thread's words again what they were. */
function closeMask(call: usize, words: usize, item: i32): void {
  const filter = <usize>load<u32>(call, FILTER);
  if (words == filter) return;
  const at = <usize>load<u32>(call, EXCLUSION_BEGIN) + (<usize>item << 2);
  const slots = <usize>load<u32>(call, EXCLUSIONS);
  for (let i = load<i32>(at); i < load<i32>(at, 4); i++) {
    const word = <usize>(load<i32>(slots + (<usize>i << 2)) >> 5) << 2;
    store<i32>(words + word, filter != 0 ? load<i32>(filter + word) : -1);
  }
}

/** Search for query `item`: fills its row of results. */
function searchOne(index: usize, call: usize, scratch: usize, slot: i32, item: i32): void {
  const stride = load<i32>(index, STRIDE);
  const original = <usize>load<u32>(call, QUERIES) + <usize>item * (<usize>stride << 2);
  const query = transformQuery(index, original, scratch + <usize>load<u32>(call, AREA_QUERY));
  const keys = scratch + <usize>load<u32>(call, AREA_KEYS);
  const leaves = chooseLeaves(index, call, scratch, query);
  const centroids = load<i32>(scratch);
  let best = leaves > 0 ? load<u64>(keys) : 0, worst = best;
  for (let i = 1; i < leaves; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    best = max(best, key);
    worst = min(worst, key);
  }
  const top: f32 = leaves > 0 ? scoreOf(best) : 0;
  const spread: f32 = leaves > 0 ? top - scoreOf(worst) : 0;

  const values = scratch + <usize>load<u32>(call, AREA_VALUES);
  const minima = scratch + <usize>load<u32>(call, AREA_MINIMA);
  const blocks = load<i32>(index, PRODUCT_BLOCKS), corrections = load<i32>(index, CORRECTION_BLOCKS);
  blockValues(query, <usize>load<u32>(index, CODEBOOK), blocks, load<i32>(index, BLOCK_WIDTH), values);
  correctionValues(
    <usize>load<u32>(index, CORRECTIONS), corrections,
    load<i32>(index, CORRECTION_IS_RELATIVE) ? CORRECTION_FACTOR * top : 1, values + (<usize>blocks << 6),
  );
  const scale = tableScale(blockRanges(values, blocks + corrections, minima), spread);
  const tables = scratch + <usize>load<u32>(call, AREA_TABLES);
  const least = quantizeTables(values, minima, blocks + corrections, scale, tables);
  const filter = openMask(index, call, slot, item);
  scanLeaves(index, call, scratch, leaves, top, scale, least, query, filter);
  closeMask(call, filter, item);

  const found = chooseCandidates(call, scratch, load<i32>(call, REORDER));
  const slots = scratch + <usize>load<u32>(call, AREA_SLOTS);
  if (load<i32>(call, REORDER_EXACTLY)) {
    const kind = load<i32>(index, ROW_KIND);
    const rows = <usize>load<u32>(index, ROWS);
    const placeOf = <usize>load<u32>(index, PLACE_OF);
    // Stored, or the compiler would drop the reads.
    store<i32>(scratch, touchRows(kind, stride, rows, placeOf, slots, found), 4);
    exactKeys(
      kind, load<i32>(index, SQUARED) != 0, original, stride, rows, <usize>load<u32>(index, ROW_SCALES), placeOf,
      slots, found, keys,
    );
  } else {
    const slotScores = scratch + <usize>load<u32>(call, AREA_SLOT_SCORES);
    const unscale: f32 = scale > 0 ? 1 / scale : 0;
    for (let i = 0; i < found; i++) {
      const score = top + least + <f32>load<i32>(slotScores + (<usize>i << 2)) * unscale;
      store<u64>(keys + (<usize>i << 3), keyOf(score, load<i32>(slots + (<usize>i << 2))));
    }
  }
  writeResults(index, call, scratch, keys, found, item);
  const counters = <usize>load<u32>(call, COUNTERS_OUT);
  if (counters != 0) {
    const at = counters + (<usize>item << 4);
    store<i32>(at, centroids);
    store<i32>(at, leaves, 4);
    store<i32>(at, scanned << 5, 8);
    store<i32>(at, found, 12);
  }
}

function isListed(rows: usize, count: i32, row: i32): bool {
  for (let i = 0; i < count; i++) if (load<i32>(rows + (<usize>i << 2)) == row) return true;
  return false;
}

/** The k best keys as scores and rows, copies of a row once. */
function writeResults(index: usize, call: usize, scratch: usize, keys: usize, found: i32, item: i32): void {
  const k = load<i32>(call, RESULTS);
  const copies = load<i32>(index, COPIES);
  const wanted = <i32>min<i64>(<i64>k * <i64>copies, <i64>found);
  const best = bestRows(
    keys, found, wanted, <usize>load<u32>(index, ROW_OF), scratch + <usize>load<u32>(call, AREA_BEST),
  );
  sortKeys(keys, 0, best - 1);
  const scores = <usize>load<u32>(call, SCORES_OUT) + ((<usize>item * <usize>k) << 2);
  const rows = <usize>load<u32>(call, ROWS_OUT) + ((<usize>item * <usize>k) << 2);
  let results = 0;
  for (let i = 0; i < best && results < k; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    const row = rowOfKey(key);
    if (copies > 1 && isListed(rows, results, row)) continue;
    store<f32>(scores + (<usize>results << 2), scoreOf(key));
    store<i32>(rows + (<usize>results << 2), row);
    results++;
  }
  store<i32>(<usize>load<u32>(call, COUNTS_OUT) + (<usize>item << 2), results);
}

/**
 * Score queries [begin, end) of the call exactly against its list of slots, without leaves; slots whose bit in VALID or in
 * the query's mask is 0 are passed over. Work items: queries; each thread has its own scratch.
 */
export function searchSlots(begin: i32, end: i32, slot: i32, index: usize, call: usize): void {
  const scratch = <usize>load<u32>(call, SCRATCH) + <usize>slot * <usize>load<u32>(call, SCRATCH_STRIDE);
  const keys = scratch + <usize>load<u32>(call, AREA_KEYS);
  const allowed = scratch + <usize>load<u32>(call, AREA_SLOTS);
  const valid = <usize>load<u32>(index, VALID);
  const listed = <usize>load<u32>(call, SLOTS);
  const count = load<i32>(call, SLOT_COUNT);
  const stride = load<i32>(index, STRIDE);
  for (let item = begin; item < end; item++) {
    const mask = openMask(index, call, slot, item);
    let found = 0;
    for (let i = 0; i < count; i++) {
      const at = listed != 0 ? load<i32>(listed + (<usize>i << 2)) : i;
      const word = <usize>(at >> 5) << 2;
      const bits = load<i32>(valid + word) & (mask != 0 ? load<i32>(mask + word) : -1);
      store<i32>(allowed + (<usize>found << 2), at);
      found += (bits >> (at & 31)) & 1;
    }
    closeMask(call, mask, item);
    exactKeys(
      load<i32>(index, ROW_KIND), load<i32>(index, SQUARED) != 0,
      <usize>load<u32>(call, QUERIES) + <usize>item * (<usize>stride << 2), stride, <usize>load<u32>(index, ROWS),
      <usize>load<u32>(index, ROW_SCALES), <usize>load<u32>(index, PLACE_OF), allowed,
      found, keys,
    );
    writeResults(index, call, scratch, keys, found, item);
    const counters = <usize>load<u32>(call, COUNTERS_OUT);
    if (counters != 0) {
      memory.fill(counters + (<usize>item << 4), 0, 16);
      store<i32>(counters + (<usize>item << 4), found, 12);
    }
  }
}

/** Bit words of groups from bit words of rows: words[g] has bit i where row rowOf[32 g + i] is allowed. Items: groups. */
export function maskGroups(begin: i32, end: i32, slot: i32, rowWords: usize, rowOf: usize, words: usize): void {
  for (let group = begin; group < end; group++) {
    let word = 0;
    for (let i = 0; i < 32; i++) {
      const row = load<i32>(rowOf + (<usize>((group << 5) + i) << 2));
      if (row >= 0) word |= ((load<i32>(rowWords + (<usize>(row >> 5) << 2)) >> (row & 31)) & 1) << i;
    }
    store<i32>(words + (<usize>group << 2), word);
  }
}

/** Search with queries [begin, end) of the call. Work items: queries; each thread has its own scratch. */
export function searchScann(begin: i32, end: i32, slot: i32, index: usize, call: usize): void {
  const scratch = <usize>load<u32>(call, SCRATCH) + <usize>slot * <usize>load<u32>(call, SCRATCH_STRIDE);
  for (let item = begin; item < end; item++) searchOne(index, call, scratch, slot, item);
}
