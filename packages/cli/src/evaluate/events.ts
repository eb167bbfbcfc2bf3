/** The output of `shortlist evaluate`: with `--json` one object a line, otherwise text (show.ts). */
import type { Comparison, EvaluatedModel } from './baselines.ts';

/** The model that is evaluated, and the rows by which it is. */
export interface DataEvent {
  readonly event: 'data';
  readonly bundle: string;
  readonly candidates: number;
  readonly lines: readonly string[];
  readonly findings: readonly string[];
  /** The source of the rows that are left out of shortlists; undefined where there are none. */
  readonly train: string | undefined;
  readonly trainRows: number;
  readonly testRows: number;
}

/** The bundle beside the baselines. */
export interface EvaluatedEvent {
  readonly event: 'evaluated';
  readonly ks: readonly number[];
  readonly model: EvaluatedModel;
  readonly baselines: readonly EvaluatedModel[];
  /** At the first k. */
  readonly comparisons: readonly Comparison[];
}

/** Any of them. */
export type EvaluateEvent = DataEvent | EvaluatedEvent;
