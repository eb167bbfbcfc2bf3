/** The numbers that describe an index to its parts: what a build starts from, and the largest that it may come to. */
import { GROUP_SLOTS, type LeafShape } from '../leaves.ts';
import type { ScannSettings } from '../options.ts';
import { UPPER_FROM, upperGroupsOf } from './upper-tree.ts';

const ROW_KINDS = { float32: 0, bfloat16: 1, int8: 2 } as const;

/** A shape of the settings; what is not known is that of an index without leaves. */
export function shapeOf(
  dimensions: number,
  settings: ScannSettings,
  known: Partial<LeafShape> & { groups: number },
): LeafShape {
  return {
    dimensions,
    leaves: 0,
    upperGroups: 0,
    productBlocks: 0,
    blockWidth: 0,
    correctionBlocks: 0,
    correctionKind: 0,
    capacity: known.groups,
    builtGroups: known.groups,
    rowKind: settings.reorder === false ? 0 : ROW_KINDS[settings.reorder],
    places: 0,
    isSquared: settings.distanceMeasure === 'squared_l2',
    copies: 1,
    hasBounds: false,
    groupBound: 0,
    hasMean: false,
    hasRotation: false,
    eta: 1,
    builtDistance: 0,
    ...known,
  };
}

/** Correction of codes: 0 none, 1 for inner products, 2 for squared distances, whose norms it carries. */
export function correctionKindOf({ distanceMeasure, correction }: ScannSettings): number {
  return distanceMeasure === 'squared_l2' ? 2 : correction ? 1 : 0;
}

/** Whether the settings ask for groups of leaves. */
export function hasUpperTree(leaves: number, { upperTree }: ScannSettings): boolean {
  return upperTree === 'auto' ? leaves >= UPPER_FROM : upperTree;
}

/** The shape of n rows of d dimensions where every leaf ends with a group of one, and every row has all its copies. */
export function largestShape(n: number, d: number, settings: ScannSettings, hasTree: boolean): LeafShape {
  if (!hasTree) return shapeOf(d, settings, { groups: Math.ceil(n / GROUP_SLOTS) });
  const leaves = Math.min(settings.numLeaves, n);
  const copies = settings.soar !== false && leaves > 1 ? 2 : 1;
  const kind = correctionKindOf(settings);
  return shapeOf(d, settings, {
    groups: Math.floor((copies * n + (GROUP_SLOTS - 1) * leaves) / GROUP_SLOTS),
    leaves,
    copies,
    places: copies > 1 ? n : 0,
    upperGroups: hasUpperTree(leaves, settings) ? upperGroupsOf(leaves) : 0,
    productBlocks: Math.ceil(d / settings.dimensionsPerBlock),
    blockWidth: settings.dimensionsPerBlock,
    correctionBlocks: kind,
    correctionKind: kind,
    hasBounds: settings.groupBound !== false && settings.distanceMeasure !== 'squared_l2',
    hasMean: settings.distanceMeasure === 'squared_l2',
    hasRotation: settings.rotation !== 'none',
  });
}
