/** The arguments of `shortlist tutorial` as checked settings. */
import type { Recipe } from '../compress/plan.ts';

/** Which compressed tables, and how small. */
export interface Compression {
  method: string;
  recipe: Recipe;
  /** Of the full tables' parameters, in (0, 1]. */
  share: number;
}

/** The tutorial's settings, from the arguments. */
export interface TutorialSettings {
  data: string | undefined;
  epochs: number;
  seed: number;
  user: string;
  save: string | undefined;
  /** Shrunk copies of every movie in the second half; 0 leaves it out. */
  copies: number;
  checkpoint: string | undefined;
  /** Compressed tables beside the full ones; the first half only. */
  compression: Compression | undefined;
}
