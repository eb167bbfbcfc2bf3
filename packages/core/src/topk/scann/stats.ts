/** Statistics of an index: bytes of each part, leaf sizes, settings, notes. */

import { SEGMENTS_MAX } from '../../format/layout.ts';
import { ROW_FORMATS } from './build/shape.ts';
import type { Calibration } from './calibration/calibration.ts';
import { MEASUREMENTS } from './calibration/measurements.ts';
import type { LeafSet } from './leaf-set.ts';
import { type CodeErrors, codedDimensions, type RowLoss } from './leaves.ts';
import type { ReorderRows, ScannSettings } from './settings.ts';

/** Statistics of an index. */
export interface ScannStats {
  size: number;
  dimensions: number;
  /** Dimensions of leaves and codes: fewer than `dimensions` where the option `dimensions` is. */
  codedDimensions: number;
  /** 'flat': every candidate is scored exactly; 'none' before `index`. */
  kind: 'tree' | 'flat' | 'none';
  settings: ScannSettings;
  /** Bytes of each part. */
  partBytes: Record<string, number>;
  sizeBytes: number;
  /** Leaves, and points (with second copies) in the smallest, the median and the largest. */
  leaves: number;
  leafSizes: { least: number; median: number; most: number };
  /** Blocks of 4 bits per candidate. */
  blocks: number;
  /** Dimensions of a block of the codes. */
  dimensionsPerBlock: number;
  /** True where rows are rotated before they are coded. */
  isRotated: boolean;
  /** The measurement of a build with `rotation: 'auto'`; undefined where it measured none. */
  codeErrors: CodeErrors | undefined;
  /** True where groups of a leaf may be skipped by their bound. */
  hasGroupBounds: boolean;
  /** The option `groupBound` of the index, in standard errors; 0: no group is skipped. */
  groupBound: number;
  /** The number format of the rows for reordering; false: results have approximate scores. */
  reorder: ReorderRows | false;
  /**
   * The share of the k best results that rows in a smaller format lose, measured by a build with `reorder: 'auto'`;
   * undefined where it measured none.
   */
  rowLoss: RowLoss | undefined;
  /** η the codes were made with. */
  eta: number;
  /** Memories that have the candidates; 1 without `segments`. */
  segments: number;
  /** The measurements of a build with `targetRecall`. */
  measured: Calibration | undefined;
  /** The differences between the index and its settings, in sentences. */
  notes: string[];
}

/** Collect the statistics. */
export function scannStats(
  settings: ScannSettings,
  leaves: LeafSet | undefined,
  size: number,
  measured: Calibration | undefined,
): ScannStats {
  const shape = leaves?.shape;
  const notes: string[] = [];
  const kind = shape ? (shape.leaves > 0 ? 'tree' : 'flat') : 'none';
  if (kind === 'flat') {
    notes.push(`${size} candidates are few: each is scored exactly, and there are no leaves`);
  }
  if (kind === 'tree') {
    if (shape!.leaves < settings.numLeaves) {
      notes.push(`numLeaves: ${shape!.leaves} instead of ${settings.numLeaves}, as there are ${size} candidates`);
    }
    if (settings.numLeavesToSearch > shape!.leaves) {
      notes.push(`numLeavesToSearch: ${shape!.leaves}, all leaves, instead of ${settings.numLeavesToSearch}`);
    }
  }
  if (settings.segmentBytes !== undefined && leaves) {
    const most = Math.max(...leaves.segments.map(({ sizeBytes }) => sizeBytes));
    if (kind === 'flat') notes.push('segments: an index without leaves stays in one memory');
    else if (leaves.segments.length === SEGMENTS_MAX && most > settings.segmentBytes) {
      notes.push(
        `segments: up to ${most} instead of ${settings.segmentBytes} bytes, as there are ${SEGMENTS_MAX} segments`,
      );
    }
  }
  if (measured) notes.push(MEASUREMENTS.recall!.noteOf(measured));
  const reorder = settings.reorder !== false && ROW_FORMATS[shape?.rowKind ?? 0]!;
  if (shape?.rowLoss) notes.push(MEASUREMENTS.rows!.noteOf(reorder, shape.rowLoss));
  else if (kind === 'tree' && settings.reorder === 'auto' && !MEASUREMENTS.rows) {
    notes.push(
      'reorder: rows are kept as float32; measuredRows.name of shortlist brings the code that chooses a format',
    );
  }
  if (shape?.codeErrors) {
    notes.push(MEASUREMENTS.rotation!.noteOf(shape.codeErrors, shape.hasRotation, shape.blockWidth));
  }
  const sizes = leaves && kind === 'tree' ? leafSizes(leaves) : [];
  return {
    size,
    dimensions: shape?.dimensions ?? 0,
    codedDimensions: shape ? codedDimensions(shape) : 0,
    kind,
    settings,
    partBytes: leaves ? bytesByPart(leaves) : {},
    sizeBytes: leaves?.sizeBytes ?? 0,
    leaves: shape?.leaves ?? 0,
    leafSizes: { least: sizes[0] ?? 0, median: sizes[sizes.length >> 1] ?? 0, most: sizes.at(-1) ?? 0 },
    blocks: (shape?.productBlocks ?? 0) + (shape?.correctionBlocks ?? 0),
    dimensionsPerBlock: shape?.blockWidth ?? 0,
    isRotated: shape?.hasRotation ?? false,
    codeErrors: shape?.codeErrors,
    hasGroupBounds: shape?.hasBounds ?? false,
    groupBound: shape?.hasBounds ? shape.groupBound : 0,
    reorder,
    rowLoss: shape?.rowLoss,
    eta: shape?.eta ?? 1,
    segments: leaves?.segments.length ?? 1,
    measured,
    notes,
  };
}

function leafSizes(leaves: LeafSet): number[] {
  const words = leaves.segments.map((segment) => segment.integers('valid'));
  return Array.from({ length: leaves.shape.leaves }, (_, leaf) => {
    const s = leaves.ownerOfLeaf(leaf);
    const valid = words[s]!;
    let points = 0;
    for (const group of leaves.segments[s]!.groupsOf(leaf))
      for (let word = valid[group]!; word !== 0; word &= word - 1) points++;
    return points;
  }).sort((a, b) => a - b);
}

/** Bytes of each part; those of segments are summed. */
function bytesByPart(leaves: LeafSet): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, { length }] of Object.entries(leaves.bytes())) {
    const part = name.slice(name.lastIndexOf('/') + 1);
    sums[part] = (sums[part] ?? 0) + length;
  }
  return sums;
}
