// The search of a batch: the queries of a block go through their leaves together, so that the codes of a leaf are in the
// cache for all of them that search it. Queries are searched in the order of their nearest leaf, so that those of a block
// have many leaves in common (src/topk/scann/search/batch-blocks.ts). Only for calls that skip no groups: then each query
// scans its leaves in the order of memory, as it does alone, so that its results have the same bits.
// Readable forms: src/kernels/reference/scann.ts.
import { rowOf as rowOfKey } from './keys';
import { MASKED } from './lut16';
import { ScannCall, ScannIndex } from './records.generated';
import { chooseLeaves, makeTables, reorderOne, scratchOf, stateOf } from './scann-phases';
import { transformQuery } from './scann-query';
import { chooseCandidates, scanLeaves } from './scann-scan';

/** Bytes of the plan of a query: its number of leaves, the centroids that were scored, its nearest leaf. */
const PLAN_BYTES: usize = 12;
/** A leaf after all others. */
const NO_LEAF: i32 = 0x7fffffff;

/** Choose the leaves of queries [begin, end): keys to `batchKeys`, plans to `batchPlans`. Work items: queries. */
export function planBatch(begin: i32, end: i32, slot: i32, index: ScannIndex, call: ScannCall): void {
  const scratch = scratchOf(call, slot * call.blockQueries);
  const keys = scratch + call.areaKeys;
  const room = <usize>call.leavesToSearch << 3;
  for (let item = begin; item < end; item++) {
    const query = transformQuery(index, call, scratch, item);
    const leaves = chooseLeaves(index, call, scratch, query);
    memory.copy(call.batchKeys + <usize>item * room, keys, <usize>leaves << 3);
    let best: u64 = 0;
    for (let i = 0; i < leaves; i++) best = max(best, load<u64>(keys + (<usize>i << 3)));
    const plan = call.batchPlans + <usize>item * PLAN_BYTES;
    store<i32>(plan, leaves);
    store<i32>(plan, stateOf(call, scratch).centroids, 4);
    store<i32>(plan, leaves > 0 ? rowOfKey(best) : 0, 8);
  }
}

/** Search with the queries at positions [begin, end) of `order`, at most `blockQueries`. Work items: positions. */
export function searchBatch(begin: i32, end: i32, slot: i32, index: ScannIndex, call: ScannCall): void {
  const block = call.blockQueries;
  for (let first = begin; first < end; first += block) searchBlock(first, min(first + block, end), slot * block, index, call);
}

function searchBlock(begin: i32, end: i32, slot: i32, index: ScannIndex, call: ScannCall): void {
  const count = end - begin;
  for (let q = 0; q < count; q++) beginQuery(index, call, scratchOf(call, slot + q), itemAt(call, begin + q));
  scanBlock(index, call, slot, count);
  for (let q = 0; q < count; q++) {
    const scratch = scratchOf(call, slot + q);
    reorderOne(index, call, scratch, itemAt(call, begin + q), chooseCandidates(call, scratch, call.reorder, MASKED));
  }
}

// @ts-ignore: decorator
@inline function itemAt(call: ScannCall, position: i32): i32 {
  return load<i32>(call.order + (<usize>position << 2));
}

/** Make the tables of a query whose leaves are chosen. */
function beginQuery(index: ScannIndex, call: ScannCall, scratch: usize, item: i32): void {
  const plan = call.batchPlans + <usize>item * PLAN_BYTES;
  const leaves = load<i32>(plan);
  memory.copy(
    scratch + call.areaKeys, call.batchKeys + ((<usize>item * <usize>call.leavesToSearch) << 3), <usize>leaves << 3,
  );
  const query = transformQuery(index, call, scratch, item);
  stateOf(call, scratch).centroids = load<i32>(plan, 4);
  makeTables(index, call, scratch, query, leaves);
}

/** Scan the leaves of the queries of a block, leaf by leaf in the order of memory. */
function scanBlock(index: ScannIndex, call: ScannCall, slot: i32, count: i32): void {
  // The histograms are not used before the scan has ended.
  const positions = scratchOf(call, slot) + call.areaHistogram;
  memory.fill(positions, 0, <usize>count << 2);
  for (;;) {
    let leaf = NO_LEAF;
    for (let q = 0; q < count; q++) leaf = min(leaf, leafAt(call, scratchOf(call, slot + q), positions, q));
    if (leaf == NO_LEAF) return;
    for (let q = 0; q < count; q++) {
      const scratch = scratchOf(call, slot + q);
      if (leafAt(call, scratch, positions, q) != leaf) continue;
      const at = load<i32>(positions + (<usize>q << 2));
      scanLeaves(index, call, scratch, call.filter, at, at + 1);
      store<i32>(positions + (<usize>q << 2), at + 1);
    }
  }
}

/** The next leaf of query q of a block. */
// @ts-ignore: decorator
@inline function leafAt(call: ScannCall, scratch: usize, positions: usize, q: i32): i32 {
  const at = load<i32>(positions + (<usize>q << 2));
  if (at >= stateOf(call, scratch).leaves) return NO_LEAF;
  return rowOfKey(load<u64>(scratch + call.areaKeys + (<usize>at << 3)));
}
