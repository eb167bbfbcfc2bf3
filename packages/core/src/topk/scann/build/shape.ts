/**
 * The shape of an index, from which the sizes of its parts follow: the shape of the settings, and the largest that a
 * build may reach.
 */
import { ShapeError } from '../../../errors/errors.ts';
import { GROUP_SLOTS, type LeafShape } from '../leaves.ts';
import type { ReorderRows, ScannSettings } from '../settings.ts';
import { UPPER_FROM, upperGroupsOf } from './upper-tree.ts';

/** The number of each format in `LeafShape.rowKind`. 2 is int8 without factors of rows, which older bundles have. */
export const ROW_KINDS = { float32: 0, bfloat16: 1, int8: 3 } as const;
/** The format of each number. */
export const ROW_FORMATS: readonly ReorderRows[] = ['float32', 'bfloat16', 'int8', 'int8'];

/** A shape for the settings. Numbers that are not in `known` are those of an index without leaves. */
export function shapeOf(
  dimensions: number,
  settings: ScannSettings,
  known: Partial<LeafShape> & { groups: number },
): LeafShape {
  return {
    dimensions,
    ...(known.leaves && prefixOf(dimensions, settings)),
    leaves: 0,
    upperGroups: 0,
    productBlocks: 0,
    blockWidth: 0,
    correctionBlocks: 0,
    correctionKind: 0,
    capacity: known.groups,
    builtGroups: known.groups,
    rowKind: settings.reorder === false || settings.reorder === 'auto' ? 0 : ROW_KINDS[settings.reorder],
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

/** The prefix of rows of this width, where it is not the whole row. */
export function prefixOf(
  width: number,
  { dimensions, distanceMeasure }: ScannSettings,
): { prefix: number; hasUnitPrefix: boolean } | undefined {
  if (dimensions === undefined || dimensions >= width) return undefined;
  return { prefix: dimensions, hasUnitPrefix: distanceMeasure === 'cosine' };
}

/** @throws {ShapeError} when rows of this width have no such prefix */
export function checkPrefix(width: number, { dimensions = 0 }: ScannSettings): void {
  if (width === 0 || dimensions <= width) return;
  throw new ShapeError(`candidates: expected at least the ${dimensions} dimensions of the prefix, got ${width}`);
}

/** The kind of correction: 0 none, 1 for inner products, 2 for squared distances, where it holds the norms. */
export function correctionKindOf({ distanceMeasure, correction }: ScannSettings): number {
  return distanceMeasure === 'squared_l2' ? 2 : correction ? 1 : 0;
}

/** True when an index with these settings groups its leaves. */
export function hasUpperTree(leaves: number, { upperTree }: ScannSettings): boolean {
  return upperTree === 'auto' ? leaves >= UPPER_FROM : upperTree;
}

/**
 * The largest shape of n rows of d dimensions: the last group of every leaf has one row, and every row has all its
 * copies.
 */
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
    productBlocks: Math.ceil((prefixOf(d, settings)?.prefix ?? d) / settings.dimensionsPerBlock),
    blockWidth: settings.dimensionsPerBlock,
    correctionBlocks: kind,
    correctionKind: kind,
    hasBounds: settings.groupBound !== false && settings.distanceMeasure !== 'squared_l2',
    hasMean: settings.distanceMeasure === 'squared_l2',
    hasRotation: settings.rotation !== 'none',
  });
}
