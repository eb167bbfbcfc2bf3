/** A trial of a search: a model with its settings, and its recall on the validation part. */
import type { AlsModel } from '../als/als-fit.ts';
import type { Recommender } from '../recommenders/contract.ts';
import type { Tower } from '../towers/tower.ts';

/** The kinds of models. */
export type ModelKind = 'als' | 'two-tower';

/** Settings of a model. All are numbers, so that a report can contain them and a later run can compare them. */
export type Settings = Readonly<Record<string, number>>;

/** A model and its settings. */
export interface ChosenModel {
  readonly model: ModelKind;
  readonly settings: Settings;
}

/** The settings and the result of a trial. */
export interface Trial extends ChosenModel {
  /** The mean of recall@k over the users of the validation part. */
  readonly recall: number;
  /** [users] recall@k of each user, in the order of their codes, to compare two trials. */
  readonly perUser: readonly number[];
  /** Seconds of the fit and the evaluation. */
  readonly seconds: number;
  /** Seconds of the fit, from which the time of the fit on all interactions is estimated. */
  readonly fitSeconds: number;
  /** True if the fit ended because its time was over; more iterations or epochs might have been better. */
  readonly isCut: boolean;
  /** Fingerprint of the data, the validation part, k and the seed. Only trials with the same fingerprint are compared. */
  readonly fingerprint: string;
}

/** A fitted model, by kind. */
export type FittedModel =
  | ({ readonly kind: 'als' } & AlsModel)
  | { readonly kind: 'two-tower'; readonly queryTower: Tower; readonly candidateTower: Tower };

/** The result of a fit. */
export interface Fitted {
  readonly model: FittedModel;
  readonly recommender: Recommender;
  /** The given settings, with the iterations or epochs that were run. */
  readonly settings: Settings;
  /** True if the fit ended before all iterations or epochs because its time was over. */
  readonly isCut: boolean;
}

/** The result of a trial. */
export interface TrialEvaluation {
  /** The settings of the trial, with those that it found: iterations and half-life, or epochs. */
  readonly settings: Settings;
  /** [users] recall@k. */
  readonly perUser: Float64Array;
  readonly isCut: boolean;
}
