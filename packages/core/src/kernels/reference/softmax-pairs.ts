/** Readable form of the pairwise softmax (packages/core/assembly/softmax-pairs.ts); exp is the exact one. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { LOSS_NUMBERS, SOFTMAX_PAIRS, type SoftmaxKernels } from '../families/softmax.ts';
import { readRecord } from '../record.ts';
import { matmulReference } from './matmul.ts';
import { pairwiseRow } from './pairwise.ts';

/** The pairwise softmax over `memory`. */
export function softmaxPairsReference(memory: LinearMemory): Pick<SoftmaxKernels, 'softmaxPairs'> {
  const { scorePanels } = matmulReference(memory);
  const { fround } = Math;
  return {
    softmaxPairs(begin, end, _slot, address) {
      const call = readRecord(memory, SOFTMAX_PAIRS, address);
      const { first, heads, queries, d, packed, panels, scale: scaleGiven, counts, offsets, ids, masks } = call;
      const { maskWords, negatives, loss, pairStarts, pairColumns, pairWeights, learn, tile, results } = call;
      const { floats, integers } = memory;
      const out = new Float64Array(memory.memory.buffer);
      const columns = 8 * panels;
      const scale = fround(scaleGiven);
      for (let row = begin; row < end; row++) {
        const query = first + row;
        const at = tile / 4 + row * heads * columns;
        scorePanels(queries + 4 * query * heads * d, heads, d, packed, panels, 4 * at, columns);
        const logits = Float32Array.from({ length: columns }, (_, m) => {
          const scores = Array.from({ length: heads }, (_, h) => floats[at + h * columns + m]!);
          return fround(Math.max(...scores) * scale) + floats[offsets / 4 + m]!;
        });
        const gradient = new Float64Array(columns);
        for (let p = integers[pairStarts / 4 + query]!; p < integers[pairStarts / 4 + query + 1]!; p++) {
          const g = integers[pairColumns / 4 + p]!;
          const weights = logits.map((_, m) => {
            const isHit = ids !== 0 && integers[ids / 4 + m] === integers[ids / 4 + g];
            const bit = masks === 0 || ((integers[masks / 4 + p * maskWords + (m >> 5)]! >>> (m & 31)) & 1) === 1;
            return isHit || !bit ? 0 : floats[counts / 4 + m]! - (m === g ? 1 : 0);
          });
          if (negatives !== 0) keepLargest(logits, weights, negatives);
          const larger = weights.reduce((sum, weight, m) => sum + (logits[m]! > logits[g]! ? weight : 0), 0);
          const factor = scale * floats[pairWeights / 4 + p]!;
          if (loss !== LOSS_NUMBERS.softmax) {
            const row = pairwiseRow(logits, weights, g, call);
            out.set([row.loss, 1, 0, larger], results / 8 + 4 * p);
            row.slopes.forEach((slope, m) => {
              gradient[m] = gradient[m]! + factor * slope;
            });
            continue;
          }
          weights[g] = weights[g]! + 1;
          const top = Math.max(...logits.filter((_, m) => weights[m]! > 0));
          const shares = Float64Array.from(weights, (weight, m) => weight && weight * Math.exp(logits[m]! - top));
          const total = shares.reduce((sum, share) => sum + share, 0);
          out.set([top, total, logits[g]!, larger], results / 8 + 4 * p);
          shares.forEach((share, m) => {
            gradient[m] = gradient[m]! + (factor * share) / total - (m === g ? factor : 0);
          });
        }
        if (learn === 0) continue;
        for (let m = 0; m < columns; m++) {
          const scores = Array.from({ length: heads }, (_, h) => floats[at + h * columns + m]!);
          const best = scores.indexOf(Math.max(...scores));
          for (let h = 0; h < heads; h++) floats[at + h * columns + m] = h === best ? gradient[m]! : 0;
        }
      }
    },
  };
}

/**
 * Reduce the weights so that only the `count` largest logits count, each as many times as its weight; ties to the lower
 * column.
 */
function keepLargest(logits: Float32Array, weights: Float32Array, count: number): void {
  const order = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b);
  let left = count;
  for (const m of order) {
    weights[m] = Math.min(weights[m]!, left);
    left -= weights[m]!;
  }
}
