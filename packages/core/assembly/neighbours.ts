// Rows compared with some of the centroids only. Letters: k centroids, d dimensions. A list has row numbers and the centroids
// with which these are compared. Readable forms: src/kernels/reference/neighbours.ts.
import { nearestOfPanels } from './assign';
import { rowOf, selectKeys } from './keys';
import { distancePanels, packPanels } from './matmul';
import { offerPanels, resetBuffers } from './topk';
import { AssignListed, NearestListed } from './records.generated';

/** Centroids in a panel (matmul.ts). */
const PANEL: i32 = 8;
/** Rows that are gathered at a time: with 64 listed centroids of 8 dimensions they fit the first cache. */
const BLOCK_ROWS: i32 = 64;

/** Copy the rows of d floats that are numbered in `order`. */
// @ts-ignore: decorator
@inline function gather(to: usize, rows: usize, bytes: usize, order: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const from = rows + <usize>load<i32>(order + (<usize>i << 2)) * bytes;
    for (let t: usize = 0; t < bytes; t += 4) store<f32>(to + t, load<f32>(from + t));
    to += bytes;
  }
}

/**
 * For the rows x of each list, among its centroids: labels[x] = argmax_c ⟨x, c⟩ − |c|²/2, ties to the lower number,
 * and scores[x] the maximum, with the bits of nearestOfPanels.
 * Scratch of a slot: gathered and packed centroids, their halfSquares, gathered rows, their labels and scores.
 * Work items: lists.
 */
export function assignListed(begin: i32, end: i32, slot: i32, call: AssignListed): void {
  const rows = call.rows, d = call.d, rowBegin = call.rowBegin, order = call.order, listBegin = call.listBegin;
  const listed = call.listed, centroids = call.centroids, halfSquares = call.halfSquares;
  const labels = call.labels, scores = call.scores;
  const bytes = <usize>d << 2, padded = <usize>((call.listMax + PANEL - 1) & ~(PANEL - 1));
  const gathered = call.scratch + <usize>slot * call.scratchStride;
  const packed = gathered + padded * bytes;
  const halves = packed + padded * bytes;
  const block = halves + (padded << 2);
  const blockLabels = block + <usize>BLOCK_ROWS * bytes;
  const blockScores = blockLabels + (<usize>BLOCK_ROWS << 2);
  for (let l = <usize>begin; l < <usize>end; l++) {
    const last = load<i32>(rowBegin + (l << 2), 4);
    let first = load<i32>(rowBegin + (l << 2));
    if (first == last) continue;
    const list = listed + (<usize>load<i32>(listBegin + (l << 2)) << 2);
    const count = load<i32>(listBegin + (l << 2), 4) - load<i32>(listBegin + (l << 2));
    const panels = (count + PANEL - 1) / PANEL;
    gather(gathered, centroids, bytes, list, count);
    packPanels(0, panels, slot, gathered, count, d, packed);
    for (let i = 0; i < panels * PANEL; i++) {
      const half = i < count ? load<f32>(halfSquares + (<usize>load<i32>(list + (<usize>i << 2)) << 2)) : <f32>Infinity;
      store<f32>(halves + (<usize>i << 2), half);
    }
    for (; first < last; first += BLOCK_ROWS) {
      const n = min(BLOCK_ROWS, last - first);
      const numbers = order + (<usize>first << 2);
      gather(block, rows, bytes, numbers, n);
      nearestOfPanels(0, (n + 3) >> 2, slot, block, n, d, packed, halves, panels, blockLabels, blockScores);
      for (let i: usize = 0; i < <usize>n << 2; i += 4) {
        const row = <usize>load<i32>(numbers + i) << 2;
        store<i32>(labels + row, load<i32>(list + (<usize>load<i32>(blockLabels + i) << 2)));
        store<f32>(scores + row, load<f32>(blockScores + i));
      }
    }
  }
}

/**
 * nearest[c] = the m centroids of the list of c's group that are nearest to c, ascending by number; of equally near ones
 * those that come first in the list. Lists have at least m centroids, ascending.
 * Scratch of a slot: gathered and packed centroids, four gathered centroids, their distances, a buffer (topk.ts).
 * Work items: groups.
 */
export function nearestListed(begin: i32, end: i32, slot: i32, call: NearestListed): void {
  const centroids = call.centroids, d = call.d, groupBegin = call.groupBegin, order = call.order;
  const listBegin = call.listBegin, listed = call.listed, m = call.m, nearest = call.nearest;
  const bytes = <usize>d << 2, padded = <usize>((call.listMax + PANEL - 1) & ~(PANEL - 1));
  const gathered = call.scratch + <usize>slot * call.scratchStride;
  const packed = gathered + padded * bytes;
  const four = packed + padded * bytes;
  const distances = four + (bytes << 2);
  const buffer = distances + (padded << 4);
  const keys = buffer + 16;
  for (let g = <usize>begin; g < <usize>end; g++) {
    const last = load<i32>(groupBegin + (g << 2), 4);
    let first = load<i32>(groupBegin + (g << 2));
    if (first == last) continue;
    const list = listed + (<usize>load<i32>(listBegin + (g << 2)) << 2);
    const count = load<i32>(listBegin + (g << 2), 4) - load<i32>(listBegin + (g << 2));
    const panels = (count + PANEL - 1) / PANEL;
    gather(gathered, centroids, bytes, list, count);
    packPanels(0, panels, slot, gathered, count, d, packed);
    for (; first < last; first += 4) {
      const n = min(4, last - first);
      const numbers = order + (<usize>first << 2);
      gather(four, centroids, bytes, numbers, n);
      distancePanels(four, n, d, packed, panels, distances, panels * PANEL);
      for (let i = 0; i < n; i++) {
        resetBuffers(buffer, 1, 16 + 16 * m, m, 2 * m);
        offerPanels(buffer, distances + (<usize>(i * panels) << 5), panels, 0, count, 0, 0);
        const held = load<i32>(buffer);
        if (held > m) selectKeys(keys, 0, held - 1, m - 1);
        const out = nearest + (<usize>(load<i32>(numbers + (<usize>i << 2)) * m) << 2);
        for (let j: usize = 0; j < <usize>m; j++) {
          const number = load<i32>(list + (<usize>rowOf(load<u64>(keys + (j << 3))) << 2));
          let to = out + (j << 2);
          for (; to > out && load<i32>(to - 4) > number; to -= 4) store<i32>(to, load<i32>(to - 4));
          store<i32>(to, number);
        }
      }
    }
  }
}
