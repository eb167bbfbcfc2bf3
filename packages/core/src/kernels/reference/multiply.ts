/**
 * Readable forms of the products of matrices (packages/core/assembly/multiply.ts), summing in float32 in the same order,
 * so that they agree with the compiled ones bit for bit where these do not fuse multiplication and addition.
 */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import {
  type FusedMultiplyKernels,
  MULTIPLY_ROWS,
  MULTIPLY_ROWS_FUSED,
  MULTIPLY_TRANSPOSED,
  MULTIPLY_TRANSPOSED_FUSED,
  type MultiplyKernels,
  type ProductRecord,
} from '../families/multiply.ts';
import { type RecordValues, readRecord } from '../record.ts';

type Call = RecordValues<ProductRecord<string>>;

/** The products over `memory`. */
export function multiplyReference(memory: LinearMemory): MultiplyKernels & FusedMultiplyKernels {
  const { fround } = Math;
  const rows = (begin: number, end: number, { a, aStride, n, b, d, c }: Call): void => {
    const { floats } = memory;
    for (let r = begin; r < end; r++) {
      for (let t = 0; t < d; t++) {
        let sum = 0;
        for (let j = 0; j < n; j++) {
          sum = fround(sum + fround(floats[a / 4 + r * aStride + j]! * floats[b / 4 + j * d + t]!));
        }
        floats[c / 4 + r * d + t] = sum;
      }
    }
  };
  const transposed = (begin: number, end: number, { a, aStride, m, n, b, d, c }: Call): void => {
    const { floats } = memory;
    for (let j = 4 * begin; j < Math.min(4 * end, n); j++) {
      for (let t = 0; t < d; t++) {
        let sum = 0;
        for (let r = 0; r < m; r++) {
          sum = fround(sum + fround(floats[a / 4 + r * aStride + j]! * floats[b / 4 + r * d + t]!));
        }
        floats[c / 4 + j * d + t] = fround(floats[c / 4 + j * d + t]! + sum);
      }
    }
  };
  return {
    multiplyRows: (begin, end, _slot, call) => rows(begin, end, readRecord(memory, MULTIPLY_ROWS, call)),
    multiplyTransposed: (begin, end, _slot, call) =>
      transposed(begin, end, readRecord(memory, MULTIPLY_TRANSPOSED, call)),
    multiplyRowsFused: (begin, end, _slot, call) => rows(begin, end, readRecord(memory, MULTIPLY_ROWS_FUSED, call)),
    multiplyTransposedFused: (begin, end, _slot, call) =>
      transposed(begin, end, readRecord(memory, MULTIPLY_TRANSPOSED_FUSED, call)),
  };
}
