/**
 * Turns the rows of a build into the rows of its index within their block, so that no second copy of the rows is in
 * memory. The rows are first converted to the number format of the index, then each is moved to its slot (or to its
 * place, where a row may have two slots).
 */
import type { Block } from '../../../memory/heap.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { GROUP_SLOTS, type LeafParts, type LeafShape, type Leaves, rowBytes, rowPlaces, rowStride } from '../leaves.ts';
import { PIECE_ROWS } from './coded-rows.ts';

/** Rows a thread claims. */
const GRAIN = 256;

/**
 * Take over the rows as the part `rows`. For int8, the largest magnitude of each dimension gives its scale, and that of each
 * scaled row its factor.
 */
export function storeRows(runtime: Runtime, rows: Matrix, shape: LeafShape, parts: LeafParts): void {
  const { rows: n } = rows;
  const bytes = rowBytes(shape);
  const order = shape.places > 0 ? placeRows(shape, parts) : parts.rowOf!.integers(shape.groups * GROUP_SLOTS);
  const room = Math.max(64, bytes * order.length);
  const block = roomyBlock(runtime, rows, room);
  parts.rows = block;
  convertRows(runtime, block, n, shape, parts);
  moveRows(block.integers((bytes / 4) * Math.max(n, order.length)), bytes / 4, n, order);
  block.resize(room);
}

/** Convert the float32 rows of an index to another format, in place. */
export function convertStoredRows({ runtime, shape, parts }: Leaves, rowKind: number): void {
  const { dimensions: d } = shape;
  const places = rowPlaces(shape);
  if (rowKind > 1) parts.rowScales = runtime.heap.allocate(4 * rowStride(d));
  shape.rowKind = rowKind;
  // The zeros after a row are converted with it.
  convertRows(runtime, parts.rows!, places, { ...shape, dimensions: rowStride(d) }, parts);
  parts.rows!.resize(Math.max(64, places * rowBytes(shape)));
}

/** The block of the rows, enlarged to the size that the index needs. */
function roomyBlock(runtime: Runtime, rows: Matrix, room: number): Block {
  const block = rows.handOver();
  if (block.sizeBytes >= room || block.resize(room)) return block;
  try {
    const moved = runtime.heap.allocateUnfilled(room);
    moved.bytes().set(block.bytes().subarray(0, 4 * rows.rows * rows.dimensions));
    return moved;
  } finally {
    block.free();
  }
}

/** Convert rows [n, d] float32 at the start of a block to rows of the index, one after the other. */
function convertRows(runtime: Runtime, block: Block, n: number, shape: LeafShape, parts: LeafParts): void {
  const { dimensions: d, rowKind } = shape;
  const stride = rowStride(d);
  if (n === 0 || (rowKind === 0 && stride === d)) return;
  const inverse = rowKind > 1 ? scaleDimensions(runtime, block.floats(n * d), d, parts) : undefined;
  const bytes = rowBytes(shape);
  const piece = runtime.heap.allocateUnfilled(4 * Math.min(n, PIECE_ROWS) * d);
  const pieces = Math.ceil(n / PIECE_ROWS);
  for (let i = 0; i < pieces; i++) {
    // Rows that become longer are converted from the last one, so that no row is overwritten before it is read.
    const first = PIECE_ROWS * (bytes > 4 * d ? pieces - 1 - i : i);
    const count = Math.min(PIECE_ROWS, n - first);
    piece.floats(count * d).set(block.floats(count * d, 4 * first * d));
    const to = block.offset + first * bytes;
    runtime.pool.run('storeRows', count, GRAIN, piece.offset, d, 0, rowKind, inverse?.offset ?? 0, stride, to);
  }
  piece.free();
  inverse?.free();
}

/** Write the scales of int8 rows; returns their inverses. */
function scaleDimensions(runtime: Runtime, data: Float32Array, d: number, parts: LeafParts): Block {
  const inverse = runtime.heap.allocate(4 * rowStride(d));
  const scales = parts.rowScales!.floats(d);
  const inverses = inverse.floats(d);
  takeMagnitudes(data, scales);
  for (let t = 0; t < d; t++) {
    scales[t]! /= 127;
    inverses[t] = scales[t]! > 0 ? 1 / scales[t]! : 0;
  }
  return inverse;
}

/** Raise `magnitudes` [d] to the largest magnitude of each dimension of rows [n, d]. */
export function takeMagnitudes(data: Float32Array, magnitudes: Float32Array): void {
  const d = magnitudes.length;
  for (let at = 0; at < data.length; at += d) {
    for (let t = 0; t < d; t++) magnitudes[t] = Math.max(magnitudes[t]!, Math.abs(data[at + t]!));
  }
}

/**
 * Move rows 0 … n − 1 of `words` int32 each, so that position p has row order[p], or zeros where that is −1. Every row
 * is in the order once, so the moves form chains, which start at a position after the rows, and cycles.
 */
function moveRows(all: Int32Array, words: number, n: number, order: Int32Array): void {
  const isDone = new Uint8Array(order.length);
  all.fill(0, n * words);
  const move = (from: number, to: number): void => {
    all.copyWithin(to * words, from * words, (from + 1) * words);
  };
  for (let start = n; start < order.length; start++) {
    let position = start;
    while (position < order.length && order[position]! >= 0) {
      const row = order[position]!;
      move(row, position);
      isDone[position] = 1;
      position = row;
    }
    if (position !== start) all.fill(0, position * words, (position + 1) * words);
  }
  const held = new Int32Array(words);
  for (let start = 0; start < Math.min(n, order.length); start++) {
    if (isDone[start] || order[start]! < 0 || order[start] === start) continue;
    held.set(all.subarray(start * words, (start + 1) * words));
    let position = start;
    while (order[position] !== start) {
      move(order[position]!, position);
      isDone[position] = 1;
      position = order[position]!;
    }
    all.set(held, position * words);
    isDone[position] = 1;
  }
}

/**
 * Give each row a place, in the order of slots, so that the rows of a leaf are near each other in memory; returns the
 * row of each place.
 */
function placeRows(shape: LeafShape, parts: LeafParts): Int32Array {
  const rowOfPlace = new Int32Array(shape.places);
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
  return rowOfPlace;
}
