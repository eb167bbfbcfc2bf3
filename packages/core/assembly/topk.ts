// The k largest scores of a query, kept in a buffer while panels of candidates are scored.
// Order everywhere: score descending, ties by row ascending; scores are made finite (keys.ts). An entry is one 64-bit key whose unsigned
// order is that order, so the kept set does not depend on how rows were split over tiles, calls or threads.
// Letters: d dimensions, n candidates, k results. Readable forms: src/kernels/reference/topk.ts.
//
// Buffer: count i32 · bound f32 · capacity i32 · k i32 · keys u64[capacity]. bound is the least score still accepted:
// −∞ until the buffer was full once, then the next float above the k-th best score. Rows must be offered in ascending
// order to one buffer, so that a later row never displaces an equal score. capacity > k.
import { finiteScore, keyOf, rowOf, scoreOf, selectKeys, sortKeys } from './keys';
import { distancePanels, scorePanels } from './matmul';
import { SearchPanels } from './records.generated';

/** Rows in a panel (matmul.ts). */
const PANEL: i32 = 8;
/** Rows in a chunk of candidates: the unit of work of one query. 1 MiB at 32 dimensions, 25 µs of scanning. */
const CHUNK_ROWS: i32 = 8192;
/** Queries that are scored while a chunk is in the cache: enough that memory bandwidth is not the limit. */
const QUERY_BLOCK: i32 = 64;
/**
 * The most bytes of panels that are scored before their scores are offered: with scores and queries they fit a 48 KiB
 * L1 cache.
 */
const TILE_BYTES: i32 = 32768;

const HEAD_BYTES: usize = 16;

/** The least float above a score that is not NaN; for +∞ it is NaN, with which no score is accepted. */
// @ts-ignore: decorator
@inline function nextAbove(score: f32): f32 {
  const bits = reinterpret<i32>(score);
  return reinterpret<f32>(bits < 0 ? bits - 1 : bits + 1);
}

/** Keep the k best of a full buffer and raise its bound. */
function compact(buffer: usize): void {
  const k = load<i32>(buffer, 12);
  selectKeys(buffer + HEAD_BYTES, 0, load<i32>(buffer) - 1, k - 1);
  store<i32>(buffer, k);
  store<f32>(buffer, nextAbove(scoreOf(load<u64>(buffer + HEAD_BYTES + (<usize>(k - 1) << 3)))), 4);
}

/** Offer the scores whose bit is set: scores[i] belongs to row + i. */
function push(buffer: usize, scores: usize, bits: i32, row: i32): void {
  const capacity = load<i32>(buffer, 8);
  let count = load<i32>(buffer);
  let bound = load<f32>(buffer, 4);
  while (bits != 0) {
    const i = ctz(bits);
    bits &= bits - 1;
    const score = finiteScore(load<f32>(scores + (<usize>i << 2)));
    if (score >= bound) {
      store<u64>(buffer + HEAD_BYTES + (<usize>count << 3), keyOf(score, row + i));
      if (++count == capacity) {
        store<i32>(buffer, count);
        compact(buffer);
        count = load<i32>(buffer);
        bound = load<f32>(buffer, 4);
      }
    }
  }
  store<i32>(buffer, count);
}

/** Make `count` buffers at distance strideBytes empty. */
export function resetBuffers(buffers: usize, count: i32, strideBytes: i32, k: i32, capacity: i32): void {
  assert(k > 0 && capacity > k && strideBytes >= 16 + 8 * capacity, 'resetBuffers: k, capacity, strideBytes');
  for (let i = 0; i < count; i++) {
    store<i32>(buffers, 0);
    store<f32>(buffers, -Infinity, 4);
    store<i32>(buffers, capacity, 8);
    store<i32>(buffers, k, 12);
    buffers += <usize>strideBytes;
  }
}

/**
 * Offer scores[0 … 8 · panels) of the rows from `row`, a multiple of 8, to a buffer; the last panel holds a row before
 * rowEnd. Rows from rowEnd on, and rows whose bit in mask (bit r of the bit string; 0 = no mask) is 0, are skipped.
 * Entries have the row number row + rowShift.
 */
export function offerPanels(
  buffer: usize, scores: usize, panels: i32, row: i32, rowEnd: i32, rowShift: i32, mask: usize,
): void {
  assert((row & 7) == 0, 'offerPanels: row');
  let bound = v128.load32_splat(buffer, 4);
  const last = scores + (<usize>panels << 5);
  for (; scores < last; scores += 32) {
    const low = f32x4.lt(v128.load(scores), bound);
    const high = f32x4.lt(v128.load(scores, 16), bound);
    // Scores that are not below the bound are offered; that includes NaN.
    if (!i32x4.all_true(v128.and(low, high))) {
      let bits = (i32x4.bitmask(low) | (i32x4.bitmask(high) << 4)) ^ 255;
      if (row + PANEL > rowEnd) bits &= (1 << (rowEnd - row)) - 1;
      if (mask != 0) bits &= <i32>load<u8>(mask + (<usize>row >> 3));
      push(buffer, scores, bits, row + rowShift);
      bound = v128.load32_splat(buffer, 4);
    }
    row += PANEL;
  }
}

/** Panels in a tile of searchPanels; scratch of a slot is 4 rows of that many panels: at most 4 · 32 bytes each. */
// @ts-ignore: decorator
@inline function tilePanels(d: i32): i32 {
  return max(1, min(CHUNK_ROWS / PANEL, TILE_BYTES / (d << 5)));
}

/**
 * Score queries [queryCount, d] against n candidates and keep the best of each query.
 * chunks: u32 offsets of chunkCount chunks, each CHUNK_ROWS rows packed in panels (the last may be shorter).
 * squared: the score is −Σ (q − x)², else Σ q·x.
 * mask: bit words of query 0, at distance maskStride bytes (0: one mask for all queries); 0 = none.
 * Buffer of query b on a thread: buffers + slot · slotStride + b · bufferStride.
 * Work items: (block of QUERY_BLOCK queries, run of chunksPerItem chunks), blocks outermost.
 * slotStride may be 0 where an item covers all chunks.
 */
export function searchPanels(begin: i32, end: i32, slot: i32, call: SearchPanels): void {
  const queries = call.queries, queryCount = call.queryCount, d = call.d, chunks = call.chunks;
  const chunkCount = call.chunkCount, chunksPerItem = call.chunksPerItem, n = call.n, rowShift = call.rowShift;
  const mask = call.mask, maskStride = call.maskStride, scratch = call.scratch, scratchStride = call.scratchStride;
  const buffers = call.buffers, bufferStride = call.bufferStride, slotStride = call.slotStride;
  const rowBytes = <usize>d << 2, panelBytes = <usize>d << 5, squared = call.squared != 0;
  const tile = tilePanels(d);
  const runs = (chunkCount + chunksPerItem - 1) / chunksPerItem;
  const scores = scratch + <usize>slot * <usize>scratchStride;
  const own = buffers + <usize>slot * <usize>slotStride;
  for (let item = begin; item < end; item++) {
    const queryBegin = (item / runs) * QUERY_BLOCK;
    const queryEnd = min(queryBegin + QUERY_BLOCK, queryCount);
    const chunkBegin = (item % runs) * chunksPerItem;
    const chunkEnd = min(chunkBegin + chunksPerItem, chunkCount);
    for (let chunk = chunkBegin; chunk < chunkEnd; chunk++) {
      const packed = <usize>load<u32>(chunks + (<usize>chunk << 2));
      const firstRow = chunk * CHUNK_ROWS;
      const panels = (min(CHUNK_ROWS, n - firstRow) + PANEL - 1) / PANEL;
      for (let p = 0; p < panels; p += tile) {
        const pEnd = min(p + tile, panels);
        for (let q = queryBegin; q < queryEnd; q += 4) {
          const qEnd = min(q + 4, queryEnd);
          const from = queries + <usize>q * rowBytes, first = packed + <usize>p * panelBytes;
          if (squared) distancePanels(from, qEnd - q, d, first, pEnd - p, scores, tile * PANEL);
          else scorePanels(from, qEnd - q, d, first, pEnd - p, scores, tile * PANEL);
          for (let r = q; r < qEnd; r++) {
            offerPanels(
              own + <usize>r * <usize>bufferStride, scores + (<usize>((r - q) * tile) << 5), pEnd - p,
              firstRow + p * PANEL, n, rowShift, mask != 0 ? mask + <usize>r * <usize>maskStride : 0,
            );
          }
        }
      }
    }
  }
}

/**
 * Merge the buffers of all slots, sort, and write the results: scores f32 and rows i32 [queries, k], counts i32.
 * Entries past a query's count are score 0, row −1. Work items: queries.
 */
export function finishBuffers(
  begin: i32, end: i32, slot: i32, buffers: usize, bufferStride: i32, slotStride: i32, slots: i32, k: i32,
  scores: usize, rows: usize, counts: usize,
): void {
  for (let q = begin; q < end; q++) {
    const buffer = buffers + <usize>q * <usize>bufferStride;
    const keys = buffer + HEAD_BYTES;
    const capacity = load<i32>(buffer, 8);
    for (let s = 1; s < slots; s++) {
      const other = buffer + <usize>s * <usize>slotStride;
      const otherCount = load<i32>(other);
      for (let i = 0; i < otherCount; i++) {
        const count = load<i32>(buffer);
        store<u64>(keys + (<usize>count << 3), load<u64>(other + HEAD_BYTES + (<usize>i << 3)));
        store<i32>(buffer, count + 1);
        if (count + 1 == capacity) compact(buffer);
      }
    }
    if (load<i32>(buffer) > k) compact(buffer);
    const count = load<i32>(buffer);
    sortKeys(keys, 0, count - 1);
    const first = <usize>(q * k) << 2;
    for (let i = 0; i < count; i++) {
      const key = load<u64>(keys + (<usize>i << 3));
      store<f32>(scores + first + (<usize>i << 2), scoreOf(key));
      store<i32>(rows + first + (<usize>i << 2), rowOf(key));
    }
    for (let i = count; i < k; i++) {
      store<f32>(scores + first + (<usize>i << 2), 0);
      store<i32>(rows + first + (<usize>i << 2), -1);
    }
    store<i32>(counts + (<usize>q << 2), count);
  }
}
