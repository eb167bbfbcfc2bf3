/**
 * Readable forms of the search kernels (packages/core/assembly/scann.ts and the files it imports). They make the same
 * choices in float32 in the same order, but sort where the compiled kernels use histograms. The phases of a search have
 * a file each: scann-leaves.ts, scann-tables.ts, scann-scan.ts and reorder.ts.
 */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { ScannKernels } from '../families/scann.ts';
import { finiteScore } from './finite-score.ts';
import { exactScore, storeRowsReference } from './reorder.ts';
import { byScore, GROUP, readCall, type ScannSearchCall, type Scored } from './scann-call.ts';
import { chooseLeaves, transformQuery } from './scann-leaves.ts';
import { chooseCandidates, scanLeaves } from './scann-scan.ts';
import { lookupTables } from './scann-tables.ts';

const { fround, min } = Math;

/** The search kernels over `memory`. */
export function scannReference(memory: LinearMemory): ScannKernels {
  return {
    searchScann(begin, end, _slot, index, call) {
      const search = readCall(memory, index, call);
      for (let item = begin; item < end; item++) searchOne(search, item);
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
    ...storeRowsReference(memory),
  };
}

/** Search leaves for one query. */
function searchOne(search: ScannSearchCall, item: number): void {
  const { index, call } = search;
  const original = call.queries + 4 * item * index.stride;
  const query = transformQuery(search, original);
  const { leaves, centroids } = chooseLeaves(search, query);
  const tables = lookupTables(search, query, leaves);
  const { points, groups } = scanLeaves(search, query, leaves, tables, allowedBits(search, item));
  const unscale = tables.scale > 0 ? fround(1 / tables.scale) : 0;
  const offset = fround(tables.top + tables.least);
  const keys = chooseCandidates(points, call.reorder).map(({ row, score }) => ({
    row,
    score: finiteScore(
      call.reorderExactly ? exactScore(search, original, row) : fround(offset + fround(score * unscale)),
    ),
  }));
  writeResults(search, item, keys);
  count(search, item, [centroids, leaves.length, groups * GROUP, keys.length]);
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
  count(search, item, [0, 0, 0, keys.length]);
}

/** The bits of each group that a query may return. */
function allowedBits({ call, integer }: ScannSearchCall, item: number): (group: number) => number {
  const { filter, exclusionBegin, exclusions } = call;
  const excluded = new Map<number, number>();
  if (exclusionBegin) {
    for (let e = integer(exclusionBegin, item); e < integer(exclusionBegin, item + 1); e++) {
      const slot = integer(exclusions, e);
      excluded.set(slot >> 5, (excluded.get(slot >> 5) ?? 0) | (1 << (slot & 31)));
    }
  }
  return (group) => (filter ? integer(filter, group) : -1) & ~(excluded.get(group) ?? 0);
}

/** Write the k best of keys (score, slot) as scores and rows; each row is written only once. */
function writeResults({ memory, index, call, integer }: ScannSearchCall, item: number, keys: readonly Scored[]): void {
  const { results: k, scoresOut, rowsOut, countsOut } = call;
  const wanted = keys.toSorted((a, b) => b.score - a.score)[min(k * index.copies, keys.length) - 1]?.score ?? 0;
  const best = keys
    .filter(({ score }) => score >= wanted)
    .map(({ score, row }) => ({ score, row: integer(index.rowOf, row) }))
    .sort(byScore);
  const distinct = best.filter(({ row }, at) => best.findIndex((other) => other.row === row) === at).slice(0, k);
  distinct.forEach(({ score, row }, at) => {
    memory.floats[scoresOut / 4 + item * k + at] = score;
    memory.integers[rowsOut / 4 + item * k + at] = row;
  });
  memory.integers[countsOut / 4 + item] = distinct.length;
}

/** Centroids, leaves, codes and reordered candidates of a query. */
function count({ memory, call }: ScannSearchCall, item: number, work: readonly number[]): void {
  if (call.countersOut) memory.integers.set(work, call.countersOut / 4 + 4 * item);
}
