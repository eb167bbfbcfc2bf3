/** The part of the public interface that needs Node's file system or network (`shortlist/node`): re-exports only. */

// data
export { readMovieLensFolder } from './data/movielens-folder.ts';
