/** Readable forms of the kernels of rows for reordering (packages/core/assembly/reorder.ts). */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { rowBytesOf, type ScannKernels } from '../families/scann.ts';
import type { ScannSearchCall } from './scann-call.ts';

const { fround } = Math;
/** The largest float32. */
const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;

/** Element t of the row at an address, as float32; rows of kinds 2 and 3 have a scale per dimension. */
function element(
  { bytes, floats }: Pick<LinearMemory, 'bytes' | 'floats'>,
  row: number,
  kind: number,
  scales: number,
  t: number,
): number {
  if (kind === 0) return floats[row / 4 + t]!;
  if (kind > 1) return fround(((bytes[row + t]! << 24) >> 24) * floats[scales / 4 + t]!);
  const bits = (bytes[row + 2 * t + 1]! << 24) | (bytes[row + 2 * t]! << 16);
  return new Float32Array(Int32Array.of(bits).buffer)[0]!;
}

/** Σ q·(f·x) or −Σ (q − f·x)² of a slot, summed in the order of the dimensions; f is the factor of a row of kind 3, else 1. */
export function exactScore({ memory, index, integer }: ScannSearchCall, query: number, slot: number): number {
  const { stride, placeOf, rows, rowKind, rowScales, squared } = index;
  const views = { bytes: memory.bytes, floats: memory.floats };
  const place = placeOf ? integer(placeOf, slot) : slot;
  const row = rows + place * rowBytesOf(rowKind, stride);
  const factor = rowKind === 3 ? views.floats[(row + stride) / 4]! : 1;
  let sum = 0;
  for (let t = 0; t < stride; t++) {
    const x = fround(element(views, row, rowKind, rowScales, t) * factor);
    const q = views.floats[query / 4 + t]!;
    const difference = fround(q - x);
    sum = fround(sum + (squared ? fround(difference * difference) : fround(q * x)));
  }
  // + 0 makes −0 the 0 that keys hold.
  return (squared ? -sum : sum) + 0;
}

/** The upper halves of the numbers, rounded to even. */
function bfloat16(row: Float32Array): Uint8Array {
  const halves = Uint16Array.from(row, (x) => {
    const bits = new Uint32Array(Float32Array.of(x).buffer)[0]!;
    return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  });
  return new Uint8Array(halves.buffer);
}

/** A number rounded to even, within ±127. */
function int8(x: number): number {
  const low = Math.floor(x);
  const even = low % 2 === 0 ? low : low + 1;
  return Math.max(-127, Math.min(127, x - low === 0.5 ? even : Math.round(x)));
}

/** The factor of a scaled row: the largest magnitude becomes 127, a row of whole numbers within ±127 stays as it is. */
function factorOf(scaled: Float32Array): number {
  const most = scaled.reduce((max, x) => (Math.abs(x) > max ? Math.abs(x) : max), 0);
  if (most === 0) return 0;
  if (most <= 127 && scaled.every(Number.isInteger)) return 1;
  return fround(Math.min(most, MAX_FLOAT) / 127);
}

/** The kernel that stores rows. */
export function storeRowsReference(memory: LinearMemory): Pick<ScannKernels, 'storeRows'> {
  return {
    storeRows(begin, end, _slot, rows, d, rowOf, kind, inverseScales, stride, to) {
      const { bytes, floats, integers } = memory;
      for (let slot = begin; slot < end; slot++) {
        const row = rowOf ? integers[rowOf / 4 + slot]! : slot;
        const width = rowBytesOf(kind, stride);
        const target = to + slot * width;
        bytes.fill(0, target, target + width);
        if (row < 0) continue;
        const x = floats.subarray(rows / 4 + row * d, rows / 4 + (row + 1) * d);
        if (kind === 0) floats.set(x, target / 4);
        else if (kind === 1) bytes.set(bfloat16(x), target);
        else {
          const scaled = x.map((value, t) => fround(value * floats[inverseScales / 4 + t]!));
          const factor = kind === 3 ? factorOf(scaled) : 1;
          const inverse = factor === 0 ? 1 : fround(1 / factor);
          bytes.set(
            Int8Array.from(scaled, (value) => int8(fround(value * inverse))),
            target,
          );
          if (kind === 3) floats[(target + stride) / 4] = factor;
        }
      }
    },
  };
}
