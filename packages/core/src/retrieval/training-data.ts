/** The batches of a training run, step after step, and its validation data. */
import { Generator } from '../random/generator.ts';
import type { Features } from '../towers/tower-inputs.ts';
import type { CrossBatchMemory } from './cross-batch-memory.ts';
import { type EncodedDataset, encodeDataset, type RetrievalDataset, takeBatch } from './dataset.ts';
import { DatasetNegatives } from './dataset-negatives.ts';
import type { FitValidation, RunOptions } from './fit-options.ts';
import { sharesOfCandidates } from './sampling-probability.ts';
import type { ModelParts } from './step.ts';
import { StreamingCorrection } from './streaming-correction.ts';

/** The data of a run. */
export interface TrainingData<Q extends Features, C extends Features> {
  /** Rows of an epoch. */
  readonly rows: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** The name of the source of the rows; undefined for a data set in memory. */
  readonly fingerprint: string | undefined;
  /** The candidate vectors of earlier batches, where they are negatives. */
  readonly memory: CrossBatchMemory | undefined;
  /** Take the rows before a step without training on them, so that estimates go on as if they had been trained on. */
  skipTo(epoch: number, step: number): void | Promise<void>;
  /** The batches of an epoch from a step on. Each is made when the one before has been trained on. */
  batches(epoch: number, firstStep: number): AsyncIterable<EncodedDataset> | Iterable<EncodedDataset>;
  /** The validation data at this moment, with the sampling probabilities of the training data. */
  validation(): FitValidation<Q, C> | undefined;
}

/** A data set in memory, whose rows have a new seeded order in every epoch. */
export class DatasetInMemory<Q extends Features, C extends Features> implements TrainingData<Q, C> {
  readonly rows: number;
  readonly steps: number;
  readonly fingerprint = undefined;
  readonly #encoded: EncodedDataset;
  readonly #batchSize: number;
  readonly #orders: Generator | undefined;
  readonly #streaming: StreamingCorrection | undefined;
  readonly #negatives: DatasetNegatives | undefined;
  readonly #validation: FitValidation<Q, C> | undefined;

  /** Encode the data, with the sampling probabilities of the training data where the loss is corrected by them. */
  constructor(
    { queryTower, candidateTower, task }: ModelParts<Q, C>,
    dataset: RetrievalDataset<Q, C>,
    options: RunOptions<Q, C>,
  ) {
    const { samplingCorrection = true, validation, negatives, batchSize, shuffle = true, seed } = options;
    const encoded = encodeDataset(dataset, queryTower, candidateTower);
    const validationData = validation && encodeDataset(validation.dataset, queryTower, candidateTower);
    const isCounted = samplingCorrection === true && !encoded.candidateSamplingProbability;
    const counted = isCounted ? sharesOfCandidates(encoded.candidates, validationData?.candidates) : undefined;
    if (counted) encoded.candidateSamplingProbability = counted.train;
    const { inBatchNegatives } = task;
    const catalogue = negatives?.catalogue && candidateTower.encode(negatives.catalogue);
    this.#negatives = negatives && new DatasetNegatives(negatives, { encoded, catalogue, inBatchNegatives, seed });
    const candidates = this.#negatives?.candidates ?? encoded.candidates;
    if (samplingCorrection === 'streaming' && !encoded.candidateSamplingProbability) {
      this.#streaming = new StreamingCorrection(candidates, validationData?.candidates);
    }
    this.#validation = validation;
    if (counted && validationData && !validationData.candidateSamplingProbability) {
      // Both losses are corrected; otherwise a model with a lower training loss could have a higher validation loss.
      this.#validation = corrected(validation!, counted.asked);
    }
    this.#encoded = encoded;
    this.rows = encoded.rows;
    this.steps = Math.ceil(encoded.rows / batchSize);
    this.#batchSize = batchSize;
    this.#orders = shuffle ? new Generator(seed) : undefined;
  }

  get memory(): CrossBatchMemory | undefined {
    return this.#negatives?.memory;
  }

  skipTo(epoch: number, step: number): void {
    for (let before = 0; this.#streaming && before <= epoch; before++) {
      const end = before < epoch ? this.rows : Math.min(step * this.#batchSize, this.rows);
      this.#streaming.skip(0, end, this.#orderOf(before));
    }
  }

  *batches(epoch: number, firstStep: number): IterableIterator<EncodedDataset> {
    const order = this.#orderOf(epoch);
    for (let step = firstStep; step < this.steps; step++) {
      const begin = step * this.#batchSize;
      const end = Math.min(begin + this.#batchSize, this.rows);
      const batch = takeBatch(this.#encoded, begin, end, order);
      const streaming = this.#streaming;
      if (streaming) batch.candidateSamplingProbability = streaming.ofBatch(begin, end, order);
      if (this.#negatives) {
        const rows = order?.slice(begin, end) ?? Int32Array.from({ length: end - begin }, (_, i) => begin + i);
        const shares = streaming && ((of: Int32Array) => streaming.ofRows(of));
        this.#negatives.addTo(batch, rows, epoch * this.steps + step, shares);
      }
      yield batch;
    }
  }

  validation(): FitValidation<Q, C> | undefined {
    if (!this.#validation || !this.#streaming) return this.#validation;
    return corrected(this.#validation, this.#streaming.ofValidation());
  }

  #orderOf(epoch: number): Int32Array | undefined {
    return this.#orders?.fork('shuffle', epoch).permutation(this.rows);
  }
}

/** Validation data with sampling probabilities, unless they have their own. */
export function corrected<Q extends Features, C extends Features>(
  validation: FitValidation<Q, C>,
  probabilities: Float64Array,
): FitValidation<Q, C> {
  const { dataset } = validation;
  const own = dataset.candidateSamplingProbability ?? probabilities;
  return { ...validation, dataset: { ...dataset, candidateSamplingProbability: own } };
}
