/** Readable forms of the assignment kernels (packages/core/assembly/assign.ts), in float32 in the same order. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { ASSIGN_NEAREST, ASSIGN_SECOND, type AssignKernels } from '../families/assign.ts';
import { type RecordValues, readRecord } from '../record.ts';

const PANEL = 8;
const { fround } = Math;

/** start + Σ_t a[t] · centroid c [t], from packed panels. */
function dot({ floats }: LinearMemory, start: number, a: number, packed: number, c: number, d: number): number {
  let sum = start;
  const panel = packed / 4 + Math.floor(c / PANEL) * PANEL * d + (c % PANEL);
  for (let t = 0; t < d; t++) sum = fround(sum + fround(floats[a / 4 + t]! * floats[panel + t * PANEL]!));
  return sum;
}

/** SOAR's second centroid of a row; `direction` is scratch of d floats. */
function secondCentroid(
  memory: LinearMemory,
  row: number,
  { rows, d, packed, halfSquares, panels, centroids, labels, lambda }: RecordValues<typeof ASSIGN_SECOND>,
  direction: number,
): number {
  const { floats, integers } = memory;
  const half = fround(fround(lambda) * 0.5);
  const x = rows / 4 + row * d;
  const c = centroids / 4 + integers[labels / 4 + row]! * d;
  let square = 0;
  for (let t = 0; t < d; t++) {
    const r = fround(floats[x + t]! - floats[c + t]!);
    floats[direction / 4 + t] = r;
    square = fround(square + fround(r * r));
  }
  const inverse = square < fround(1e-7) ? 0 : fround(1 / fround(Math.sqrt(square)));
  let along = 0;
  for (let t = 0; t < d; t++) {
    const u = fround(floats[direction / 4 + t]! * inverse);
    floats[direction / 4 + t] = u;
    along = fround(along + fround(floats[x + t]! * u));
  }
  let best = Number.NEGATIVE_INFINITY;
  let label = 0;
  for (let k = 0; k < panels * PANEL; k++) {
    const e = fround(along - dot(memory, 0, direction, packed, k, d));
    const near = dot(memory, -floats[halfSquares / 4 + k]!, 4 * x, packed, k, d);
    const score = fround(near - fround(half * fround(e * e)));
    if (score > best) {
      best = score;
      label = k;
    }
  }
  return label;
}

/** The assignment kernels over `memory`. */
export function assignReference(memory: LinearMemory): AssignKernels {
  return {
    assignNearest(begin, end, _slot, address) {
      const { rows, n, d, packed, halfSquares, panels, labels, scores } = readRecord(memory, ASSIGN_NEAREST, address);
      const { floats, integers } = memory;
      for (let row = 4 * begin; row < Math.min(4 * end, n); row++) {
        let best = Number.NEGATIVE_INFINITY;
        let label = 0;
        for (let c = 0; c < panels * PANEL; c++) {
          const score = dot(memory, -floats[halfSquares / 4 + c]!, rows + 4 * row * d, packed, c, d);
          if (score > best) {
            best = score;
            label = c;
          }
        }
        integers[labels / 4 + row] = label;
        if (scores !== 0) floats[scores / 4 + row] = best;
      }
    },
    assignSecond(begin, end, slot, address) {
      const values = readRecord(memory, ASSIGN_SECOND, address);
      const direction = values.scratch + 4 * slot * values.d;
      for (let row = begin; row < end; row++) {
        memory.integers[values.second / 4 + row] = secondCentroid(memory, row, values, direction);
      }
    },
  };
}
