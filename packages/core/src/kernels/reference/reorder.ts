/** Readable forms of the kernels of rows for reordering (packages/core/assembly/reorder.ts). */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { ScannKernels } from '../families/scann.ts';
import type { ScannSearchCall } from './scann-call.ts';

const { fround } = Math;

/** Element t of row `at`, as float32. Kinds: 0 float32, 1 bfloat16, 2 int8 with a scale per dimension. */
function element(
  { bytes, floats }: Pick<LinearMemory, 'bytes' | 'floats'>,
  rows: number,
  kind: number,
  scales: number,
  at: number,
  t: number,
): number {
  if (kind === 0) return floats[rows / 4 + at]!;
  if (kind === 2) return fround(((bytes[rows + at]! << 24) >> 24) * floats[scales / 4 + t]!);
  const bits = (bytes[rows + 2 * at + 1]! << 24) | (bytes[rows + 2 * at]! << 16);
  return new Float32Array(Int32Array.of(bits).buffer)[0]!;
}

/** Σ q·x or −Σ (q − x)² of a slot, summed in the order of the dimensions. */
export function exactScore({ memory, index, integer }: ScannSearchCall, query: number, slot: number): number {
  const { stride, placeOf, rows, rowKind, rowScales, squared } = index;
  const views = { bytes: memory.bytes, floats: memory.floats };
  const place = placeOf ? integer(placeOf, slot) : slot;
  let sum = 0;
  for (let t = 0; t < stride; t++) {
    const x = element(views, rows, rowKind, rowScales, place * stride + t, t);
    const q = views.floats[query / 4 + t]!;
    const difference = fround(q - x);
    sum = fround(sum + (squared ? fround(difference * difference) : fround(q * x)));
  }
  // + 0 makes −0 the 0 that keys hold.
  return (squared ? -sum : sum) + 0;
}

/** The kernel that stores rows. */
export function storeRowsReference(memory: LinearMemory): Pick<ScannKernels, 'storeRows'> {
  return {
    storeRows(begin, end, _slot, rows, d, rowOf, kind, inverseScales, stride, to) {
      const { bytes, floats, integers } = memory;
      for (let slot = begin; slot < end; slot++) {
        const row = rowOf ? integers[rowOf / 4 + slot]! : slot;
        const width = 4 >> kind;
        bytes.fill(0, to + slot * stride * width, to + (slot + 1) * stride * width);
        for (let t = 0; row >= 0 && t < d; t++) {
          const x = floats[rows / 4 + row * d + t]!;
          const at = slot * stride + t;
          if (kind === 0) floats[to / 4 + at] = x;
          else if (kind === 1) {
            const bits = new Uint32Array(Float32Array.of(x).buffer)[0]!;
            const rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
            bytes[to + 2 * at] = rounded & 255;
            bytes[to + 2 * at + 1] = rounded >>> 8;
          } else {
            const scaled = fround(x * floats[inverseScales / 4 + t]!);
            const low = Math.floor(scaled);
            const even = low % 2 === 0 ? low : low + 1;
            bytes[to + at] = Math.max(-127, Math.min(127, scaled - low === 0.5 ? even : Math.round(scaled)));
          }
        }
      }
    },
  };
}
