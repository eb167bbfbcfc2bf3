/** Built leaves packed into the parts of an index: groups of codes, row numbers, rows for reordering. */
import type { Centroids } from '../../../clustering/centroids.ts';
import type { Block } from '../../../memory/heap.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { GROUP_SLOTS, type LeafParts, type LeafShape, partBytes, rowStride } from '../leaves.ts';
import type { CodedCopies } from './codes.ts';

/** Items a thread claims. */
const GRAIN = 64;

/** Blocks for all parts. */
export function allocateParts(runtime: Runtime, shape: LeafShape): LeafParts {
  return Object.fromEntries(
    Object.entries(partBytes(shape)).map(([name, bytes]) => [name, runtime.heap.allocate(bytes)]),
  );
}

/** The first group of each leaf, and after the last one the number of groups. */
export function firstGroups(begin: Int32Array): Int32Array {
  const groups = new Int32Array(begin.length);
  for (let l = 0; l + 1 < begin.length; l++) {
    groups[l + 1] = groups[l]! + Math.ceil((begin[l + 1]! - begin[l]!) / GROUP_SLOTS);
  }
  return groups;
}

/** Order the leaves, bound their groups, pack them. */
export function packLeaves(
  runtime: Runtime,
  coded: Matrix,
  shape: LeafShape,
  parts: LeafParts,
  members: { begin: Int32Array; order: Int32Array },
  leafGroups: Int32Array,
  copyRow: Block | undefined,
  codes: CodedCopies,
  centroids: Centroids,
): void {
  const { heap, pool } = runtime;
  const { leaves, dimensions: d, groups } = shape;
  const copies = members.order.length;
  const begin = heap.allocate(4 * (leaves + 1));
  const order = heap.allocate(4 * copies);
  const groupLeaf = heap.allocate(4 * groups);
  begin.integers(leaves + 1).set(members.begin);
  order.integers(copies).set(members.order);
  const owners = groupLeaf.integers(groups);
  for (let l = 0; l < leaves; l++) owners.fill(l, leafGroups[l]!, leafGroups[l + 1]!);
  const rowOfCopy = copyRow?.offset ?? 0;
  if (shape.hasBounds) {
    const quads = parts.leafQuads!.integers(leaves + 1);
    for (let l = 0; l < leaves; l++) quads[l + 1] = quads[l]! + Math.ceil((leafGroups[l + 1]! - leafGroups[l]!) / 4);
    const keys = heap.allocate(8 * copies);
    pool.run('orderLeaves', leaves, 1, {
      rows: coded.offset,
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

/** Copy rows to where reordering reads them; int8 with the largest of each dimension at 127. */
export function storeRows(runtime: Runtime, rows: Matrix, shape: LeafShape, parts: LeafParts): void {
  const { rows: n, dimensions: d } = rows;
  let inverse: Block | undefined;
  if (shape.rowKind === 2) {
    inverse = runtime.heap.allocate(4 * rowStride(d));
    const scales = parts.rowScales!.floats(d);
    const inverses = inverse.floats(d);
    const { data } = rows;
    for (let i = 0; i < n * d; i++) scales[i % d] = Math.max(scales[i % d]!, Math.abs(data[i]!));
    for (let t = 0; t < d; t++) {
      scales[t]! /= 127;
      inverses[t] = scales[t]! > 0 ? 1 / scales[t]! : 0;
    }
  }
  const order = shape.places > 0 ? placeRows(runtime, shape, parts) : undefined;
  runtime.pool.run(
    'storeRows',
    shape.places > 0 ? n : shape.groups * GROUP_SLOTS,
    256,
    rows.offset,
    d,
    (order ?? parts.rowOf!).offset,
    shape.rowKind,
    inverse?.offset ?? 0,
    rowStride(d),
    parts.rows!.offset,
  );
  order?.free();
  inverse?.free();
}

/** Give each row a place, in the order of slots, so that rows of a leaf stand near each other; returns the row of each place. */
function placeRows(runtime: Runtime, shape: LeafShape, parts: LeafParts): Block {
  const order = runtime.heap.allocate(4 * shape.places);
  const rowOfPlace = order.integers(shape.places);
  const rowOf = parts.rowOf!.integers(shape.groups * GROUP_SLOTS);
  const placeOf = parts.placeOf!.integers(rowOf.length);
  const placeOfRow = new Int32Array(shape.places).fill(-1);
  let next = 0;
  for (let slot = 0; slot < rowOf.length; slot++) {
    const row = rowOf[slot]!;
    if (row < 0) continue;
    if (placeOfRow[row]! < 0) {
      placeOfRow[row] = next;
      rowOfPlace[next++] = row;
    }
    placeOf[slot] = placeOfRow[row]!;
  }
  return order;
}
