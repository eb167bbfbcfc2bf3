/**
 * Columns that no row of a batch can tell apart: one candidate, one sampling probability and, where accidental hits are
 * removed, one identifier. A row's mask may tell any two columns apart, so with one every column is its own group.
 */
import { Matrix } from '../vectors/matrix.ts';
import { logCorrection, type RetrievalBatch } from './batch.ts';

/** Groups in order of first appearance. */
export interface ColumnGroups {
  count: number;
  /** [n] the group of each column. */
  groupOf: Int32Array;
  /** [count] */
  candidateOf: number[];
  /** [count] columns of each group. */
  sizes: number[];
  /** [count] log of the clipped sampling probability. */
  corrections: number[];
  /** [count] one number an identifier; all 0 where accidental hits stay. */
  ids: number[];
}

/** Group the columns of a batch. */
export function groupColumns(batch: RetrievalBatch, removeAccidentalHits: boolean): ColumnGroups {
  const { candidateOf, candidateIds, candidateSamplingProbability, scoreMask } = batch;
  const n = candidateOf.length;
  const groups: ColumnGroups = {
    count: 0,
    groupOf: new Int32Array(n),
    candidateOf: [],
    sizes: [],
    corrections: [],
    ids: [],
  };
  const numbers = new Map<unknown, number>();
  const numberOf = (id: unknown): number => {
    if (!numbers.has(id)) numbers.set(id, numbers.size);
    return numbers.get(id)!;
  };
  // The groups of a candidate are a list: the latest one here, the ones before it in `previous`.
  const latest = new Int32Array(batch.candidates.rows).fill(-1);
  const previous: number[] = [];
  for (let j = 0; j < n; j++) {
    const candidate = candidateOf[j]!;
    const id = removeAccidentalHits ? numberOf(candidateIds![j]) : 0;
    const correction = logCorrection(candidateSamplingProbability, j);
    let group = scoreMask ? -1 : latest[candidate]!;
    while (group >= 0 && (groups.ids[group] !== id || groups.corrections[group] !== correction))
      group = previous[group]!;
    if (group < 0) {
      group = groups.count++;
      previous.push(latest[candidate]!);
      latest[candidate] = group;
      groups.candidateOf.push(candidate);
      groups.sizes.push(0);
      groups.corrections.push(correction);
      groups.ids.push(id);
    }
    groups.groupOf[j] = group;
    groups.sizes[group] = groups.sizes[group]! + 1;
  }
  return groups;
}

/** One row a group: the candidates themselves where each is one group, else a copy. */
export function candidatesOfGroups(candidates: Matrix, { count, candidateOf }: ColumnGroups): Matrix {
  if (count === candidates.rows && candidateOf.every((candidate, group) => candidate === group)) return candidates;
  const rows = new Matrix(count, candidates.dimensions, candidates.runtime);
  candidateOf.forEach((candidate, group) => {
    rows.row(group).set(candidates.row(candidate));
  });
  return rows;
}

/** Sum the gradients of the groups of each candidate. */
export function gradientsOfCandidates(gradients: Matrix, candidates: Matrix, { candidateOf }: ColumnGroups): Matrix {
  const summed = new Matrix(candidates.rows, candidates.dimensions, candidates.runtime);
  candidateOf.forEach((candidate, group) => {
    const [to, from] = [summed.row(candidate), gradients.row(group)];
    for (let t = 0; t < from.length; t++) to[t] = to[t]! + from[t]!;
  });
  return summed;
}
