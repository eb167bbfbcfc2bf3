/** A trial of a search: a model with its settings, and how good it was on the validation part. */
import type { AlsModel } from '../als/fit-als.ts';
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

/** What was tried. */
export interface Trial extends ChosenModel {
  /** The mean of recall@k over the users of the validation part. */
  readonly recall: number;
  /** [users] recall@k of each, in the order of their codes: for comparing two trials. */
  readonly perUser: readonly number[];
  /** To fit and to judge. */
  readonly seconds: number;
}

/** A fitted model, by kind. */
export type FittedModel =
  | ({ readonly kind: 'als' } & AlsModel)
  | { readonly kind: 'two-tower'; readonly queryTower: Tower; readonly candidateTower: Tower };

/** What fitting found. */
export interface Fitted {
  readonly model: FittedModel;
  readonly recommender: Recommender;
  /** Those of the trial, and what fitting found: the best epoch. */
  readonly settings: Settings;
  /** [users] recall@k on the validation part, where fitting judged by it. */
  readonly perUser?: Float64Array | undefined;
}
