/** The output of `shortlist train` while it works: with `--json` one object a line, otherwise text (show.ts). */
import type { Estimate } from 'shortlist/metrics';
import type { ModelKind, Settings } from 'shortlist/recommenders';
import type { Comparison, EvaluatedModel } from '../evaluate/baselines.ts';

/** The interactions as they were understood. */
export interface DataEvent {
  readonly event: 'data';
  /** Three lines: files, columns, quality. */
  readonly lines: readonly string[];
  /** Notes on guesses, replaced values and skipped rows, and the first broken rows. */
  readonly findings: readonly string[];
  /** Rows that are trained on, and their users and items. */
  readonly rows: number;
  readonly users: number;
  readonly items: number;
  readonly like: string | undefined;
  readonly isLikeProposed: boolean;
}

/** The rows held out for the evaluation. */
export interface SplitEvent {
  readonly event: 'split';
  readonly testUsers: number;
  /** The last rows of each, of users with at least `minInteractions`. */
  readonly testRowsOfUser: number;
  readonly minInteractions: number;
  readonly trainRows: number;
  readonly testRows: number;
}

/** The earlier model that the fit goes on from. */
export interface FromEvent {
  readonly event: 'from';
  readonly path: string;
  readonly model: ModelKind;
  readonly settings: Settings;
  readonly newUsers: number;
  readonly newItems: number;
  /** Users and items of today that it knows. */
  readonly known: { readonly users: number; readonly items: number };
}

/** A baseline on the test part. */
export interface BaselineEvent {
  readonly event: 'baseline';
  readonly k: number;
  readonly evaluation: EvaluatedModel;
}

/** A search goes on from the trials of an interrupted one. */
export interface ResumedEvent {
  readonly event: 'resumed';
  readonly path: string;
  readonly trials: number;
}

/** A trial of the search, on the validation part. */
export interface TrialEvent {
  readonly event: 'trial';
  readonly trial: number;
  readonly model: ModelKind;
  readonly settings: Settings;
  readonly k: number;
  readonly recall: number;
  readonly seconds: number;
}

/** The model that validation prefers. */
export interface ChosenEvent {
  readonly event: 'chosen';
  readonly model: ModelKind;
  readonly settings: Settings;
  readonly k: number;
  readonly recall: Estimate;
  readonly validationUsers: number;
  /** The best of the other model, and by how much recall of the chosen one is above it. */
  readonly other: { readonly model: ModelKind; readonly recall: number; readonly difference: Estimate } | undefined;
  readonly trials: number;
  readonly isSearchComplete: boolean;
}

/** The chosen model beside the baselines, on the test part. */
export interface EvaluatedEvent {
  readonly event: 'evaluated';
  readonly k: number;
  readonly model: EvaluatedModel;
  readonly baselines: readonly EvaluatedModel[];
  readonly comparisons: readonly Comparison[];
}

/** The index of the model that was fitted on everything. */
export interface IndexEvent {
  readonly event: 'index';
  readonly kind: 'brute-force' | 'scann';
  readonly candidates: number;
  readonly dimensions: number;
  readonly k: number;
  /** Share of the exact best k that it finds. */
  readonly recall: number;
}

/** The comparison of the new model with the version that serves. */
export interface ComparedEvent {
  readonly event: 'compared';
  readonly line: string;
}

/** The bundle is written. */
export interface SavedEvent {
  readonly event: 'saved';
  readonly path: string;
  /** The path for commands and the server: the bundle, or the folder of versions. */
  readonly out: string;
  readonly sizeBytes: number;
  readonly seconds: number;
  /** A user to ask for. */
  readonly user: string;
}

/** Any of them. */
export type TrainEvent =
  | DataEvent
  | FromEvent
  | SplitEvent
  | BaselineEvent
  | ResumedEvent
  | TrialEvent
  | ChosenEvent
  | EvaluatedEvent
  | ComparedEvent
  | IndexEvent
  | SavedEvent;
