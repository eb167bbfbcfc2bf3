/**
 * Estimates the sampling probabilities of a run with `samplingCorrection: 'streaming'`. The probabilities of a batch
 * come from the rows that training has taken so far, including the batch itself.
 *
 * The estimate depends only on the order of the rows. A resumed run takes the earlier rows again without training on
 * them, so a checkpoint does not store the estimate.
 */
import type { EncodedFeatures } from '../towers/encoded-features.ts';
import { StreamingFrequency } from './streaming-frequency.ts';

/** The estimator of a run. */
export class StreamingCorrection {
  readonly #frequency = new StreamingFrequency();
  /** [rows] the candidate of each row of the training data, and of the validation data. */
  readonly #train: Int32Array;
  readonly #validation: Int32Array;

  constructor(train: EncodedFeatures, validation?: EncodedFeatures) {
    const { groupOf } = (validation ? train.concat(validation) : train).distinct();
    this.#train = groupOf.subarray(0, train.rows);
    this.#validation = groupOf.subarray(train.rows);
  }

  /** Take rows without asking for their probabilities. @param order of the rows; default their own */
  skip(begin: number, end: number, order?: Int32Array): void {
    this.#frequency.add(this.#keys(begin, end, order));
  }

  /** Take the rows of a batch. @returns [rows] their probabilities */
  ofBatch(begin: number, end: number, order?: Int32Array): Float64Array {
    const keys = this.#keys(begin, end, order);
    this.#frequency.add(keys);
    return this.#frequency.probabilities(keys);
  }

  /** The probabilities of rows, which are not taken. */
  ofRows(rows: Int32Array): Float64Array {
    return this.#frequency.probabilities(rows.map((row) => this.#train[row]!));
  }

  /** [rows] the probabilities of the validation data, which are not taken. */
  ofValidation(): Float64Array {
    return this.#frequency.probabilities(this.#validation);
  }

  #keys(begin: number, end: number, order?: Int32Array): Int32Array {
    return order ? order.subarray(begin, end).map((row) => this.#train[row]!) : this.#train.subarray(begin, end);
  }
}
