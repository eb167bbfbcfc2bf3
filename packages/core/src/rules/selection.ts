/**
 * Chooses the results of one query by rules: retrieve → exclude → rules → k.
 *
 * 1. Pinned candidates that may be returned come first, in their order.
 * 2. Of the best candidates that may be returned, the best is chosen whose values are not full yet, and so on: best by score,
 *    or by marginal relevance (marginal-relevance.ts).
 * 3. When the rules leave too few of them, the best candidates without a full value are retrieved, twice as many as before.
 *    Each retrieval yields a result at least, so there are k results whenever k candidates obey the rules.
 *
 * Work: with P candidates in the first retrieval of step 2, at most min(k, log₂(N / P) + 1) + 1 retrievals, of at most 3·N
 * candidates together. The search is a generator, so that the one who runs it decides on which thread retrievals run.
 */
import type { ValueLimits } from './value-limits.ts';

/** The best candidates that are wanted next. */
export interface Retrieval {
  k: number;
  /** Pinned candidates only, or all but them. */
  pinned: boolean;
  /** Rows that are not wanted; undefined where none is left out. */
  leavesOut: ((row: number) => boolean) | undefined;
}

/** Candidates that were retrieved, best first. */
export interface Retrieved {
  rows: ArrayLike<number>;
  scores: ArrayLike<number>;
}

/** Ranks candidates by marginal relevance. */
export interface Relevance {
  of(i: number): number;
  /** Candidate i of those ranked was chosen. */
  chosen(i: number): void;
}

/** The rules by which results are chosen. */
export interface SelectionOptions {
  k: number;
  limits: ValueLimits;
  scoreThreshold: number;
  /** Pinned candidates there may be; 0 for none. */
  pins: number;
  /** The place of a pinned row in the list of pinned identifiers. */
  pinOf: (row: number) => number;
  /** Candidates of the first retrieval. */
  candidates: number;
  /** Relevance of retrieved candidates, where rows were chosen before; undefined: candidates are ranked by score. */
  relevanceOf: ((retrieved: Retrieved, chosen: readonly number[]) => Relevance) | undefined;
}

/** Rows and scores of the results, in their order. */
export interface Selected {
  rows: number[];
  scores: number[];
}

/** Choose the results of a query; yields what is to be retrieved. */
export function* select(options: SelectionOptions): Generator<Retrieval, Selected, Retrieved> {
  const { k, limits, scoreThreshold } = options;
  const selected: Selected = { rows: [], scores: [] };
  const take = (row: number, score: number): void => {
    selected.rows.push(row);
    selected.scores.push(score);
    limits.add(row);
  };
  if (options.pins > 0) {
    const found = yield { k: options.pins, pinned: true, leavesOut: undefined };
    for (const i of inOrder(found, options.pinOf)) {
      if (selected.rows.length < k && limits.admits(found.rows[i]!)) take(found.rows[i]!, found.scores[i]!);
    }
  }
  let wanted = Math.max(options.candidates, k - selected.rows.length);
  let leavesOut: Retrieval['leavesOut'];
  while (selected.rows.length < k) {
    const found = yield { k: wanted, pinned: false, leavesOut };
    const pool = above(found, scoreThreshold);
    choose(pool, selected, options, take);
    if (found.rows.length < wanted || pool.rows.length < found.rows.length) break;
    const chosen = new Set(selected.rows);
    const isFull = limits.rowsThatAreFull();
    leavesOut = (row) => isFull(row) || chosen.has(row);
    wanted *= 2;
  }
  return selected;
}

/** Positions of pinned candidates in the order of their list; several rows of one identifier by score. */
function inOrder({ rows }: Retrieved, pinOf: (row: number) => number): number[] {
  return Array.from({ length: rows.length }, (_, i) => i).sort((a, b) => pinOf(rows[a]!) - pinOf(rows[b]!) || a - b);
}

/** The candidates with at least a score. */
function above({ rows, scores }: Retrieved, threshold: number): Retrieved {
  let count = 0;
  while (count < rows.length && scores[count]! >= threshold) count++;
  return { rows: Array.from(rows).slice(0, count), scores: Array.from(scores).slice(0, count) };
}

/** Choose results from a pool until there are k, or none of it is left that may join them. */
function choose(
  pool: Retrieved,
  selected: Selected,
  { k, limits, relevanceOf }: SelectionOptions,
  take: (row: number, score: number) => void,
): void {
  if (!relevanceOf) {
    for (let i = 0; i < pool.rows.length && selected.rows.length < k; i++) {
      if (limits.admits(pool.rows[i]!)) take(pool.rows[i]!, pool.scores[i]!);
    }
    return;
  }
  const relevance = relevanceOf(pool, selected.rows);
  let left = Array.from({ length: pool.rows.length }, (_, i) => i);
  while (selected.rows.length < k) {
    left = left.filter((i) => limits.admits(pool.rows[i]!));
    if (left.length === 0) return;
    // The better ranked of equal ones comes first in the list.
    const best = left.reduce((a, b) => (relevance.of(b) > relevance.of(a) ? b : a));
    left = left.filter((i) => i !== best);
    take(pool.rows[best]!, pool.scores[best]!);
    relevance.chosen(best);
  }
}
