/** The messages between the benchmark and the processes that build and serve an index. */
import type { ReorderRows, ScannOptions } from 'shortlist';
import { balancedPca, segmentsOf } from 'shortlist';
import type { VectorsOf } from './vectors.ts';

/** A build. */
export interface BuildOrder {
  vectors: VectorsOf;
  path: string;
  numLeaves: number;
  reorder: ReorderRows;
  /** Absent: 2, the default of ScaNN. */
  dimensionsPerBlock?: number;
  /** Rotate by balanced PCA before coding. */
  isRotated?: boolean;
  /** λ of second leaves (SOAR); false: candidates have one leaf. */
  soar?: number | false;
  memoryBytes: number;
  /** Absent: the segments that the build chooses. */
  segmentBytes?: number;
}

export interface BuildReport {
  /** From the first byte of the source to the whole file. */
  seconds: number;
  peakBytes: number;
  fileBytes: number;
  segments: number;
  leaves: number;
}

/** A setting of calls. */
export interface CallPoint {
  leavesToSearch: number;
  reorder: number;
  /** The bound for skipping groups; false: none is skipped; absent: that of the build. */
  groupBound?: number | false;
}

/** A setting of calls with its measurements. */
export interface ServedPoint extends CallPoint {
  recall: number;
  p50Ms: number;
  p99Ms: number;
}

/** The order to serve an index; its queries and truth are .npy files. */
export interface ServeOrder {
  path: string;
  queries: string;
  truth: string;
  rows: 'memory' | 'file';
  rowCacheBytes: number;
  /** The least recall: the fastest setting that reaches it is reported. */
  recall: number;
  grid: readonly CallPoint[];
}

export interface ServeReport {
  /** Seconds from the start of loading to the first result. */
  firstSeconds: number;
  /** Resident memory after all queries. */
  residentBytes: number;
  /** The fastest setting that reaches the recall; undefined where none does. */
  best: ServedPoint | undefined;
  /** The setting with the largest recall. */
  most: ServedPoint;
  /** Each query once with the best setting, when no page of the file is in the cache of the system; for rows in the file. */
  cold: { p50Ms: number; p99Ms: number; pagesPerQuery: number } | undefined;
}

/** The options of the index of a build. */
export function optionsOf(order: BuildOrder): ScannOptions<Float32Array> {
  const { numLeaves, reorder, dimensionsPerBlock, isRotated, soar = false, segmentBytes, vectors } = order;
  const distanceMeasure = vectors.kind === 'text' ? 'cosine' : 'dot_product';
  const segments = segmentBytes === undefined ? {} : { segments: segmentsOf(segmentBytes) };
  const block = dimensionsPerBlock === undefined ? {} : { dimensionsPerBlock };
  const rotation = isRotated ? balancedPca.name : 'none';
  return { distanceMeasure, numLeaves, reorder, rotation, soar, seed: 1, ...block, ...segments };
}
