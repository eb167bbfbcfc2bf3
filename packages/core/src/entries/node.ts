/**
 * The functions that need Node's file system or network (`shortlist/node`): bundles and checkpoints as files, MovieLens from a folder or
 * a download. Re-exports only.
 */

// bundle
export { type BundleBuild, buildBundle } from '../bundle/build-bundle.ts';
export { fileRuns } from '../bundle/file-runs.ts';
export { loadBundle, loadCheckpoint, type SaveOptions, saveBundle, saveCheckpoint } from '../bundle/save.ts';
export { trainingLogFile } from '../bundle/training-log-file.ts';
// data
export type { DownloadProgress } from '../data/download.ts';
export { MOVIELENS_100K_ARCHIVE, type MovieLensArchive } from '../data/movielens-archive.ts';
export { readMovieLensFolder } from '../data/movielens-folder.ts';
export {
  loadMovieLens,
  type MovieLensSource,
  type MovieLensSourceOptions,
  type SourcedMovieLens,
} from '../data/source.ts';
export { removeAbandoned, removeUnfinished, unfinishedPath } from '../data/unfinished-files.ts';
// errors
export { isSystemError, kindOfEntry, systemReason } from '../errors/system-errors.ts';
