/** Packs the built leaves into the parts of an index: groups of codes, and row numbers. */
import type { Centroids } from '../../../clustering/centroids.ts';
import type { Block } from '../../../memory/heap.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { GROUP_SLOTS, type LeafParts, type LeafShape, partBytes } from '../leaves.ts';
import type { CodedRows } from './coded-rows.ts';
import type { CodedCopies } from './codes.ts';

/** Items a thread claims. */
const GRAIN = 64;

/** Blocks for all parts except the rows, which already have a block. */
export function allocateParts(runtime: Runtime, shape: LeafShape): LeafParts {
  return Object.fromEntries(
    Object.entries(partBytes(shape))
      .filter(([name]) => name !== 'rows')
      .map(([name, bytes]) => [name, runtime.heap.allocate(bytes)]),
  );
}

/** The first group of each leaf, followed by the number of groups. */
export function firstGroups(begin: Int32Array): Int32Array {
  const groups = new Int32Array(begin.length);
  for (let l = 0; l + 1 < begin.length; l++) {
    groups[l + 1] = groups[l]! + Math.ceil((begin[l + 1]! - begin[l]!) / GROUP_SLOTS);
  }
  return groups;
}

/** Sort the copies within each leaf, compute the bounds of its groups and pack the groups. */
export function packLeaves(
  runtime: Runtime,
  coded: CodedRows,
  shape: LeafShape,
  parts: LeafParts,
  members: { begin: Int32Array; order: Int32Array },
  leafGroups: Int32Array,
  copyRow: Block | undefined,
  codes: CodedCopies,
  centroids: Centroids,
): void {
  const { heap, pool } = runtime;
  const { leaves, groups } = shape;
  const d = coded.dimensions;
  const copies = members.order.length;
  const begin = heap.allocate(4 * (leaves + 1));
  const order = heap.allocate(4 * copies);
  const groupLeaf = heap.allocate(4 * groups);
  begin.integers(leaves + 1).set(members.begin);
  order.integers(copies).set(members.order);
  const owners = groupLeaf.integers(groups);
  for (let l = 0; l < leaves; l++) owners.fill(l, leafGroups[l]!, leafGroups[l + 1]!);
  const rowOfCopy = copyRow?.offset ?? 0;
  if (shape.hasBounds && coded.matrix) {
    const quads = parts.leafQuads!.integers(leaves + 1);
    for (let l = 0; l < leaves; l++) quads[l + 1] = quads[l]! + Math.ceil((leafGroups[l + 1]! - leafGroups[l]!) / 4);
    const keys = heap.allocate(8 * copies);
    pool.run('orderLeaves', leaves, 1, {
      rows: coded.matrix.offset,
      d,
      copyRow: rowOfCopy,
      centroids: centroids.matrix.offset,
      leafBegin: begin.offset,
      order: order.offset,
      leafQuads: parts.leafQuads!.offset,
      bounds: parts.bounds!.offset,
      keys: keys.offset,
    });
    keys.free();
  }
  pool.run('packGroups', groups, GRAIN, {
    groupLeaf: groupLeaf.offset,
    leafGroups: parts.leafGroups!.offset,
    leafBegin: begin.offset,
    order: order.offset,
    copyRow: rowOfCopy,
    codes: codes.codes.offset,
    blocks: shape.productBlocks,
    correctionCodes: codes.correctionCodes.offset,
    corrections: shape.correctionBlocks,
    packed: parts.codes!.offset,
    rowOfSlot: parts.rowOf!.offset,
    valid: parts.valid!.offset,
  });
  for (const block of [begin, order, groupLeaf]) block.free();
}
