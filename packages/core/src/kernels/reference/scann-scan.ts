/**
 * The third phase of a ScaNN search, readable (packages/core/assembly/scann-scan.ts): scores the
 * points of the chosen leaves by their codes, skips groups that cannot hold a result, and chooses the points to reorder.
 */
import { GROUP, isPruned, nearest, type ScannSearchCall, type Scored } from './scann-call.ts';
import type { LookupTables } from './scann-tables.ts';

const LANES = 16;
/** The score of a point that may not be returned. */
export const MASKED = -32_768;
const { fround, sqrt, max, min } = Math;

/** Points with scores in units of the tables, and the number of groups scanned. */
export interface Scan {
  points: Scored[];
  groups: number;
  /** The score of rank `boundRank` so far; only groups whose bound exceeds it are scanned. */
  theta: number;
  best: number[];
}

/**
 * Score the points of leaves; `allowed` gives the bits of a group that may be returned.
 *
 * @param length |q|
 * @param from the bound and the scores above it that earlier runs of the query ended with
 */
export function scanLeaves(
  search: ScannSearchCall,
  length: number,
  leaves: readonly Scored[],
  tables: LookupTables,
  allowed: (group: number) => number,
  from: Pick<Scan, 'theta' | 'best'> = { theta: MASKED, best: [] },
): Scan {
  const { index, integer } = search;
  const scan: Scan = { points: [], groups: 0, theta: from.theta, best: [...from.best] };
  for (const leaf of leaves) {
    const shifted = fround(fround(leaf.score - tables.top) * tables.scale);
    const base = max(nearest(shifted), -32_767);
    const first = integer(index.leafGroups, leaf.row);
    const end = integer(index.leafGroups, leaf.row + 1);
    for (let group = first; group < end; group += 4) {
      const open = openLanes(search, { leaf, first, group, shifted, length }, tables, scan.theta);
      if (open.length === 0) break;
      for (const lane of open) if (group + lane < end) scanGroup(search, scan, tables, group + lane, base, allowed);
    }
    const chain = index.leafExtra ? integer(index.leafExtra, leaf.row) : -1;
    for (let group = chain; group >= 0; group = integer(index.nextGroup, group)) {
      scanGroup(search, scan, tables, group, base, allowed);
    }
  }
  return scan;
}

/** The `count` best points, ties in the order of the scan, which they keep. */
export function chooseCandidates(points: readonly Scored[], count: number): Scored[] {
  return points
    .map((point, at) => ({ ...point, at }))
    .filter(({ score }) => score > MASKED)
    .sort((a, b) => b.score - a.score || a.at - b.at)
    .slice(0, count)
    .sort((a, b) => a.at - b.at);
}

/** Which of four groups of a leaf may still hold a score above theta. */
function openLanes(
  search: ScannSearchCall,
  {
    leaf,
    first,
    group,
    shifted,
    length,
  }: {
    leaf: Scored;
    first: number;
    group: number;
    shifted: number;
    length: number;
  },
  { scale, least }: LookupTables,
  theta: number,
): number[] {
  const { index, call, float, integer } = search;
  if (!isPruned(search)) return [0, 1, 2, 3];
  const cosine = fround(leaf.score * float(index.leafInverseNorm, leaf.row));
  const rest = max(0, fround(fround(length * length) - fround(cosine * cosine)));
  const across = fround(fround(sqrt(rest)) * call.pruneBeta);
  const quad = 8 * (integer(index.leafBounds, leaf.row) + (group - first) / 4);
  const start = fround(shifted - fround(least * scale));
  return [0, 1, 2, 3].filter((lane) => {
    const along = fround(fround(cosine * scale) * float(index.bounds, quad + lane));
    const bound = fround(fround(start + along) + fround(fround(across * scale) * float(index.bounds, quad + 4 + lane)));
    return bound > theta;
  });
}

/** Score the points of a group. */
function scanGroup(
  search: ScannSearchCall,
  scan: Scan,
  { entries, correctionShift }: LookupTables,
  group: number,
  base: number,
  allowed: (group: number) => number,
): void {
  const { index, call, integer } = search;
  const { bytes } = search.memory;
  const { boundRank } = call;
  const blocks = entries.length / LANES;
  const word = integer(index.valid, group) & allowed(group);
  if (word === 0) return;
  scan.groups++;
  for (let p = 0; p < GROUP; p++) {
    const lane = p & 15;
    const column = 2 * (lane & 7) + (lane >> 3);
    let score = 0;
    for (let b = 0; b < blocks; b++) {
      const byte = bytes[index.codes + (group * blocks + b) * LANES + column]!;
      const entry = entries[b * LANES + (p < LANES ? byte & 15 : byte >> 4)]!;
      score += b < index.productBlocks ? entry : entry << correctionShift;
    }
    score = (word >>> p) & 1 ? max(MASKED, min(32_767, score + base)) : MASKED;
    scan.points.push({ score, row: group * GROUP + p });
    if (!isPruned(search) || score <= scan.theta) continue;
    scan.best.push(score);
    if (scan.best.length < max(2 * boundRank, boundRank + 16)) continue;
    scan.best = scan.best.sort((a, b) => b - a).slice(0, boundRank);
    scan.theta = scan.best[boundRank - 1]!;
  }
}
