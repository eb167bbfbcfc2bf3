// The search of a ScaNN index for one query in one call: scores centroids, chooses leaves, makes look-up tables, scans
// codes, takes the R best by approximate score, scores them exactly, and returns the k best (scann-phases.ts). Letters: d
// dimensions, L leaves, M blocks, R candidates reordered, k results. Readable forms: src/kernels/reference/scann.ts.
import { MASKED } from './lut16';
import { exactKeys } from './reorder';
import { ScannCall, ScannIndex } from './records.generated';
import { closeMask, openMask, planOne, reorderOne, scratchOf, writeResults } from './scann-phases';
import { chooseCandidates, scanLeaves } from './scann-scan';

/** Search for query `item`: fills its row of results. */
function searchOne(index: ScannIndex, call: ScannCall, slot: i32, item: i32): void {
  const scratch = scratchOf(call, slot);
  const leaves = planOne(index, call, scratch, item);
  const filter = openMask(index, call, slot, item);
  scanLeaves(index, call, scratch, filter, 0, leaves);
  closeMask(call, filter, item);
  reorderOne(index, call, scratch, item, chooseCandidates(call, scratch, call.reorder, MASKED));
}

/**
 * Score queries [begin, end) of the call exactly against its list of slots, without leaves; slots whose bit in `valid`
 * or in the query's mask is 0 are skipped. Work items: queries; each thread has its own scratch.
 */
export function searchSlots(begin: i32, end: i32, slot: i32, index: ScannIndex, call: ScannCall): void {
  const scratch = scratchOf(call, slot);
  const keys = scratch + call.areaKeys;
  const allowed = scratch + call.areaSlots;
  const valid = index.valid;
  const listed = call.slots;
  const count = call.slotCount;
  const stride = index.stride;
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
      index.rowKind, index.squared != 0,
      call.queries + <usize>item * (<usize>stride << 2), stride, index.rows,
      index.rowScales, index.placeOf, allowed,
      found, keys,
    );
    writeResults(index, call, scratch, keys, found, item);
    const counters = call.countersOut;
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
export function searchScann(begin: i32, end: i32, slot: i32, index: ScannIndex, call: ScannCall): void {
  for (let item = begin; item < end; item++) searchOne(index, call, slot, item);
}
