/** Readable form of the losses of a positive against single negatives (packages/core/assembly/pairwise.ts). */
import { LOSS_NUMBERS } from '../families/softmax.ts';

/** The loss, and its margin and weight where it is the cosine contrastive one. */
export interface PairwiseLoss {
  loss: number;
  margin: number;
  negativeWeight: number;
}

/** The loss of the pair whose positive is column g, and its slope with respect to each logit. */
export function pairwiseRow(
  logits: Float32Array,
  weights: Float32Array,
  g: number,
  { loss, margin, negativeWeight }: PairwiseLoss,
): { loss: number; slopes: Float64Array } {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const slopes = new Float64Array(logits.length);
  const isBpr = loss === LOSS_NUMBERS.bpr;
  let sum = isBpr ? 0 : 1 - logits[g]!;
  let slopeOfPositive = isBpr ? 0 : -1;
  weights.forEach((weight, m) => {
    if (weight === 0) return;
    const share = weight / total;
    if (isBpr) {
      const z = logits[m]! - logits[g]!;
      const sigmoid = 1 / (1 + Math.exp(-z));
      sum += share * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))));
      slopes[m] = share * sigmoid;
      slopeOfPositive -= share * sigmoid;
    } else if (logits[m]! > margin) {
      sum += negativeWeight * share * (logits[m]! - margin);
      slopes[m] = negativeWeight * share;
    }
  });
  slopes[g] = slopes[g]! + slopeOfPositive;
  return { loss: sum, slopes };
}
