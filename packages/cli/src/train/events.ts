/** The events of `shortlist train`. With `--json` each is printed as one object a line, otherwise as text (show.ts). */
import type { Estimate } from 'shortlist/metrics';
import type { ModelKind, Settings } from 'shortlist/recommenders';
import type { Comparison, EvaluatedModel } from '../evaluate/baselines.ts';

/** The interactions that were read. */
export interface DataEvent {
  readonly event: 'data';
  /** Three lines: files, columns, quality. */
  readonly lines: readonly string[];
  /** Notes on guesses, replaced values and skipped rows, and the first broken rows. */
  readonly findings: readonly string[];
  /** Interactions to train and evaluate on: rows, users and items. */
  readonly rows: number;
  readonly users: number;
  readonly items: number;
  readonly like: string | undefined;
  readonly isLikeProposed: boolean;
}

/** The split into test part and training part. */
export type SplitEvent = {
  readonly event: 'split';
  readonly testUsers: number;
  readonly trainRows: number;
  readonly testRows: number;
} & (
  | {
      readonly way: 'leave-last-out';
      /** The test rows of each user with at least `minInteractions` rows: the last ones. */
      readonly testRowsOfUser: number;
      readonly minInteractions: number;
    }
  | {
      readonly way: 'time';
      /** The time of the first held-out row, in ISO 8601. */
      readonly from: string;
      /** Held-out rows of users without a row before, which are in neither part. */
      readonly newUserRows: number;
    }
);

/** The earlier model with which the training continues. */
export interface FromEvent {
  readonly event: 'from';
  readonly path: string;
  readonly model: ModelKind;
  readonly settings: Settings;
  readonly newUsers: number;
  readonly newItems: number;
  /** Users and items of the data that the earlier model knows. */
  readonly known: { readonly users: number; readonly items: number };
  /** Items of the earlier model without a row in the data, which the new model leaves out; 0 where it keeps them. */
  readonly leftOutItems: number;
}

/** The evaluation of a baseline on the test part. */
export interface BaselineEvent {
  readonly event: 'baseline';
  readonly k: number;
  readonly evaluation: EvaluatedModel;
}

/** The search continues from the trials of an interrupted run. */
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

/** The model that was best on the validation part. */
export interface ChosenEvent {
  readonly event: 'chosen';
  readonly model: ModelKind;
  readonly settings: Settings;
  readonly k: number;
  readonly recall: Estimate;
  readonly validationUsers: number;
  /** The best trial of the other kind of model, and the recall of the chosen model minus its recall. */
  readonly other: { readonly model: ModelKind; readonly recall: number; readonly difference: Estimate } | undefined;
  readonly trials: number;
  readonly isSearchComplete: boolean;
}

/** The evaluations of the chosen model and of the baselines on the test part. */
export interface EvaluatedEvent {
  readonly event: 'evaluated';
  readonly k: number;
  readonly model: EvaluatedModel;
  readonly baselines: readonly EvaluatedModel[];
  readonly comparisons: readonly Comparison[];
}

/** The index of the model that was fitted on all interactions. */
export interface IndexEvent {
  readonly event: 'index';
  readonly kind: 'brute-force' | 'scann';
  readonly candidates: number;
  readonly dimensions: number;
  readonly k: number;
  /** The share of the exact best k that it finds. */
  readonly recall: number;
}

/** The comparison of the new model with the newest version of the folder. */
export interface ComparedEvent {
  readonly event: 'compared';
  readonly line: string;
}

/** The bundle was written. */
export interface SavedEvent {
  readonly event: 'saved';
  readonly path: string;
  /** The path for commands and the server: the bundle, or the folder of versions. */
  readonly out: string;
  readonly sizeBytes: number;
  readonly seconds: number;
  /** An example query: a user, or features as JSON. */
  readonly query: string;
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
