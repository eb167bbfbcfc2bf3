/**
 * Rules about which candidates may stand together in one answer: at most so many of a value, diversity by marginal
 * relevance, a least score, candidates that come first and candidates that never come.
 */
import type { Identifier } from '../topk/identifiers.ts';

/** A value that rules count: a genre, a year, a flag. */
export type CandidateValue = string | number | boolean;

/** One attribute of the candidates by row: of each row a value, several values, or none (null). */
export type CandidateValues = readonly (CandidateValue | readonly CandidateValue[] | null)[];

/** One attribute of the candidates by row, in whatever form the caller keeps it. */
export interface ValueColumn {
  /** The distinct values of a row; [] where it has none. */
  valuesOf(row: number): readonly CandidateValue[];
  /** Whether a row has one of these values, as a function that is fast over many rows. */
  rowsWith(values: ReadonlySet<CandidateValue>): (row: number) => boolean;
}

/** Attributes by name, each one value per row of the index. */
export type CandidateAttributes = { readonly [name: string]: CandidateValues | ValueColumn };

/** Diversity by maximal marginal relevance. */
export interface MmrOptions {
  /** λ: 1 is relevance alone, 0 diversity alone. */
  weight: number;
  /** The best candidates of which results are chosen, at least k; default 100, or 4·k where that is more. */
  candidates?: number;
}

/**
 * Rules of a call. What takes away wins over what puts in: a pinned candidate that is blocked, excluded, filtered out, or
 * one too many of a value is not returned.
 */
export interface Rules<I extends Identifier> {
  /** By attribute: at most so many results that have the same value; each value of a candidate with several counts. */
  perValue?: { readonly [attribute: string]: number } | undefined;
  /** The attributes that `perValue` names, one value per row of the index. */
  attributes?: CandidateAttributes | undefined;
  /** Results chosen by marginal relevance instead of by score. */
  mmr?: MmrOptions | undefined;
  /** Only candidates with at least this score, but for pinned ones. */
  scoreThreshold?: number | undefined;
  /** Candidates that come first, in this order, whatever their score; an identifier that no candidate has is ignored. */
  pin?: readonly I[] | undefined;
  /** Candidates that are never returned. */
  block?: readonly I[] | undefined;
}
