// The scan of the chosen leaves of a ScaNN index and the choice of the points to reorder. Letters: R candidates wanted,
// k results; a group is 32 points of one leaf. The scan has no running threshold. It stores all scores as int16 with
// the maxima of their lanes; a histogram of the maxima then gives a bound that slightly more than R points exceed. This
// mispredicts fewer branches than keeping the best points during the scan. Readable forms:
// src/kernels/reference/scann.ts.
import { rowOf as rowOfKey, scoreOf, selectKeys } from './keys';
import { groupBits, MASKED, scoreGroup } from './lut16';
import { ScannCall, ScannIndex, ScannState } from './records.generated';

/** Bins of the first histogram of point scores. */
const COARSE_BINS: i32 = 256;
/**
 * Lane maxima counted per wanted candidate. With more, fewer points pass the bound, but counting takes longer (GloVe: 4
 * and 6 are equally fast, 16 takes 10 % more).
 */
const MAXIMA_PER_CANDIDATE: i32 = 4;

// The state of the scan: one instance of this module per thread, one query at a time.
let scanned: i32 = 0;
/** The sum of the early reads, which is stored so that the compiler does not remove them. */
export let touched: i32 = 0;
let theta: i32 = 0;
let bestCount: i32 = 0;
let bestCapacity: i32 = 0;
let bestWanted: i32 = 0;

/** Score one group and keep it for the choice of candidates. */
// @ts-ignore: decorator
@inline function scanGroup(
  group: i32, codes: usize, groupBytes: usize, tables: usize, blocks: i32, corrections: i32, shift: i32, base: v128,
  valid: usize, filter: usize, ids: usize, maxima: usize, scores: usize,
): v128 {
  let word = load<i32>(valid + (<usize>group << 2));
  if (filter != 0) word &= load<i32>(filter + (<usize>group << 2));
  if (word == 0) return i16x8.splat(<i16>MASKED);
  const at = <usize>scanned;
  const lanes = scoreGroup(codes + <usize>group * groupBytes, tables, blocks, corrections, shift, base, word, scores + (at << 6));
  v128.store(maxima + (at << 4), lanes);
  store<i32>(ids + (at << 2), group);
  scanned++;
  return lanes;
}

/** Offer the scores of the last group to the best `boundRank`, whose least score is the threshold of the bounds of groups. */
function raiseTheta(best: usize, scores: usize): void {
  let bits = groupBits(scores, i16x8.splat(<i16>theta));
  while (bits != 0) {
    const i = ctz(bits);
    bits &= bits - 1;
    const score = <i32>load<i16>(scores + (<usize>i << 1));
    if (score <= theta) continue;
    store<u64>(best + (<usize>bestCount << 3), <u64>(score - MASKED));
    bestCount++;
    if (bestCount == bestCapacity) {
      selectKeys(best, 0, bestCount - 1, bestWanted - 1);
      bestCount = bestWanted;
      theta = <i32>load<u64>(best + (<usize>(bestWanted - 1) << 3)) + MASKED;
    }
  }
}

/** True if groups are skipped by their bounds. */
export function isPruned(call: ScannCall): bool {
  return call.pruneBeta > 0;
}

/**
 * Scan the chosen leaves [first, last), and go on from the state of the query. If beta is not 0, groups that cannot hold
 * one of the best `boundRank` are skipped.
 */
export function scanLeaves(
  index: ScannIndex, call: ScannCall, scratch: usize, filter: usize, first: i32, last: i32,
): void {
  const state = changetype<ScannState>(scratch + call.areaState);
  const top = state.top, scale = state.scale, minima = state.least, queryNorm = state.queryNorm;
  const keys = scratch + call.areaKeys;
  const tables = scratch + call.areaTables;
  const ids = scratch + call.areaGroupIds;
  const maxima = scratch + call.areaGroupMaxima;
  const scores = scratch + call.areaGroupScores;
  const best = scratch + call.areaBest;
  const codes = index.codes;
  const valid = index.valid;
  const allBlocks = index.productBlocks + index.correctionBlocks;
  const groupBytes = <usize>allBlocks << 4;
  const shift = state.correctionShift;
  // Without a shift, corrections are added like product blocks.
  const blocks = shift == 0 ? allBlocks : index.productBlocks;
  const corrections = allBlocks - blocks;
  const leafGroups = index.leafGroups;
  const extra = index.leafExtra;
  const nextGroup = index.nextGroup;
  const inverseNorms = index.leafInverseNorm;
  const leafBounds = index.leafBounds;
  const bounds = index.bounds;
  const beta = call.pruneBeta;
  const skips = isPruned(call);
  scanned = state.scanned;
  theta = state.theta;
  bestCount = state.bestCount;
  bestWanted = call.boundRank;
  bestCapacity = max(2 * bestWanted, bestWanted + 16);
  // All leaves of the query in this memory are read ahead before the first run of them, so that the reads overlap.
  if (skips && first == 0) {
    for (let i = 0, all = state.leaves; i < all; i++) {
      const leaf = <usize>rowOfKey(load<u64>(keys + (<usize>i << 3))) << 2;
      const group = <usize>load<i32>(leafGroups + leaf);
      touched += load<i32>(bounds + (<usize>load<i32>(leafBounds + leaf) << 5)) + load<i32>(valid + (group << 2));
      for (let at: usize = 0; at < groupBytes; at += 64) touched += load<i32>(codes + group * groupBytes + at);
    }
  }
  for (let i = first; i < last; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    const leaf = <usize>rowOfKey(key) << 2;
    const shifted = (scoreOf(key) - top) * scale;
    const base = i16x8.splat(<i16>max<f32>(nearest(shifted), -32767));
    let group = load<i32>(leafGroups + leaf);
    const end = load<i32>(leafGroups + leaf, 4);
    if (skips) {
      const cosine = scoreOf(key) * load<f32>(inverseNorms + leaf);
      const u = f32x4.splat(cosine * scale);
      const w = f32x4.splat(beta * sqrt(max<f32>(0, queryNorm * queryNorm - cosine * cosine)) * scale);
      const start = f32x4.splat(shifted - minima * scale);
      let quad = bounds + (<usize>load<i32>(leafBounds + leaf) << 5);
      for (; group < end; group += 4) {
        const bound = f32x4.add(f32x4.add(start, f32x4.mul(u, v128.load(quad))), f32x4.mul(w, v128.load(quad, 16)));
        quad += 32;
        let bits = i32x4.bitmask(f32x4.gt(bound, f32x4.splat(<f32>theta)));
        if (bits == 0) break;
        if (group + 4 > end) bits &= (1 << (end - group)) - 1;
        while (bits != 0) {
          const lanes = scanGroup(
            group + ctz(bits), codes, groupBytes, tables, blocks, corrections, shift, base, valid, filter, ids, maxima, scores,
          );
          bits &= bits - 1;
          if (v128.any_true(i16x8.gt_s(lanes, i16x8.splat(<i16>theta)))) {
            raiseTheta(best, scores + (<usize>(scanned - 1) << 6));
          }
        }
      }
    } else {
      for (; group < end; group++) {
        scanGroup(group, codes, groupBytes, tables, blocks, corrections, shift, base, valid, filter, ids, maxima, scores);
      }
    }
    if (extra != 0) {
      for (group = load<i32>(extra + leaf); group >= 0; group = load<i32>(nextGroup + (<usize>group << 2))) {
        scanGroup(group, codes, groupBytes, tables, blocks, corrections, shift, base, valid, filter, ids, maxima, scores);
      }
    }
  }
  state.scanned = scanned;
  state.theta = theta;
  state.bestCount = bestCount;
}

/**
 * A score that at least `wanted` scanned points exceed, or MASKED. It comes from a histogram of lane maxima over runs
 * of groups.
 */
function coarseBound(call: ScannCall, scratch: usize, wanted: i32): i32 {
  const maxima = scratch + call.areaGroupMaxima;
  const histogram = scratch + call.areaHistogram;
  const runs = maxima + (<usize>scanned << 4);
  if (<i64>wanted >= <i64>scanned * 8) return MASKED;
  const run = max(1, scanned * 8 / (MAXIMA_PER_CANDIDATE * wanted));
  let high = i16x8.splat(<i16>MASKED), low = i16x8.splat(32767);
  let last = runs;
  for (let at = 0; at < scanned; at += run) {
    const end = min(at + run, scanned);
    let lanes = v128.load(maxima + (<usize>at << 4));
    for (let i = at + 1; i < end; i++) lanes = i16x8.max_s(lanes, v128.load(maxima + (<usize>i << 4)));
    high = i16x8.max_s(high, lanes);
    low = i16x8.min_s(low, lanes);
    v128.store(last, lanes);
    last += 16;
  }
  const most = largest(high), least = -largest(i16x8.sub(i16x8.splat(-1), low)) - 1;
  let shift = 0;
  while ((most - least) >> shift >= COARSE_BINS) shift++;
  // Each bin has four counters, one for each lane modulo 4, because successive increments of the same counter would
  // wait for each other.
  for (let at: usize = 0; at < <usize>COARSE_BINS << 4; at += 16) v128.store(histogram + at, i32x4.splat(0));
  const from = i16x8.splat(<i16>most);
  for (let at = runs; at < last; at += 16) {
    const bins = i16x8.shr_u(i16x8.sub(from, v128.load(at)), shift);
    count(histogram, i16x8.extract_lane_u(bins, 0) << 2); count(histogram, (i16x8.extract_lane_u(bins, 1) << 2) | 1);
    count(histogram, (i16x8.extract_lane_u(bins, 2) << 2) | 2); count(histogram, (i16x8.extract_lane_u(bins, 3) << 2) | 3);
    count(histogram, i16x8.extract_lane_u(bins, 4) << 2); count(histogram, (i16x8.extract_lane_u(bins, 5) << 2) | 1);
    count(histogram, (i16x8.extract_lane_u(bins, 6) << 2) | 2); count(histogram, (i16x8.extract_lane_u(bins, 7) << 2) | 3);
  }
  let sum = 0, bin = 0;
  for (; bin < COARSE_BINS; bin++) {
    const four = v128.load(histogram + (<usize>bin << 4));
    sum += i32x4.extract_lane(four, 0) + i32x4.extract_lane(four, 1) + i32x4.extract_lane(four, 2) + i32x4.extract_lane(four, 3);
    if (sum >= wanted) break;
  }
  return max(MASKED, most - ((bin + 1) << shift));
}

// @ts-ignore: decorator
@inline function count(histogram: usize, bin: i32): void {
  const at = histogram + (<usize>bin << 2);
  store<i32>(at, load<i32>(at) + 1);
}

/** The largest of eight int16. */
function largest(v: v128): i32 {
  let a = i16x8.max_s(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  a = i16x8.max_s(a, i8x16.shuffle(a, a, 4, 5, 6, 7, 0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15));
  return max<i32>(i16x8.extract_lane_s(a, 0), i16x8.extract_lane_s(a, 1));
}

/**
 * Write slots and scores of the `wanted` best scanned points with a score above `floor` in the order of the scan; ties go
 * to the earlier point. Returns their number.
 */
export function chooseCandidates(call: ScannCall, scratch: usize, wanted: i32, floor: i32): i32 {
  scanned = changetype<ScannState>(scratch + call.areaState).scanned;
  const ids = scratch + call.areaGroupIds;
  const maxima = scratch + call.areaGroupMaxima;
  const scores = scratch + call.areaGroupScores;
  const slots = scratch + call.areaSlots;
  const slotScores = scratch + call.areaSlotScores;
  const histogram = scratch + call.areaHistogram;
  const bound = max(floor, coarseBound(call, scratch, wanted));
  const above = i16x8.splat(<i16>bound);
  // Groups are selected first, then points. Both lists grow by an addition and not by a branch, which would often be
  // mispredicted.
  const listed = maxima + (<usize>scanned << 4);
  let hits = 0;
  for (let at = 0; at < scanned; at++) {
    store<i32>(listed + (<usize>hits << 2), at);
    hits += <i32>v128.any_true(i16x8.gt_s(v128.load(maxima + (<usize>at << 4)), above));
  }
  let found = 0, most = MASKED, lowest = 32767;
  for (let hit = 0; hit < hits; hit++) {
    const at = <usize>load<i32>(listed + (<usize>hit << 2));
    const from = scores + (at << 6);
    let bits = groupBits(from, above);
    const first = load<i32>(ids + (at << 2)) << 5;
    do {
      const i = ctz(bits);
      bits &= bits - 1;
      const score = <i32>load<i16>(from + (<usize>i << 1));
      store<i32>(slots + (<usize>found << 2), first + i);
      store<i32>(slotScores + (<usize>found << 2), score);
      most = max(most, score);
      lowest = min(lowest, score);
      found++;
    } while (bits != 0);
  }
  if (found <= wanted) return found;
  // The exact cut uses one bin per score, and takes ties in the order of the scan.
  memory.fill(histogram, 0, <usize>(most - lowest + 1) << 2);
  for (let i = 0; i < found; i++) count(histogram, most - load<i32>(slotScores + (<usize>i << 2)));
  let cut = 0, room = wanted;
  for (;; cut++) {
    const here = load<i32>(histogram + (<usize>cut << 2));
    if (here >= room) break;
    room -= here;
  }
  const least = most - cut;
  let kept = 0;
  for (let i = 0; i < found; i++) {
    const score = load<i32>(slotScores + (<usize>i << 2));
    store<i32>(slots + (<usize>kept << 2), load<i32>(slots + (<usize>i << 2)));
    store<i32>(slotScores + (<usize>kept << 2), score);
    const isTie = (score == least ? 1 : 0) & (room > 0 ? 1 : 0);
    room -= isTie;
    kept += (score > least ? 1 : 0) | isTie;
  }
  return kept;
}
