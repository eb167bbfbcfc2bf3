/**
 * Groups of equal columns of a batch. Columns are equal when they have the same candidate, the same sampling probability
 * and, where accidental hits are removed, the same identifier. A batch with a score mask has a group for each column, because
 * the mask may treat any two columns differently.
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
  /** [count] columns of each group that are negatives of other rows. */
  sizes: number[];
  /** [count] log of the clipped sampling probability. */
  corrections: number[];
  /** [count] a number for each distinct identifier; all 0 where accidental hits are not removed. */
  ids: number[];
}

/**
 * Group the columns of a batch.
 *
 * @param ids [n] identifiers by which accidental hits are removed; undefined keeps them
 * @param firstNegative the first column that is a negative of other rows
 */
export function groupColumns(
  batch: RetrievalBatch,
  ids: RetrievalBatch['candidateIds'],
  firstNegative: number,
): ColumnGroups {
  const { candidateOf, candidateSamplingProbability, scoreMask } = batch;
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
  // The groups of a candidate form a linked list: `latest` holds its head, `previous` the links.
  const latest = new Int32Array(batch.candidates.rows).fill(-1);
  const previous: number[] = [];
  for (let j = 0; j < n; j++) {
    const candidate = candidateOf[j]!;
    const id = ids ? numberOf(ids[j]) : 0;
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
    if (j >= firstNegative) groups.sizes[group] = groups.sizes[group]! + 1;
  }
  return groups;
}

/** A matrix with one row per group: the candidates themselves where each is one group, else a copy. */
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
