/** The settings of the tutorial: its checked arguments. */
import type { Recipe } from '../compress/plan.ts';

/** The method and the size of compressed tables. */
export interface Compression {
  method: string;
  recipe: Recipe;
  /** The share of the parameters of full tables, in (0, 1]. */
  share: number;
}

/** Settings of the tutorial. */
export interface TutorialSettings {
  data: string | undefined;
  epochs: number;
  seed: number;
  user: string;
  save: string | undefined;
  /** Shrunk copies of every movie in the second half; 0 leaves it out. */
  copies: number;
  checkpoint: string | undefined;
  /** Compressed tables to train, too; then the second half is left out. */
  compression: Compression | undefined;
}
