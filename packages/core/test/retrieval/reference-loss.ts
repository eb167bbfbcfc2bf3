/** The retrieval loss and its gradients written to be read, in double precision, over all pairs. */
import type { RetrievalInputs, RetrievalOptions } from '../../src/retrieval/task.ts';

/** Loss and gradients. */
export interface ReferenceLoss {
  loss: number;
  queryGradients: number[][];
  candidateGradients: number[][];
}

/** TFRS's order: score, temperature, sampling correction, accidental hits, mask, hard negatives, softmax. */
export function referenceLoss(
  queries: number[][],
  candidates: number[][],
  options: RetrievalOptions,
  inputs: RetrievalInputs,
): ReferenceLoss {
  const { temperature = 1, removeAccidentalHits, numHardNegatives, reduction } = options;
  const { sampleWeight, candidateSamplingProbability: p, candidateIds: ids, scoreMask } = inputs;
  const factor = reduction === 'mean' ? 1 / queries.length : 1;
  const queryGradients = queries.map((q) => q.map(() => 0));
  const candidateGradients = candidates.map((c) => c.map(() => 0));
  let loss = 0;
  queries.forEach((q, i) => {
    const logits = candidates.map((c, j) => {
      if (j !== i && removeAccidentalHits && ids![j] === ids![i]) return Number.NEGATIVE_INFINITY;
      if (scoreMask && !scoreMask[i]![j]) return Number.NEGATIVE_INFINITY;
      const score = c.reduce((sum, value, t) => sum + value * q[t]!, 0) / temperature;
      return score - (p ? Math.log(Math.min(1, Math.max(1e-6, p[j]!))) : 0);
    });
    if (numHardNegatives !== undefined) {
      const hardest = logits.map((value, j) => ({ value, j })).filter(({ j }) => j !== i);
      hardest.sort((a, b) => b.value - a.value || a.j - b.j);
      for (const { j } of hardest.slice(numHardNegatives)) logits[j] = Number.NEGATIVE_INFINITY;
    }
    const top = Math.max(...logits);
    const total = logits.reduce((sum, value) => sum + Math.exp(value - top), 0);
    const weight = factor * (sampleWeight ? sampleWeight[i]! : 1);
    loss += weight * (top + Math.log(total) - logits[i]!);
    logits.forEach((value, j) => {
      const g = (weight * (Math.exp(value - top) / total - (i === j ? 1 : 0))) / temperature;
      candidates[j]!.forEach((c, t) => {
        queryGradients[i]![t] = queryGradients[i]![t]! + g * c;
        candidateGradients[j]![t] = candidateGradients[j]![t]! + g * q[t]!;
      });
    });
  });
  return { loss, queryGradients, candidateGradients };
}
