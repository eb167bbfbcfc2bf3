/** The events of `shortlist evaluate`. With `--json` each is printed as one object a line, otherwise as text (show.ts). */
import type { Comparison, EvaluatedModel } from './baselines.ts';

/** The bundle, and the data on which it is evaluated. */
export interface DataEvent {
  readonly event: 'data';
  readonly bundle: string;
  readonly candidates: number;
  readonly lines: readonly string[];
  readonly findings: readonly string[];
  /** The name of the training part, whose items are left out of the lists; undefined if there is none. */
  readonly train: string | undefined;
  readonly trainRows: number;
  readonly testRows: number;
}

/** The evaluations of the bundle and of the baselines. */
export interface EvaluatedEvent {
  readonly event: 'evaluated';
  readonly ks: readonly number[];
  readonly model: EvaluatedModel;
  readonly baselines: readonly EvaluatedModel[];
  /** Comparisons at the first k. */
  readonly comparisons: readonly Comparison[];
}

/** Any of them. */
export type EvaluateEvent = DataEvent | EvaluatedEvent;
