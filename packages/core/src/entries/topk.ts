/**
 * The parts of an index (`shortlist/topk`): type guards for the abilities of an index, its queue of calls and changes,
 * identifiers, filters, and statistics. Re-exports only.
 */

// topk
export { type ChangeKind, IndexAccess, type LongChange, type Reading } from '../topk/access.ts';
export type { CandidateVectors, KeptRows } from '../topk/candidate-vectors.ts';
export {
  type Exclusions,
  type IndexDrift,
  isApproximate,
  isAsync,
  isRebalancing,
  isUpdatable,
  type LongChangeOptions,
} from '../topk/contract.ts';
export type { ColumnOf, IdentifierColumn, RowsByIdentifier } from '../topk/identifier-column.ts';
export { Identifiers, type IdentifierValues } from '../topk/identifiers.ts';
export { joinedLists } from '../topk/long-lists.ts';
export type { Calibration } from '../topk/scann/calibration/calibration.ts';
export type { CodeErrors, RowLoss } from '../topk/scann/leaves.ts';
export type { CallArgument } from '../topk/scann/scann.ts';
export { GroupFilter } from '../topk/scann/search/masks.ts';
export type { SearchWork } from '../topk/scann/search/search-work.ts';
export type { ScannStats } from '../topk/scann/stats.ts';
export { searchSimilar, searchSimilarAsync, similarityVector } from '../topk/similar.ts';
export type { VectorSource } from '../topk/vector-source.ts';
