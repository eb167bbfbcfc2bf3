/**
 * Readable forms of the search kernels (packages/core/assembly/scann.ts and the files it imports): the same choices in
 * float32 in the same order, by sorting where the compiled ones use histograms.
 */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { ScannKernels } from '../families/scann.ts';
import { CALL, INDEX } from '../records.ts';
import { exactScore, storeRowsReference } from './reorder.ts';

const PANEL = 16;
const GROUP = 32;
const MASKED = -32_768;
const FACTOR = 0.95;
const { fround, sqrt, max, min } = Math;

interface Scored {
  score: number;
  row: number;
}

/** Round half to even, as the processor does. */
function nearest(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

const byScore = (a: Scored, b: Scored): number => b.score - a.score || a.row - b.row;

/** The search kernels over `memory`. */
export function scannReference(memory: LinearMemory): ScannKernels {
  const f = (offset: number, index = 0): number => memory.floats[offset / 4 + index]!;
  const i = (offset: number, index = 0): number => memory.integers[offset / 4 + index]!;
  const u = (offset: number): number => memory.integers[offset / 4]! >>> 0;

  const norm = (values: ArrayLike<number>): number => {
    let square = 0;
    for (let t = 0; t < values.length; t++) square = fround(square + fround(values[t]! * values[t]!));
    return fround(sqrt(square));
  };

  const transform = (index: number, query: number): Float32Array => {
    const stride = i(index, INDEX.stride);
    const d = i(index, INDEX.dimensions);
    const mean = u(index + 4 * INDEX.mean);
    const values = memory.floats.slice(query / 4, query / 4 + stride);
    for (let t = 0; mean && t < d; t++) values[t]! -= f(mean, t);
    const rotation = u(index + 4 * INDEX.rotation);
    if (!rotation) return values;
    return values.map((_, s) => {
      let sum = 0;
      for (let t = 0; t < d; t++) sum = fround(sum + fround(values[t]! * f(rotation, t * stride + s)));
      return sum;
    });
  };

  /** Scores of int16 centroids of panels: unscale · ⟨c16, q16⟩ + addend; −∞ past the last. */
  const scoreCentroids = (
    centroids: number,
    pairs: number,
    query: Float32Array,
    d: number,
    unscale: number,
    addend: number,
    panels: readonly number[],
  ): Scored[] => {
    const length = norm(query.subarray(0, d));
    const scale = length > 0 ? fround(32_000 / length) : 0;
    const factor = fround(fround(unscale) * (length > 0 ? fround(length / 32_000) : 0));
    const int16 = new Int16Array(memory.memory.buffer);
    return panels.flatMap((panel) =>
      Array.from({ length: PANEL }, (_, lane) => {
        let sum = 0;
        for (let t = 0; t < d; t++) {
          const c = int16[centroids / 2 + ((panel * pairs + (t >> 1)) * PANEL + lane) * 2 + (t & 1)]!;
          sum += c * nearest(fround(query[t]! * scale));
        }
        const row = panel * PANEL + lane;
        return { row, score: fround(fround(fround(sum) * factor) + f(addend, row)) };
      }),
    );
  };

  const isPruned = (index: number, call: number): boolean =>
    f(call, CALL.pruneBeta) > 0 && u(index + 4 * INDEX.leafBounds) > 0;

  const chooseLeaves = (index: number, call: number, query: Float32Array): { leaves: Scored[]; centroids: number } => {
    const d = i(index, INDEX.dimensions);
    const pairs = i(index, INDEX.pairs);
    let panels = Array.from({ length: i(index, INDEX.leafPanels) }, (_, p) => p);
    const open = i(call, CALL.upperToOpen);
    if (open > 0) {
      const upper = Array.from({ length: i(index, INDEX.upperPanels) }, (_, p) => p);
      const unscale = f(index, INDEX.upperUnscale);
      const groups = scoreCentroids(
        u(index + 4 * INDEX.upperCentroids),
        pairs,
        query,
        d,
        unscale,
        u(index + 4 * INDEX.upperAddend),
        upper,
      )
        .filter(({ score }) => score > Number.NEGATIVE_INFINITY)
        .sort(byScore)
        .slice(0, open);
      const ranges = u(index + 4 * INDEX.upperLeaves);
      const opened = new Set<number>();
      for (const { row } of groups) {
        for (let leaf = i(ranges, row) - (i(ranges, row) % PANEL); leaf < i(ranges, row + 1); leaf += PANEL)
          opened.add(leaf / PANEL);
      }
      panels = [...opened].sort((a, b) => a - b);
    }
    const all = scoreCentroids(
      u(index + 4 * INDEX.centroids),
      pairs,
      query,
      d,
      f(index, INDEX.centroidUnscale),
      u(index + 4 * INDEX.leafAddend),
      panels,
    );
    const leaves = all
      .filter(({ score }) => score > Number.NEGATIVE_INFINITY)
      .sort(byScore)
      .slice(0, i(call, CALL.leavesToSearch));
    // Best first where groups are skipped, else as they stand in memory.
    if (!isPruned(index, call)) leaves.sort((a, b) => a.row - b.row);
    return { leaves, centroids: all.length };
  };

  /** Words of the groups a query may return. */
  const mask = (call: number, item: number): ((group: number) => number) => {
    const filter = u(call + 4 * CALL.filter);
    const begins = u(call + 4 * CALL.exclusionBegin);
    const excluded = new Map<number, number>();
    if (begins) {
      for (let e = i(begins, item); e < i(begins, item + 1); e++) {
        const slot = i(u(call + 4 * CALL.exclusions), e);
        excluded.set(slot >> 5, (excluded.get(slot >> 5) ?? 0) | (1 << (slot & 31)));
      }
    }
    return (group) => (filter ? i(filter, group) : -1) & ~(excluded.get(group) ?? 0);
  };

  const tables = (
    index: number,
    query: Float32Array,
    leaves: readonly Scored[],
  ): { entries: Uint8Array; scale: number; top: number; least: number } => {
    const blocks = i(index, INDEX.productBlocks);
    const all = blocks + i(index, INDEX.correctionBlocks);
    const width = i(index, INDEX.blockWidth);
    const top = leaves.length > 0 ? max(...leaves.map(({ score }) => score)) : 0;
    const factor = i(index, INDEX.correctionIsRelative) ? fround(fround(FACTOR) * top) : 1;
    const values = new Float32Array(all * PANEL);
    for (let e = 0; e < values.length; e++) {
      const block = e >> 4;
      if (block >= blocks) values[e] = fround(f(u(index + 4 * INDEX.corrections), e - blocks * PANEL) * factor);
      for (let t = 0; block < blocks && t < width; t++) {
        const q = query[block * width + t] ?? 0;
        values[e] = fround(
          values[e]! + fround(q * f(u(index + 4 * INDEX.codebook), (block * width + t) * PANEL + (e & 15))),
        );
      }
    }
    const minima = Array.from({ length: all }, (_, b) => min(...values.subarray(b * PANEL, b * PANEL + PANEL)));
    const range = max(
      0,
      ...minima.map((low, b) => fround(max(...values.subarray(b * PANEL, b * PANEL + PANEL)) - low)),
    );
    const spread = leaves.length > 0 ? fround(top - min(...leaves.map(({ score }) => score))) : 0;
    let scale = range > 0 ? fround(63 / range) : 0;
    if (fround(spread * scale) > 16_000) scale = fround(16_000 / spread);
    const entries = Uint8Array.from(values, (v, e) => nearest(fround(fround(v - minima[e >> 4]!) * scale)));
    return { entries, scale, top, least: minima.reduce((sum, low) => fround(sum + low), 0) };
  };

  const scan = (
    index: number,
    call: number,
    query: Float32Array,
    leaves: readonly Scored[],
    table: ReturnType<typeof tables>,
    allowed: (group: number) => number,
  ): { points: Scored[]; groups: number } => {
    const { entries, scale, least } = table;
    const all = entries.length / PANEL;
    const at = (field: number): number => u(index + 4 * field);
    const beta = f(call, CALL.pruneBeta);
    const skips = isPruned(index, call);
    const k = i(call, CALL.results);
    const length = norm(query);
    const points: Scored[] = [];
    let groups = 0;
    let theta = MASKED;
    let best: number[] = [];
    const scanGroup = (group: number, base: number): void => {
      const word = i(at(INDEX.valid), group) & allowed(group);
      if (word === 0) return;
      groups++;
      for (let p = 0; p < GROUP; p++) {
        const lane = p & 15;
        const column = 2 * (lane & 7) + (lane >> 3);
        let score = 0;
        for (let b = 0; b < all; b++) {
          const byte = memory.bytes[at(INDEX.codes) + (group * all + b) * PANEL + column]!;
          score += entries[b * PANEL + (p < PANEL ? byte & 15 : byte >> 4)]!;
        }
        score = (word >>> p) & 1 ? max(MASKED, min(32_767, score + base)) : MASKED;
        points.push({ score, row: group * GROUP + p });
        if (!skips || score <= theta) continue;
        best.push(score);
        if (best.length < max(2 * k, k + 16)) continue;
        best = best.sort((a, b) => b - a).slice(0, k);
        theta = best[k - 1]!;
      }
    };
    for (const { row: leaf, score } of leaves) {
      const shifted = fround(fround(score - table.top) * scale);
      const base = max(nearest(shifted), -32_767);
      const first = i(at(INDEX.leafGroups), leaf);
      const end = i(at(INDEX.leafGroups), leaf + 1);
      const cosine = fround(score * f(at(INDEX.leafInverseNorm), leaf));
      const across = fround(fround(sqrt(max(0, fround(fround(length * length) - fround(cosine * cosine))))) * beta);
      for (let group = first; group < end; group += 4) {
        const quad = at(INDEX.bounds) / 4 + 8 * (skips ? i(at(INDEX.leafBounds), leaf) + (group - first) / 4 : 0);
        const open = [0, 1, 2, 3].filter((lane) => {
          if (!skips) return true;
          const start = fround(shifted - fround(least * scale));
          const along = fround(fround(cosine * scale) * memory.floats[quad + lane]!);
          const bound = fround(
            fround(start + along) + fround(fround(across * scale) * memory.floats[quad + 4 + lane]!),
          );
          return bound > theta;
        });
        if (open.length === 0) break;
        for (const lane of open) if (group + lane < end) scanGroup(group + lane, base);
      }
      const extra = at(INDEX.leafExtra);
      for (let group = extra ? i(extra, leaf) : -1; group >= 0; group = i(at(INDEX.nextGroup), group))
        scanGroup(group, base);
    }
    return { points, groups };
  };

  const write = (index: number, call: number, item: number, keys: readonly Scored[]): void => {
    const k = i(call, CALL.results);
    const wanted =
      keys.toSorted((a, b) => b.score - a.score)[min(k * i(index, INDEX.copies), keys.length) - 1]?.score ?? 0;
    const rowOf = u(index + 4 * INDEX.rowOf);
    const best = keys
      .filter(({ score }) => score >= wanted)
      .map(({ score, row }) => ({ score, row: i(rowOf, row) }))
      .sort(byScore);
    const distinct = best.filter(({ row }, at) => best.findIndex((other) => other.row === row) === at).slice(0, k);
    distinct.forEach(({ score, row }, at) => {
      memory.floats[u(call + 4 * CALL.scoresOut) / 4 + item * k + at] = score;
      memory.integers[u(call + 4 * CALL.rowsOut) / 4 + item * k + at] = row;
    });
    memory.integers[u(call + 4 * CALL.countsOut) / 4 + item] = distinct.length;
  };

  const count = (call: number, item: number, work: readonly number[]): void => {
    const counters = u(call + 4 * CALL.countersOut);
    if (counters) memory.integers.set(work, counters / 4 + 4 * item);
  };

  return {
    searchScann(begin, end, _slot, index, call) {
      for (let item = begin; item < end; item++) {
        const original = u(call + 4 * CALL.queries) + 4 * item * i(index, INDEX.stride);
        const query = transform(index, original);
        const { leaves, centroids } = chooseLeaves(index, call, query);
        const table = tables(index, query, leaves);
        const { points, groups } = scan(index, call, query, leaves, table, mask(call, item));
        const reorder = i(call, CALL.reorder);
        // The best, ties in the order of the scan; all keep that order afterwards.
        const order = points.map((point, at) => ({ ...point, at })).filter(({ score }) => score > MASKED);
        const chosen = order
          .toSorted((a, b) => b.score - a.score || a.at - b.at)
          .slice(0, reorder)
          .sort((a, b) => a.at - b.at);
        const unscale = table.scale > 0 ? fround(1 / table.scale) : 0;
        const offset = fround(table.top + table.least);
        const keys = chosen.map(({ row, score }) => ({
          row,
          score: i(call, CALL.reorderExactly)
            ? exactScore(memory, index, original, row)
            : fround(offset + fround(score * unscale)),
        }));
        write(index, call, item, keys);
        count(call, item, [centroids, leaves.length, groups * GROUP, keys.length]);
      }
    },
    searchSlots(begin, end, _slot, index, call) {
      for (let item = begin; item < end; item++) {
        const original = u(call + 4 * CALL.queries) + 4 * item * i(index, INDEX.stride);
        const allowed = mask(call, item);
        const listed = u(call + 4 * CALL.slots);
        const keys: Scored[] = [];
        for (let at = 0; at < i(call, CALL.slotCount); at++) {
          const row = listed ? i(listed, at) : at;
          const word = i(u(index + 4 * INDEX.valid), row >> 5) & allowed(row >> 5);
          if ((word >>> (row & 31)) & 1) keys.push({ row, score: exactScore(memory, index, original, row) });
        }
        write(index, call, item, keys);
        count(call, item, [0, 0, 0, keys.length]);
      }
    },
    maskGroups(begin, end, _slot, rowWords, rowOf, words) {
      for (let group = begin; group < end; group++) {
        let word = 0;
        for (let p = 0; p < GROUP; p++) {
          const row = i(rowOf, group * GROUP + p);
          if (row >= 0 && (i(rowWords, row >> 5) >>> (row & 31)) & 1) word |= 1 << p;
        }
        memory.integers[words / 4 + group] = word;
      }
    },
    ...storeRowsReference(memory),
  };
}
