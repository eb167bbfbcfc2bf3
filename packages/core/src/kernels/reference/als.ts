/**
 * Readable form of the alternating least squares kernel (packages/core/assembly/als.ts): element by element in float32,
 * in the same order of sums.
 */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { type AlsKernels, SOLVE_ROWS } from '../families/als.ts';
import { type RecordValues, readRecord } from '../record.ts';

const { fround } = Math;
/** As in assembly/als.ts. */
const LEAST_WEIGHT = fround(1e-30);

/** The als kernel over `memory`. */
export function alsReference(memory: LinearMemory): AlsKernels {
  return {
    solveRows(begin, end, _slot, address) {
      const call = readRecord(memory, SOLVE_ROWS, address);
      const { dimensions: d, out, starts } = call;
      for (let row = begin; row < end; row++) {
        const [first, last] = [memory.integers[starts / 4 + row]!, memory.integers[starts / 4 + row + 1]!];
        const x =
          first === last
            ? new Float32Array(d)
            : last - first <= call.shortLength
              ? solveShort(memory, call, row, first, last)
              : solve(systemOf(memory, call, row, first, last), d);
        memory.floats.set(x, out / 4 + row * d);
      }
    },
  };
}

/** [A | b] of a row, [d, d + 1]. */
function systemOf(
  { floats, integers }: LinearMemory,
  call: RecordValues<typeof SOLVE_ROWS>,
  row: number,
  first: number,
  last: number,
): Float32Array[] {
  const { codes, weights, factors, dimensions: d, gram, regularization } = call;
  const system = Array.from({ length: d }, (_, r) => {
    const line = new Float32Array(d + 1);
    line.set(floats.subarray(gram / 4 + r * d, gram / 4 + (r + 1) * d));
    line[r] = line[r]! + floats[regularization / 4 + row]!;
    return line;
  });
  for (let i = first; i < last; i++) {
    const at = factors / 4 + integers[codes / 4 + i]! * d;
    const vector = [...floats.subarray(at, at + d), 1];
    const weight = weights === 0 ? 1 : floats[weights / 4 + i]!;
    for (let r = 0; r < d; r++) {
      const left = fround(weight * vector[r]!);
      for (let c = r; c <= d; c++) system[r]![c] = system[r]![c]! + fround(left * vector[c]!);
    }
  }
  return system;
}

/** x of a short list, by the n × n system in the basis of the eigenvectors. */
function solveShort(
  { floats, integers }: LinearMemory,
  call: RecordValues<typeof SOLVE_ROWS>,
  row: number,
  first: number,
  last: number,
): Float32Array {
  const { codes, weights, dimensions: d, spectrum, basis, rotated, regularization } = call;
  const n = last - first;
  const scales = Float32Array.from({ length: d }, (_, k) => {
    return 1 / fround(Math.sqrt(fround(floats[spectrum / 4 + k]! + floats[regularization / 4 + row]!)));
  });
  const scaled = Array.from({ length: n }, (_, i) => {
    const at = rotated / 4 + integers[codes / 4 + first + i]! * d;
    return Float32Array.from(scales, (scale, k) => floats[at + k]! * scale);
  });
  const system = scaled.map((vector, r) => {
    const line = new Float32Array(n + 1);
    line[r] = 1 / Math.max(weights === 0 ? 1 : floats[weights / 4 + first + r]!, LEAST_WEIGHT);
    line[n] = 1;
    for (let c = r; c < n; c++) {
      for (let k = 0; k < d; k++) line[c] = line[c]! + fround(vector[k]! * scaled[c]![k]!);
    }
    return line;
  });
  const z = solve(system, n);
  const turned = Float32Array.from(scales, (scale, k) => {
    const lanes = new Float32Array(4);
    for (let i = 0; i < n; i++) lanes[i % 4] = lanes[i % 4]! + fround(scaled[i]![k]! * z[i]!);
    return fround(fround(lanes[0]! + lanes[2]!) + fround(lanes[1]! + lanes[3]!)) * scale;
  });
  const x = new Float32Array(d);
  for (let k = 0; k < d; k++) {
    for (let t = 0; t < d; t++) x[t] = x[t]! + fround(turned[k]! * floats[basis / 4 + k * d + t]!);
  }
  return x;
}

/** x of A x = b: A = UᵀU row by row, Uᵀy = b in the last column, then U x = y from the end. */
function solve(system: readonly Float32Array[], d: number): Float32Array {
  const inverses = new Float32Array(d);
  for (let r = 0; r < d; r++) {
    const row = system[r]!;
    for (let c = r; c <= d; c++) {
      for (let k = 0; k < r; k++) row[c] = row[c]! - fround(system[k]![r]! * system[k]![c]!);
    }
    inverses[r] = 1 / fround(Math.sqrt(row[r]!));
    for (let c = r; c <= d; c++) row[c] = row[c]! * inverses[r]!;
  }
  const x = new Float32Array(d);
  for (let i = d - 1; i >= 0; i--) {
    const lanes = new Float32Array(4);
    for (let j = i + 1; j < d; j++) lanes[j % 4] = lanes[j % 4]! + fround(system[i]![j]! * x[j]!);
    const sum = fround(fround(lanes[0]! + lanes[2]!) + fround(lanes[1]! + lanes[3]!));
    x[i] = fround(system[i]![d]! - sum) * inverses[i]!;
  }
  return x;
}
