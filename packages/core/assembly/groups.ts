// Rows compared with groups of centroids. Letters: n rows, d dimensions. The centroids of a group are in panels of 8 of their own.
// A pair is a row and one of its groups. Readable forms: src/kernels/reference/groups.ts.
import { assignNearest } from './assign';
import { rowOf, selectKeys } from './keys';
import { scorePanels } from './matmul';
import { offerPanels, resetBuffers } from './topk';
import { AssignGrouped, AssignNearest, NearestGroups } from './records.generated';

/** Centroids in a panel (matmul.ts). */
const PANEL: i32 = 8;
/** Rows that are gathered at a time (src/kernels/families/groups.ts). */
const BLOCK_ROWS: i32 = 64;
/** Room for the record of assignNearest, in whole cache lines (src/kernels/families/groups.ts). */
const RECORD_BYTES: usize = 64;

/** Copy the rows of d floats of `count` pairs. */
// @ts-ignore: decorator
@inline function gatherPairs(to: usize, rows: usize, bytes: usize, pairs: usize, count: i32, groupsPerRow: i32): void {
  for (let i = 0; i < count; i++) {
    const from = rows + <usize>(load<i32>(pairs + (<usize>i << 2)) / groupsPerRow) * bytes;
    for (let t: usize = 0; t < bytes; t += 4) store<f32>(to + t, load<f32>(from + t));
    to += bytes;
  }
}

/**
 * chosen[row] = the groups with the largest ⟨x, centre⟩ − |centre|²/2 of row x, in no order; of equal ones the first.
 * There are at least as many groups as are chosen.
 * Scratch of a slot: scores of four rows, a buffer (topk.ts). Work items: blocks of 4 rows.
 */
export function nearestGroups(begin: i32, end: i32, slot: i32, call: NearestGroups): void {
  const rows = call.rows, d = call.d, packed = call.packed, halfSquares = call.halfSquares, groups = call.groups;
  const nearest = call.nearest, chosen = call.chosen;
  const panels = (groups + PANEL - 1) / PANEL;
  const bytes = <usize>panels << 5;
  const scores = call.scratch + <usize>slot * call.scratchStride;
  const buffer = scores + 4 * bytes;
  const keys = buffer + 16;
  for (let item = begin; item < end; item++) {
    const first = item << 2;
    const n = min(4, call.n - first);
    scorePanels(rows + (<usize>(first * d) << 2), n, d, packed, panels, scores, panels * PANEL);
    for (let i = 0; i < n; i++) {
      const own = scores + <usize>i * bytes;
      for (let t: usize = 0; t < bytes; t += 16) {
        v128.store(own + t, f32x4.sub(v128.load(own + t), v128.load(halfSquares + t)));
      }
      resetBuffers(buffer, 1, 16 + 16 * nearest, nearest, 2 * nearest);
      offerPanels(buffer, own, panels, 0, groups, 0, 0);
      const held = load<i32>(buffer);
      if (held > nearest) selectKeys(keys, 0, held - 1, nearest - 1);
      const out = chosen + (<usize>((first + i) * nearest) << 2);
      for (let j: usize = 0; j < <usize>nearest; j++) store<i32>(out + (j << 2), rowOf(load<u64>(keys + (j << 3))));
    }
  }
}

/**
 * For the pairs of a row x and a group g: places[pair] = argmax of ⟨x, c⟩ − |c|²/2 over the centroids c of g, ties to the
 * first, and scores[pair] the maximum, with the bits of assignNearest.
 * Scratch of a slot: the record of assignNearest, gathered rows, their labels and scores, the scratch of assignNearest.
 * Work items: groups.
 */
export function assignGrouped(begin: i32, end: i32, slot: i32, call: AssignGrouped): void {
  const d = call.d, groupsPerRow = call.groupsPerRow, pairBegin = call.pairBegin, panelBegin = call.panelBegin;
  const places = call.places, scores = call.scores;
  const bytes = <usize>d << 2;
  const own = call.scratch + <usize>slot * call.scratchStride;
  const block = own + RECORD_BYTES;
  const blockLabels = block + <usize>BLOCK_ROWS * bytes;
  const blockScores = blockLabels + (<usize>BLOCK_ROWS << 2);
  const nearest = changetype<AssignNearest>(own);
  nearest.rows = block;
  nearest.d = d;
  nearest.unscale = call.unscale;
  nearest.limits = call.limits;
  nearest.labels = blockLabels;
  nearest.scores = blockScores;
  nearest.scratch = (blockScores + (<usize>BLOCK_ROWS << 2) + 63) & ~63;
  nearest.scratchStride = 0;
  for (let g = <usize>begin; g < <usize>end; g++) {
    const last = load<i32>(pairBegin + (g << 2), 4);
    const panel = load<i32>(panelBegin + (g << 2));
    nearest.panels = load<i32>(panelBegin + (g << 2), 4) - panel;
    nearest.packed = call.packed + <usize>panel * <usize>PANEL * bytes;
    nearest.halfSquares = call.halfSquares + (<usize>(panel * PANEL) << 2);
    nearest.packed16 = call.packed16 + <usize>panel * (<usize>((d + 1) >> 1) << 5);
    for (let first = load<i32>(pairBegin + (g << 2)); first < last; first += BLOCK_ROWS) {
      const n = min(BLOCK_ROWS, last - first);
      const numbers = call.pairs + (<usize>first << 2);
      gatherPairs(block, call.rows, bytes, numbers, n, groupsPerRow);
      nearest.n = n;
      assignNearest(0, (n + 3) >> 2, 0, nearest);
      for (let i: usize = 0; i < <usize>n << 2; i += 4) {
        const pair = <usize>load<i32>(numbers + i) << 2;
        store<i32>(places + pair, panel * PANEL + load<i32>(blockLabels + i));
        store<f32>(scores + pair, load<f32>(blockScores + i));
      }
    }
  }
}
