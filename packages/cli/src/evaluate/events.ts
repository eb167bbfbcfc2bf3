/** What `shortlist evaluate` tells: with `--json` one object a line, otherwise text (show.ts). */
import type { Comparison, JudgedModel } from './judge.ts';

/** What is judged, and by which rows. */
export interface AskedEvent {
  readonly event: 'asked';
  readonly bundle: string;
  readonly candidates: number;
  readonly lines: readonly string[];
  readonly findings: readonly string[];
  /** Where the rows that are left out of shortlists come from; undefined where there are none. */
  readonly train: string | undefined;
  readonly trainRows: number;
  readonly testRows: number;
}

/** The bundle beside the baselines. */
export interface EvaluatedEvent {
  readonly event: 'evaluated';
  readonly ks: readonly number[];
  readonly model: JudgedModel;
  readonly baselines: readonly JudgedModel[];
  /** At the first k. */
  readonly comparisons: readonly Comparison[];
}

/** Any of them. */
export type EvaluateEvent = AskedEvent | EvaluatedEvent;
