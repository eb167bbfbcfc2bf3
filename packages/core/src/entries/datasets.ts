/**
 * The data sets that come with the library (`shortlist/datasets`): MovieLens-100K, and synthetic data of its shape.
 * Re-exports only.
 */

// data
export {
  MOVIELENS_100K_ROWS,
  MOVIELENS_GENRES,
  type MovieLens,
  type MovieLensFiles,
  type Movies,
  parseMovieLens100K,
  type Users,
} from '../data/movielens-100k.ts';
export { type MovieLensRatings, takeRatings } from '../data/movielens-ratings.ts';
export { syntheticMovieLens } from '../data/synthetic.ts';
export { type TutorialSplit, tutorialSplit } from '../data/tutorial-split.ts';
