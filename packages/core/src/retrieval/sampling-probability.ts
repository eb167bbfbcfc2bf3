/**
 * The sampling probabilities of candidates, for the log-Q correction of the in-batch softmax.
 *
 *   p(c) = max(1, rows of the training data whose candidate is c) / rows of the training data
 *
 * Popular candidates are in more batches than rare ones and so are negatives more often. A loss without the correction
 * makes their scores too small. The task subtracts log p(c) from the scores of c.
 *
 * Source: Bengio & Senécal 2008; Yi et al. 2019, "Sampling-bias-corrected neural modeling", equation 3. The data set is
 * known whole here, so the shares are counted; streaming-frequency.ts estimates them from a stream, as Yi et al. do.
 * Limits: candidates with the same encoded features count as one, for example all words out of the vocabulary.
 */
import type { EncodedFeatures } from '../towers/encoded-features.ts';

/**
 * The sampling probability of each row's candidate: the share of the rows of the training data that have it.
 *
 * @param train [N] encoded candidates of the training data
 * @param asked [M] encoded candidates that are asked about; default those of the training data
 * @returns [M] probabilities, over 0 and at most 1
 */
export function samplingProbabilities(train: EncodedFeatures, asked: EncodedFeatures = train): Float64Array {
  return asked === train ? sharesOfCandidates(train).train : sharesOfCandidates(train, asked).asked;
}

/** The sampling probabilities of the candidates of training data [N] and of others [M], counted once. */
export function sharesOfCandidates(
  train: EncodedFeatures,
  asked?: EncodedFeatures,
): { train: Float64Array; asked: Float64Array } {
  const { groupOf } = (asked ? train.concat(asked) : train).distinct();
  const counts = new Float64Array(groupOf.length);
  for (let i = 0; i < train.rows; i++) counts[groupOf[i]!]!++;
  const shares = Float64Array.from(groupOf, (group) => Math.max(1, counts[group]!) / train.rows);
  return { train: shares.subarray(0, train.rows), asked: shares.subarray(train.rows) };
}
