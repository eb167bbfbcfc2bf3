/**
 * Chooses the results of one query by rules: retrieve → exclude → rules → k.
 *
 * 1. Pinned candidates that may be returned come first, in their order.
 * 2. From the best candidates that may be returned, results are chosen one by one, by score or by marginal relevance (marginal-relevance.ts). A candidate with a value that has reached its limit is skipped.
 * 3. When there are still fewer than k results, the best candidates without a full value are retrieved, twice as many as before. Each retrieval yields at least one result, so there are k results whenever k candidates obey the rules.
 *
 * Work: with P candidates in the first retrieval of step 2, at most min(k, log₂(N / P) + 1) + 1 retrievals, of at most
 * 3·N candidates together. The selection is a generator, so that its caller decides on which thread retrievals run.
 */
import type { ValueLimits } from './value-limits.ts';

/** A request for the next best candidates. */
export interface Retrieval {
  k: number;
  /** True for only pinned candidates, false for all others. */
  pinned: boolean;
  /** Returns true for rows to leave out; undefined where none is left out. */
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
  /** Record that candidate i was chosen. */
  chosen(i: number): void;
}

/** The rules by which results are chosen. */
export interface SelectionOptions {
  k: number;
  limits: ValueLimits;
  scoreThreshold: number;
  /** An upper bound of the number of pinned candidates; 0 for none. */
  pins: number;
  /** The place of a pinned row in the list of pinned identifiers. */
  pinOf: (row: number) => number;
  /** Candidates of the first retrieval. */
  candidates: number;
  /**
   * Makes the relevance of retrieved candidates, given the rows chosen before; undefined: candidates are ranked by
   * score.
   */
  relevanceOf: ((retrieved: Retrieved, chosen: readonly number[]) => Relevance) | undefined;
}

/** Rows and scores of the results, in their order. */
export interface Selected {
  rows: number[];
  scores: number[];
}

/** Choose the results of a query; yields each retrieval that it needs. */
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

/** Choose results from a pool until there are k, or no candidate of the pool is allowed any more. */
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
    // Of equal candidates, the one with the better rank is first in the list.
    const best = left.reduce((a, b) => (relevance.of(b) > relevance.of(a) ? b : a));
    left = left.filter((i) => i !== best);
    take(pool.rows[best]!, pool.scores[best]!);
    relevance.chosen(best);
  }
}
