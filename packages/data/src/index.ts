/** The public API of `@shortlist/data`. It only re-exports, folder by folder in the order of the tiers. */

// bytes
export type { ReadProgress } from './bytes/file-bytes.ts';
export { type BrokenRow, ReadLog, type ReadLogOptions } from './bytes/read-log.ts';
export type { Cell, Cells } from './columns/cell.ts';
export type { CodeColumn, CompactNumbers, NumberColumn } from './columns/segments.ts';
// columns
export type { TextDictionary } from './columns/text-dictionary.ts';
export { parseTime, type TimeUnit } from './columns/time.ts';
// inference
export { type ColumnKind, type ColumnProfile, profileTable, type TableProfile } from './inference/column-profile.ts';
export { type Like, parseLike, type RowTest } from './inference/like.ts';
export { assignRoles, type RoleColumn, type RoleOptions, type RoleReason, type Roles } from './inference/roles.ts';
export { describeFindings, describeInteractions } from './interactions/describe.ts';
export type { EncodedColumn, InteractionTable, SelectedInteractions } from './interactions/interaction-table.ts';
export { describeLeaks, findLeaks, type Leaks } from './interactions/leaks.ts';
export { likedRows } from './interactions/liked-rows.ts';
export type { InteractionQuality } from './interactions/quality.ts';
export {
  type InferredColumns,
  type InferredFile,
  type IngestProgress,
  type ReadInteractions,
  type ReadInteractionsOptions,
  readInteractions,
} from './interactions/read-interactions.ts';
// interactions
export type { RowCounts } from './interactions/row-reader.ts';
// items
export {
  coverageOf,
  type ItemColumn,
  type ItemColumnKind,
  type ItemCoverage,
  type ItemTable,
  type ItemValue,
  joinItems,
} from './items/item-table.ts';
export { type ReadItems, type ReadItemsOptions, readItems } from './items/read-items.ts';
// tables
export type { BatchRequest, Table, TableBatch, TableFormat, TableOptions } from './tables/contract.ts';
export { openTable } from './tables/open-table.ts';
// tensors
export { readTensors, TENSOR_ENDINGS, writeTensors } from './tensors/tensor-files.ts';
// training
export { type RowWords, type TableSourceOptions, tableSource } from './training/table-source.ts';
// vectors
export type { VectorBatch, VectorColumns, VectorFile, VectorRequest } from './vectors/contract.ts';
export { distinctIdentifiers, readIdentifiers } from './vectors/identifiers.ts';
export { openVectors, vectorDataset } from './vectors/open-vectors.ts';
// writers
export type { OutputBatch, OutputColumn } from './writers/batch-formats.ts';
export { identifiersPath, OUTPUT_ENDINGS, VECTOR_OUTPUT_ENDINGS, writeBatches } from './writers/write-batches.ts';
