/**
 * The sampling probabilities of candidates, for the log-Q correction of the in-batch softmax.
 *
 *   p(c) = max(1, rows of the training data whose candidate is c) / rows of the training data
 *
 * A batch holds popular candidates more often than rare ones, so that they are negatives more often, and an uncorrected
 * loss pushes them away. The task subtracts log p(c) from the scores of c.
 *
 * Source: Bengio & Senécal 2008; Yi et al. 2019, "Sampling-bias-corrected neural modeling", equation 3. The data set is
 * known whole here, so the shares are counted; Yi et al. estimate them from a stream.
 * Limits: candidates are told apart by their encoded features, so that words out of the vocabulary count as one candidate.
 */
import type { Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';

/**
 * The sampling probability of each row's candidate: the share of the rows of the training data that have it.
 *
 * @param trainIds [N, inputs of the tower] encoded candidates of the training data
 * @param ids [M, inputs of the tower] encoded candidates that are asked about; default those of the training data
 * @returns [M] probabilities, over 0 and at most 1
 */
export function samplingProbabilities<C extends Features>(
  tower: Tower<C>,
  trainIds: Int32Array,
  ids: Int32Array = trainIds,
): Float64Array {
  const rows = trainIds.length / tower.inputs.length;
  const all = ids === trainIds ? trainIds : Int32Array.from([...trainIds, ...ids]);
  const { groupOf } = tower.distinct(all);
  const counts = new Float64Array(groupOf.length);
  for (let i = 0; i < rows; i++) counts[groupOf[i]!]!++;
  const asked = ids === trainIds ? groupOf : groupOf.subarray(rows);
  return Float64Array.from(asked, (group) => Math.max(1, counts[group]!) / rows);
}
