/**
 * Readable forms of the search kernels (packages/core/assembly/scann.ts and the files it imports). They make the same
 * choices in float32 in the same order, but sort where the compiled kernels use histograms. The phases of a search have
 * a file each: scann-leaves.ts, scann-tables.ts, scann-scan.ts and reorder.ts.
 */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { ScannKernels } from '../families/scann.ts';
import { finiteScore } from './finite-score.ts';
import { exactScore, storeRowsReference } from './reorder.ts';
import { allowedBits, byScore, GROUP, norm, readCall, type ScannSearchCall, type Scored } from './scann-call.ts';
import { chooseLeaves, transformQuery } from './scann-leaves.ts';
import { scannPhasesReference } from './scann-phases.ts';
import { writeResults, writeWork } from './scann-results.ts';
import { chooseCandidates, scanLeaves } from './scann-scan.ts';
import { lookupTables } from './scann-tables.ts';

const { fround } = Math;

/** The search kernels over `memory`. */
export function scannReference(memory: LinearMemory): ScannKernels {
  return {
    searchScann(begin, end, _slot, index, call) {
      const search = readCall(memory, index, call);
      for (let item = begin; item < end; item++) searchOne(search, item);
    },
    planBatch(begin, end, _slot, index, call) {
      const search = readCall(memory, index, call);
      for (let item = begin; item < end; item++) planOne(search, item);
    },
    searchBatch(begin, end, _slot, index, call) {
      const search = readCall(memory, index, call);
      for (let at = begin; at < end; at++) searchOne(search, search.integer(search.call.order, at));
    },
    searchSlots(begin, end, _slot, index, call) {
      const search = readCall(memory, index, call);
      for (let item = begin; item < end; item++) searchList(search, item);
    },
    maskGroups(begin, end, _slot, rowWords, rowOf, words) {
      const { integers } = memory;
      for (let group = begin; group < end; group++) {
        let word = 0;
        for (let p = 0; p < GROUP; p++) {
          const row = integers[rowOf / 4 + group * GROUP + p]!;
          if (row >= 0 && (integers[rowWords / 4 + (row >> 5)]! >>> (row & 31)) & 1) word |= 1 << p;
        }
        integers[words / 4 + group] = word;
      }
    },
    ...scannPhasesReference(memory),
    ...storeRowsReference(memory),
  };
}

/** Write the plan of a query of a batch; `searchOne` chooses its leaves again. */
function planOne(search: ScannSearchCall, item: number): void {
  const { call, index, memory } = search;
  const { leaves, centroids } = chooseLeaves(search, transformQuery(search, call.queries + 4 * item * index.stride));
  const nearest = leaves.toSorted(byScore)[0]?.row ?? 0;
  memory.integers.set([leaves.length, centroids, nearest], call.batchPlans / 4 + 3 * item);
}

/** Search leaves for one query. */
function searchOne(search: ScannSearchCall, item: number): void {
  const { index, call } = search;
  const original = call.queries + 4 * item * index.stride;
  const query = transformQuery(search, original);
  const { leaves, centroids } = chooseLeaves(search, query);
  const tables = lookupTables(search, query, leaves);
  const { points, groups } = scanLeaves(search, norm(query), leaves, tables, allowedBits(search, item));
  const unscale = tables.scale > 0 ? fround(1 / tables.scale) : 0;
  const offset = fround(tables.top + tables.least);
  const keys = chooseCandidates(points, call.reorder).map(({ row, score }) => ({
    row,
    score: finiteScore(
      call.reorderExactly ? exactScore(search, original, row) : fround(offset + fround(score * unscale)),
    ),
  }));
  writeResults(search, item, keys);
  writeWork(search, item, [centroids, leaves.length, groups * GROUP, keys.length]);
}

/** Score the listed slots for one query. */
function searchList(search: ScannSearchCall, item: number): void {
  const { index, call, integer } = search;
  const original = call.queries + 4 * item * index.stride;
  const allowed = allowedBits(search, item);
  const keys: Scored[] = [];
  for (let at = 0; at < call.slotCount; at++) {
    const row = call.slots ? integer(call.slots, at) : at;
    const word = integer(index.valid, row >> 5) & allowed(row >> 5);
    if ((word >>> (row & 31)) & 1) keys.push({ row, score: finiteScore(exactScore(search, original, row)) });
  }
  writeResults(search, item, keys);
  writeWork(search, item, [0, 0, 0, keys.length]);
}
