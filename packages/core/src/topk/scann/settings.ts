/** The settings of a ScaNN index: its options with their defaults filled in (options.ts). */
import type { DistanceMeasure } from '../contract.ts';

/** The number format of the rows kept for reordering. */
export type ReorderRows = 'float32' | 'bfloat16' | 'int8';

/** Options with their defaults filled in; saved as JSON. */
export interface ScannSettings {
  k: number;
  distanceMeasure: DistanceMeasure;
  /** Absent: all dimensions. */
  dimensions?: number;
  numLeaves: number;
  numLeavesToSearch: number;
  trainingIterations: number;
  trainingSampleSize: number;
  minLeafSize: number;
  initialization: 'random' | 'k-means++';
  spherical: boolean;
  dimensionsPerBlock: number;
  numReorderingCandidates: number;
  /** Absent: k. */
  tunedK?: number;
  /** Absent: the build does not measure its recall. */
  targetRecall?: number;
  reorder: ReorderRows | 'auto' | false;
  anisotropic: number | 'auto' | false;
  avq: number | false;
  soar: number | false;
  correction: boolean;
  groupBound: number | 'auto' | false;
  upperTree: boolean | 'auto';
  rotation: 'none' | 'balanced-pca' | 'auto';
  tree: 'auto' | 'always' | 'never';
  /** The most bytes of a segment. Absent: one memory. */
  segmentBytes?: number;
  seed: number;
}

/** From this width on a row has at least 32 cache lines, and builds measure formats of rows and rotations. */
export const MEASURED_FROM = 512;

/** The setting `reorder` of an index of this width: 'auto' means 'float32' below `MEASURED_FROM`. */
export function reorderOf({ reorder }: ScannSettings, dimensions: number): ScannSettings['reorder'] {
  return reorder === 'auto' && dimensions > 0 && dimensions < MEASURED_FROM ? 'float32' : reorder;
}
