/** Reads rows of an index, and selects rows of a matrix. */
import { Matrix } from '../../../vectors/matrix.ts';
import type { HeldRows } from '../file-rows.ts';
import type { LeafSet } from '../leaf-set.ts';
import { type Leaves, rowBytes, rowStride } from '../leaves.ts';

/** A function that reads the row of a slot: exact for float32, rounded for bfloat16 and int8. */
export type RowReader = (slot: number, to: Float32Array) => void;

/** The reader of all slots of an index. */
export function rowReader(leaves: LeafSet): RowReader {
  if (leaves.isWhole) return memoryRowReader(leaves.head);
  const readers = leaves.segments.map(memoryRowReader);
  return (slot, to) => readers[leaves.segmentOf(slot)]!(leaves.localOf(slot), to);
}

/** The reader of the slots of one memory. */
function memoryRowReader(leaves: Leaves): RowReader {
  const { shape } = leaves;
  const stride = rowStride(shape.dimensions);
  const { bytes, place } = heldRows(leaves);
  if (shape.rowKind === 0) {
    const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    return (slot, to) => {
      const at = place(slot) * stride;
      to.set(floats.subarray(at, at + to.length));
    };
  }
  if (shape.rowKind === 1) {
    const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
    const bits = new Uint32Array(1);
    const float = new Float32Array(bits.buffer);
    return (slot, to) => {
      const at = place(slot) * stride;
      for (let t = 0; t < to.length; t++) {
        bits[0] = halves[at + t]! << 16;
        to[t] = float[0]!;
      }
    };
  }
  const scales = leaves.floats('rowScales');
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const width = rowBytes(shape);
  return (slot, to) => {
    const at = place(slot) * width;
    const factor = width > stride ? floats[(at + stride) / 4]! : 1;
    for (let t = 0; t < to.length; t++) to[t] = Math.fround(signed[at + t]! * scales[t]!) * factor;
  };
}

function heldRows(leaves: Leaves): HeldRows {
  const { shape, parts, fileRows } = leaves;
  const placeOf = shape.places > 0 ? leaves.integers('placeOf') : undefined;
  const place = (slot: number): number => (placeOf ? placeOf[slot]! : slot);
  return fileRows?.held(rowBytes(shape), place) ?? { bytes: parts.rows!.bytes(), place };
}

/** The rows whose number is not −1; the same matrix where these are all rows. */
export function keepRows(rows: Matrix, numbers: Int32Array): Matrix {
  const count = numbers.reduce((sum, row) => sum + Number(row >= 0), 0);
  if (count === rows.rows) return rows;
  const kept = new Matrix(count, rows.dimensions, rows.runtime);
  let to = 0;
  numbers.forEach((row, i) => {
    if (row >= 0) kept.row(to++).set(rows.row(i));
  });
  return kept;
}
