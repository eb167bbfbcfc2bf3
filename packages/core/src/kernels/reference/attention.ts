/**
 * Readable forms of causal self-attention (packages/core/assembly/attention.ts), in float64 and rounded once, so that the
 * compiled kernels agree with them to rounding.
 */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { type AttentionKernels, CAUSAL_ATTENTION, CAUSAL_ATTENTION_GRADIENT } from '../families/attention.ts';
import { readRecord } from '../record.ts';

/** Queries, keys and values of one head of one sequence, a row of numbers for each item. */
interface Head {
  readonly q: readonly number[][];
  readonly k: readonly number[][];
  readonly v: readonly number[][];
}

/** Attention over `memory`. */
export function attentionReference(memory: LinearMemory): AttentionKernels {
  /** `count` rows of `width` numbers from byte offset `at` on. */
  const rowsOf = (at: number, stride: number, count: number, width: number): number[][] =>
    Array.from({ length: count }, (_, i) => [
      ...memory.floats.subarray(at / 4 + i * stride, at / 4 + i * stride + width),
    ]);
  const rowsOfSequence = (offsets: number, s: number): { first: number; last: number } => ({
    first: memory.integers[offsets / 4 + s]!,
    last: memory.integers[offsets / 4 + s + 1]!,
  });
  const headOf = (at: number, stride: number, count: number, width: number, heads: number): Head => {
    const [q, k, v] = [0, 1, 2].map((part) => rowsOf(at + 4 * part * heads * width, stride, count, width));
    return { q: q!, k: k!, v: v! };
  };
  return {
    causalAttention(begin, end, _slot, call) {
      const record = readRecord(memory, CAUSAL_ATTENTION, call);
      const { x, stride, offsets, heads, width, scale, lastOnly, y, yStride } = record;
      for (let s = begin; s < end; s++) {
        const { first, last } = rowsOfSequence(offsets, s);
        if (lastOnly && first === last) memory.floats.fill(0, y / 4 + s * yStride, y / 4 + s * yStride + heads * width);
        for (let head = 0; head < heads; head++) {
          const at = x + 4 * (first * stride + head * width);
          const { q, k, v } = headOf(at, stride, last - first, width, heads);
          q.forEach((query, i) => {
            if (lastOnly && first + i + 1 < last) return;
            const weights = attentionWeights(query, k.slice(0, i + 1), scale);
            memory.floats.set(weightedSum(weights, v), y / 4 + (lastOnly ? s : first + i) * yStride + head * width);
          });
        }
      }
    },
    causalAttentionGradient(begin, end, _slot, call) {
      const record = readRecord(memory, CAUSAL_ATTENTION_GRADIENT, call);
      const { x, stride, offsets, heads, width, scale, lastOnly, dy, dyStride, dx } = record;
      for (let s = begin; s < end; s++) {
        const { first, last } = rowsOfSequence(offsets, s);
        const count = last - first;
        memory.floats.fill(0, dx / 4 + first * stride, dx / 4 + last * stride);
        for (let head = 0; head < heads; head++) {
          const column = first * stride + head * width;
          const at = dy + 4 * ((lastOnly ? s : first) * dyStride + head * width);
          const given = rowsOf(at, dyStride, lastOnly ? Math.min(count, 1) : count, width);
          const zeros = Array.from({ length: count - given.length }, () => new Array<number>(width).fill(0));
          const gradients = [...zeros, ...given];
          const parts = headGradient(headOf(x + 4 * column, stride, count, width, heads), gradients, scale);
          [parts.q, parts.k, parts.v].forEach((rows, part) => {
            const to = dx / 4 + column + part * heads * width;
            rows.forEach((row, i) => {
              memory.floats.set(row, to + i * stride);
            });
          });
        }
      }
    },
  };
}

/** dq, dk and dv of one head of one sequence. */
function headGradient({ q, k, v }: Head, dy: readonly number[][], scale: number): Head {
  const zeros = (): number[][] => q.map((row) => row.map(() => 0));
  const [dk, dv] = [zeros(), zeros()];
  const dq = q.map((query, i) => {
    const weights = attentionWeights(query, k.slice(0, i + 1), scale);
    const slopes = weights.map((_, j) => dot(dy[i]!, v[j]!));
    const mean = dot(weights, slopes);
    const ds = weights.map((weight, j) => scale * weight * (slopes[j]! - mean));
    weights.forEach((weight, j) => {
      dk[j] = dk[j]!.map((sum, t) => sum + ds[j]! * query[t]!);
      dv[j] = dv[j]!.map((sum, t) => sum + weight * dy[i]![t]!);
    });
    return weightedSum(ds, k);
  });
  return { q: dq, k: dk, v: dv };
}

/** softmax of scale · ⟨query, key⟩ over the keys. */
function attentionWeights(query: readonly number[], keys: readonly number[][], scale: number): number[] {
  const scores = keys.map((key) => scale * dot(query, key));
  const top = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - top));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

function weightedSum(weights: readonly number[], rows: readonly number[][]): number[] {
  return rows[0]!.map((_, t) => weights.reduce((sum, weight, j) => sum + weight * rows[j]![t]!, 0));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, t) => sum + value * b[t]!, 0);
}
