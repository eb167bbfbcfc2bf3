/** A trial of a search: a model with its settings, and how good it was on the validation part. */
import type { AlsModel } from '../als/als-fit.ts';
import type { Recommender } from '../recommenders/contract.ts';
import type { Tower } from '../towers/tower.ts';

/** The kinds of models. */
export type ModelKind = 'als' | 'two-tower';

/** Plain numbers, so that a report can hold them and a later run can compare them. */
export type Settings = Readonly<Record<string, number>>;

/** A model and the settings that it is fitted with. */
export interface ChosenModel {
  readonly model: ModelKind;
  readonly settings: Settings;
}

/** The settings of a trial. */
export interface Trial extends ChosenModel {
  /** The mean of recall@k over the users of the validation part. */
  readonly recall: number;
  /** [users] recall@k of each, in the order of their codes: for comparing two trials. */
  readonly perUser: readonly number[];
  /** To fit and to judge. */
  readonly seconds: number;
  /** Of these, to fit: what the fit on everything is estimated by. */
  readonly fitSeconds: number;
  /** True where the time ended the fit: more iterations or epochs might have been better. */
  readonly isCut: boolean;
  /** Of the data, its validation part, k and the seed: only trials of one fingerprint are compared. */
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
  /** Those that were asked for, with the iterations or epochs that were run. */
  readonly settings: Settings;
  /** True where the time ended it before all iterations or epochs. */
  readonly isCut: boolean;
}

/** The result of a trial. */
export interface Judged {
  /** Those of the trial, and what judging found: iterations and half-life, or epochs. */
  readonly settings: Settings;
  /** [users] recall@k. */
  readonly perUser: Float64Array;
  readonly isCut: boolean;
}
