/** The retrieval loss and its gradients written to be read, in double precision, over all pairs. */
import type { RetrievalInputs, RetrievalOptions } from '../../src/retrieval/task.ts';

/** Loss and gradients. */
export interface ReferenceLoss {
  loss: number;
  queryGradients: number[][];
  candidateGradients: number[][];
}

/** The loss of a row and its slope by each logit; negatives that are left out have the logit −∞. */
function rowLoss(logits: number[], i: number, options: RetrievalOptions): { loss: number; slopes: number[] } {
  const { loss = 'softmax', margin = 0.8, negativeWeight = 150 } = options;
  if (loss === 'softmax') {
    const top = Math.max(...logits);
    const total = logits.reduce((sum, value) => sum + Math.exp(value - top), 0);
    const slopes = logits.map((value, j) => Math.exp(value - top) / total - (i === j ? 1 : 0));
    return { loss: top + Math.log(total) - logits[i]!, slopes };
  }
  const count = logits.filter((value, j) => j !== i && value > Number.NEGATIVE_INFINITY).length;
  const slopes = logits.map(() => 0);
  let sum = 0;
  logits.forEach((value, j) => {
    if (j === i || value === Number.NEGATIVE_INFINITY) return;
    if (loss === 'bpr') {
      sum += Math.log1p(Math.exp(value - logits[i]!)) / count;
      slopes[j] = 1 / (1 + Math.exp(logits[i]! - value)) / count;
      slopes[i]! -= slopes[j]!;
    } else if (value > margin) {
      sum += (negativeWeight * (value - margin)) / count;
      slopes[j] = negativeWeight / count;
    }
  });
  if (loss === 'bpr') return { loss: sum, slopes };
  slopes[i] = -1;
  return { loss: 1 - logits[i]! + sum, slopes };
}

/** TFRS's order: score, temperature, sampling correction, accidental hits, mask, hard negatives, softmax. */
export function referenceLoss(
  queries: number[][],
  candidates: number[][],
  options: RetrievalOptions,
  inputs: RetrievalInputs,
): ReferenceLoss {
  const { temperature = 1, removeAccidentalHits, numHardNegatives, reduction, inBatchNegatives = true } = options;
  const { sampleWeight, candidateIds: ids, scoreMask } = inputs;
  const p = (options.loss ?? 'softmax') === 'softmax' ? inputs.candidateSamplingProbability : undefined;
  const factor = reduction === 'mean' ? 1 / queries.length : 1;
  const queryGradients = queries.map((q) => q.map(() => 0));
  const candidateGradients = candidates.map((c) => c.map(() => 0));
  let loss = 0;
  queries.forEach((q, i) => {
    const logits = candidates.map((c, j) => {
      if (j !== i && (removeAccidentalHits || !inBatchNegatives) && ids![j] === ids![i])
        return Number.NEGATIVE_INFINITY;
      if (j !== i && !inBatchNegatives && j < queries.length) return Number.NEGATIVE_INFINITY;
      if (scoreMask && !scoreMask[i]![j]) return Number.NEGATIVE_INFINITY;
      const score = c.reduce((sum, value, t) => sum + value * q[t]!, 0) / temperature;
      return score - (p ? Math.log(Math.min(1, Math.max(1e-6, p[j]!))) : 0);
    });
    if (numHardNegatives !== undefined) {
      const hardest = logits.map((value, j) => ({ value, j })).filter(({ j }) => j !== i);
      hardest.sort((a, b) => b.value - a.value || a.j - b.j);
      for (const { j } of hardest.slice(numHardNegatives)) logits[j] = Number.NEGATIVE_INFINITY;
    }
    const weight = factor * (sampleWeight ? sampleWeight[i]! : 1);
    const row = rowLoss(logits, i, options);
    loss += weight * row.loss;
    row.slopes.forEach((slope, j) => {
      const g = (weight * slope) / temperature;
      candidates[j]!.forEach((c, t) => {
        queryGradients[i]![t] = queryGradients[i]![t]! + g * c;
        candidateGradients[j]![t] = candidateGradients[j]![t]! + g * q[t]!;
      });
    });
  });
  return { loss, queryGradients, candidateGradients };
}
