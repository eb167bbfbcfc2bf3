/** A trial of a search: a model with its settings, and its recall on the validation part. */
import type { AlsModel } from '../als/als-fit.ts';
import type { Recommender } from '../recommenders/contract.ts';
import type { BruteForce } from '../topk/brute-force/brute-force.ts';
import type { Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';
import type { RawFeatures } from './feature-model.ts';
import type { ItemHistory } from './history-model.ts';

/**
 * The kinds of models: implicit ALS, two towers of identifiers, a tower that reads histories, and two towers over the
 * features of a spec.
 */
export const MODEL_KINDS = ['als', 'two-tower', 'history', 'features'] as const;
/** One of them. */
export type ModelKind = (typeof MODEL_KINDS)[number];

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
  | { readonly kind: 'two-tower'; readonly queryTower: Tower; readonly candidateTower: Tower }
  | { readonly kind: 'history'; readonly queryTower: Tower<ItemHistory>; readonly candidateTower: Tower }
  | { readonly kind: 'features'; readonly queryTower: Tower<RawFeatures>; readonly candidateTower: Tower<RawFeatures> };

/** The result of a fit. */
export interface Fitted {
  readonly model: FittedModel;
  readonly recommender: Recommender;
  /** An exact index of the items of a model over features; other kinds make theirs of the model. */
  readonly index?: BruteForce<ItemHistory, string> | BruteForce<RawFeatures, string> | undefined;
  /** The query of a user, from the code of the user and the items that the user chose before, the earliest first. */
  readonly queryOf: (user: number, history: readonly string[]) => Features;
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
