/** The batches of a training run from a source that need not fit into memory. */
import { throwIfAborted } from '../checks/abort.ts';
import { checkInteger } from '../checks/numbers.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import { Generator } from '../random/generator.ts';
import type { Features } from '../towers/tower-inputs.ts';
import type { CrossBatchMemory } from './cross-batch-memory.ts';
import { type EncodedDataset, encodeDataset, takeBatch } from './dataset.ts';
import type { FitValidation, RunOptions } from './fit-options.ts';
import { type Catalogue, Negatives } from './negatives.ts';
import type { RetrievalSource } from './source.ts';
import { sourceBlocks } from './source-blocks.ts';
import { SourceCandidates } from './source-candidates.ts';
import type { ModelParts } from './step.ts';
import { StreamingFrequency } from './streaming-frequency.ts';
import { corrected, type TrainingData } from './training-data.ts';

/** Batches that the shuffle buffer holds by default. */
const BUFFER_BATCHES = 16;
/** Rows that are read at once to count them. */
const COUNT_ROWS = 65_536;

/** The rows of a source, shuffled block by block. */
export class StreamedData<Q extends Features, C extends Features> implements TrainingData<Q, C> {
  readonly rows: number;
  readonly steps: number;
  readonly fingerprint: string;
  readonly #model: ModelParts<Q, C>;
  readonly #source: RetrievalSource<Q, C>;
  readonly #options: RunOptions<Q, C>;
  readonly #blockRows: number;
  readonly #candidates: SourceCandidates;
  /** Whether the shares of candidates are those that were counted in the pass before the training. */
  readonly #isCounted: boolean;
  readonly #frequency: StreamingFrequency | undefined;
  readonly #negatives: Negatives | undefined;
  /** The candidates that may be drawn; none without negatives. */
  readonly #catalogue: Catalogue;
  /** [catalogue] the number of each candidate that may be drawn, by its encoded features. */
  readonly #drawable: Int32Array;

  private constructor(
    model: ModelParts<Q, C>,
    source: RetrievalSource<Q, C>,
    options: RunOptions<Q, C>,
    rows: number,
    candidates: SourceCandidates,
    isCounted: boolean,
  ) {
    const { batchSize, shuffle = true, shuffleBuffer = BUFFER_BATCHES * batchSize, samplingCorrection } = options;
    const { negatives, seed } = options;
    this.rows = rows;
    this.steps = Math.ceil(rows / batchSize);
    this.fingerprint = source.fingerprint;
    this.#model = model;
    this.#source = source;
    this.#options = options;
    this.#blockRows = shuffle ? Math.ceil(shuffleBuffer / batchSize) * batchSize : batchSize;
    this.#candidates = candidates;
    this.#isCounted = isCounted;
    this.#frequency = samplingCorrection === 'streaming' ? new StreamingFrequency() : undefined;
    const { inBatchNegatives } = model.task;
    const given = negatives?.catalogue && model.candidateTower.encode(negatives.catalogue);
    this.#catalogue = candidates.catalogue(given);
    const { candidates: all, rows: drawable } = this.#catalogue;
    this.#negatives = negatives && new Negatives(negatives, this.#catalogue, { inBatchNegatives, seed });
    this.#drawable = candidates.counts.numbersAsked(all.take(drawable));
  }

  get memory(): CrossBatchMemory | undefined {
    return this.#negatives?.memory;
  }

  /**
   * Begin with a source. A pass counts its rows and finds its candidates where they are needed and not known.
   *
   * @throws {ShapeError} when it has no rows
   * @throws {OptionError} when an option does not fit a source
   */
  static async open<Q extends Features, C extends Features>(
    model: ModelParts<Q, C>,
    source: RetrievalSource<Q, C>,
    options: RunOptions<Q, C>,
  ): Promise<StreamedData<Q, C>> {
    const { samplingCorrection = true, shuffleBuffer, negatives, signal } = options;
    if (typeof source.fingerprint !== 'string' || source.fingerprint === '') {
      throw new OptionError('source.fingerprint: expected a name of the data, got none');
    }
    if (shuffleBuffer !== undefined) checkInteger('shuffleBuffer', shuffleBuffer, 1);
    if (source.rows !== undefined) checkInteger('source.rows', source.rows, 1);
    const candidates = new SourceCandidates((negatives?.uniform ?? 0) > 0 && !negatives?.catalogue);
    let isCounted = samplingCorrection === true;
    let rows = source.rows;
    if (rows === undefined || isCounted || negatives) {
      rows = 0;
      for await (const block of sourceBlocks(source, 0, COUNT_ROWS)) {
        throwIfAborted('fit', signal);
        rows += block.queries.length;
        // The source's own probabilities are used in place of counted ones.
        if (block.candidateSamplingProbability) isCounted = false;
        if (!negatives && !isCounted) continue;
        const { candidateSamplingProbability, candidateIds: identifiers } = block;
        const encoded = model.candidateTower.encode(block.candidates);
        candidates.add({ candidates: encoded, identifiers, candidateSamplingProbability });
      }
      if (rows === 0) throw new ShapeError('source: expected at least one interaction, got none');
      if (source.rows !== undefined && source.rows !== rows) throw wrongRows(source.rows, rows);
    }
    return new StreamedData(model, source, options, rows, candidates, isCounted);
  }

  async skipTo(epoch: number, step: number): Promise<void> {
    if (!this.#frequency) return;
    // The estimate depends on all rows before, which are read again without a training step.
    for (let before = 0; before <= epoch; before++) {
      let left = before < epoch ? this.steps : step;
      if (left === 0) return;
      for await (const _ of this.#estimatedBatches(before, 0)) if (--left === 0) break;
    }
  }

  async *batches(epoch: number, firstStep: number): AsyncGenerator<EncodedDataset, void> {
    let step = epoch * this.steps + firstStep;
    for await (const batch of this.#estimatedBatches(epoch, firstStep)) {
      const keys = this.#negatives && this.#candidates.keysOf(batch);
      if (keys) this.#negatives?.addTo(batch, keys, step, (drawn) => this.#sharesOf(batch, drawn));
      step++;
      yield batch;
    }
  }

  /** The batches of an epoch without further negatives. */
  async *#estimatedBatches(epoch: number, firstStep: number): AsyncGenerator<EncodedDataset, void> {
    const { queryTower, candidateTower } = this.#model;
    const { batchSize, shuffle = true, seed } = this.#options;
    let step = firstStep;
    if (step >= this.steps) return;
    let block = Math.floor((step * batchSize) / this.#blockRows);
    let end = block * this.#blockRows;
    const orders = new Generator(seed).fork('shuffle', epoch);
    for await (const dataset of sourceBlocks(this.#source, end, this.#blockRows)) {
      const encoded = encodeDataset(dataset, queryTower, candidateTower);
      const begin = end;
      end += encoded.rows;
      if (end > this.rows) throw wrongRows(this.rows, `at least ${end}`);
      this.#correct(encoded);
      const order = shuffle ? orders.fork('block', block).permutation(encoded.rows) : undefined;
      for (; step * batchSize < end; step++) {
        const from = step * batchSize - begin;
        const batch = takeBatch(encoded, from, Math.min(from + batchSize, encoded.rows), order);
        this.#estimate(batch);
        yield batch;
      }
      block++;
    }
    if (end !== this.rows) throw wrongRows(this.rows, end);
  }

  validation(): FitValidation<Q, C> | undefined {
    const { validation } = this.#options;
    if (!validation || !(this.#isCounted || this.#frequency)) return validation;
    const candidates = this.#model.candidateTower.encode(validation.dataset.candidates);
    return corrected(
      validation,
      this.#frequency
        ? this.#frequency.probabilities(this.#candidates.counts.numbersAsked(candidates))
        : this.#candidates.counts.probabilities(candidates),
    );
  }

  /** The shares of the candidates of a batch, and of places in the catalogue. */
  #sharesOf({ candidateSamplingProbability: ofRows }: EncodedDataset, drawn: Int32Array): Float64Array {
    const { counts } = this.#candidates;
    const numbers = drawn.map((place) => this.#drawable[place]!);
    const ofDrawn = this.#isCounted
      ? Array.from(numbers, (number) => counts.shareOf(number))
      : this.#candidates.hasGivenShares
        ? Array.from(drawn, (place) => this.#candidates.givenShareOf(this.#catalogue.keys[place]!))
        : this.#frequency!.probabilities(numbers);
    const shares = new Float64Array(ofRows!.length + drawn.length);
    shares.set(ofRows!);
    shares.set(ofDrawn, ofRows!.length);
    return shares;
  }

  /** Give a block the counted probabilities, unless it has its own. */
  #correct(encoded: EncodedDataset): void {
    if (this.#isCounted) {
      encoded.candidateSamplingProbability ??= this.#candidates.counts.probabilities(encoded.candidates);
    }
  }

  /** Take a batch into the streaming estimate, and give it the estimated probabilities, unless it has its own. */
  #estimate(batch: EncodedDataset): void {
    if (!this.#frequency || batch.candidateSamplingProbability) return;
    const numbers = this.#candidates.counts.numbersOf(batch.candidates);
    this.#frequency.add(numbers);
    batch.candidateSamplingProbability = this.#frequency.probabilities(numbers);
  }
}

function wrongRows(expected: number, got: number | string): ShapeError {
  return new ShapeError(`source: expected ${expected} rows in every pass, got ${got}`);
}
