/**
 * The records that describe an index and a call to the search kernel: fields of 4 bytes in the order of these lists.
 * packages/core/assembly/scann-records.ts has the same fields at the same bytes; a test compares the two.
 */
import type { Block } from '../memory/heap.ts';

/** Fields of an index. Offsets and counts are integers; those marked f are float32. */
export const INDEX_FIELDS = [
  'stride',
  'dimensions',
  'pairs',
  'leafPanels',
  'centroids',
  'centroidUnscale', // f
  'leafAddend',
  'leafInverseNorm',
  'leafGroups',
  'leafExtra',
  'nextGroup',
  'upperPanels',
  'upperCentroids',
  'upperUnscale', // f
  'upperAddend',
  'upperLeaves',
  'productBlocks',
  'blockWidth',
  'codebook',
  'correctionBlocks',
  'corrections',
  'correctionIsRelative',
  'codes',
  'rowOf',
  'valid',
  'leafBounds',
  'bounds',
  'rows',
  'rowKind',
  'rowScales',
  'placeOf',
  'squared',
  'mean',
  'copies',
  'groups',
  'rotation',
] as const;

/** Fields of a call. */
export const CALL_FIELDS = [
  'queries',
  'results',
  'leavesToSearch',
  'upperToOpen',
  'reorder',
  'pruneBeta', // f
  'filter',
  'masks',
  'exclusions',
  'exclusionBegin',
  'slots',
  'slotCount',
  'scoresOut',
  'rowsOut',
  'countsOut',
  'countersOut',
  'scratch',
  'scratchStride',
  'areaQuery',
  'areaQuery16',
  'areaScores',
  'areaMaxima',
  'areaPanels',
  'areaKeys',
  'areaValues',
  'areaMinima',
  'areaTables',
  'areaGroupIds',
  'areaGroupMaxima',
  'areaGroupScores',
  'areaSlots',
  'areaSlotScores',
  'areaHistogram',
  'areaBest',
  'reorderExactly',
] as const;

const FLOATS: ReadonlySet<string> = new Set(['centroidUnscale', 'upperUnscale', 'pruneBeta']);

/** The number of each field of an index. */
export const INDEX: IndexRecord = Object.fromEntries(INDEX_FIELDS.map((field, i) => [field, i])) as IndexRecord;
/** The number of each field of a call. */
export const CALL: CallRecord = Object.fromEntries(CALL_FIELDS.map((field, i) => [field, i])) as CallRecord;

/** An index to the kernel. */
export type IndexRecord = Record<(typeof INDEX_FIELDS)[number], number>;
/** A call to the kernel. */
export type CallRecord = Record<(typeof CALL_FIELDS)[number], number>;

/** Bytes of a record, whichever. */
export const RECORD_BYTES: number = 4 * Math.max(INDEX_FIELDS.length, CALL_FIELDS.length);

/** Write a record to the start of a block. */
export function writeRecord<K extends string>(block: Block, fields: readonly K[], record: Record<K, number>): void {
  const integers = block.integers(fields.length);
  const floats = block.floats(fields.length);
  fields.forEach((field, i) => {
    if (FLOATS.has(field)) floats[i] = record[field];
    else integers[i] = record[field];
  });
}
