/**
 * Rules for the results of a call: a limit for results with the same value of an attribute, diversity by marginal
 * relevance, a minimum score, pinned candidates and blocked candidates.
 */
import type { Identifier } from '../topk/identifiers.ts';

/** A value that rules count: a genre, a year, a flag. */
export type CandidateValue = string | number | boolean;

/** One attribute of the candidates by row: one value, several values, or null for none. */
export type CandidateValues = readonly (CandidateValue | readonly CandidateValue[] | null)[];

/** One attribute of the candidates by row, behind functions, so that the caller can store it in any form. */
export interface ValueColumn {
  /** The distinct values of a row; [] where it has none. */
  valuesOf(row: number): readonly CandidateValue[];
  /** Returns a function that tests if a row has one of these values and is fast for many rows. */
  rowsWith(values: ReadonlySet<CandidateValue>): (row: number) => boolean;
}

/** Attributes by name, each one value per row of the index. */
export type CandidateAttributes = { readonly [name: string]: CandidateValues | ValueColumn };

/** Diversity by maximal marginal relevance. */
export interface MmrOptions {
  /** λ, from 0 (only diversity) to 1 (only relevance). */
  weight: number;
  /** The number of best candidates from which the results are chosen, at least k; default max(100, 4·k). */
  candidates?: number;
}

/**
 * Rules of a call. A rule that removes a candidate has priority: a pinned candidate is not returned if it is blocked,
 * excluded, filtered out, or exceeds a limit of `perValue`.
 */
export interface Rules<I extends Identifier> {
  /** The most results with the same value, by attribute. Where a candidate has several values, each of them counts. */
  perValue?: { readonly [attribute: string]: number } | undefined;
  /** The attributes that `perValue` names, one value per row of the index. */
  attributes?: CandidateAttributes | undefined;
  /** Choose results by marginal relevance instead of by score. */
  mmr?: MmrOptions | undefined;
  /** The minimum score of results; pinned candidates may have a lower one. */
  scoreThreshold?: number | undefined;
  /**
   * Candidates that are returned first, in this order, with any score; an identifier that no candidate has is ignored.
   */
  pin?: readonly I[] | undefined;
  /** Candidates that are never returned. */
  block?: readonly I[] | undefined;
}
