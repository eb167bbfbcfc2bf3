/** The batches of a training run from a source that need not fit into memory. */
import { throwIfAborted } from '../checks/abort.ts';
import { checkInteger } from '../checks/numbers.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import { Generator } from '../random/generator.ts';
import type { Features } from '../towers/tower-inputs.ts';
import { CandidateCounts } from './candidate-counts.ts';
import { type EncodedDataset, encodeDataset, takeBatch } from './dataset.ts';
import type { FitValidation, RunOptions } from './fit-options.ts';
import type { RetrievalSource } from './source.ts';
import { sourceBlocks } from './source-blocks.ts';
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
  readonly memory = undefined;
  readonly #model: ModelParts<Q, C>;
  readonly #source: RetrievalSource<Q, C>;
  readonly #options: RunOptions<Q, C>;
  readonly #blockRows: number;
  readonly #counts: CandidateCounts | undefined;
  readonly #frequency: StreamingFrequency | undefined;
  /** The numbers of candidates of a streaming estimate. */
  readonly #numbers = new CandidateCounts();

  private constructor(
    model: ModelParts<Q, C>,
    source: RetrievalSource<Q, C>,
    options: RunOptions<Q, C>,
    rows: number,
    counts: CandidateCounts | undefined,
  ) {
    const { batchSize, shuffle = true, shuffleBuffer = BUFFER_BATCHES * batchSize, samplingCorrection } = options;
    this.rows = rows;
    this.steps = Math.ceil(rows / batchSize);
    this.fingerprint = source.fingerprint;
    this.#model = model;
    this.#source = source;
    this.#options = options;
    this.#blockRows = shuffle ? Math.ceil(shuffleBuffer / batchSize) * batchSize : batchSize;
    this.#counts = counts;
    this.#frequency = samplingCorrection === 'streaming' ? new StreamingFrequency() : undefined;
  }

  /**
   * Begin with a source. A pass counts its rows and candidates where they are needed and not known.
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
    if (negatives) throw new OptionError('negatives: expected a data set in memory beside them, got a source');
    const counts = new CandidateCounts();
    const isCounted = samplingCorrection === true;
    let rows = source.rows;
    if (rows === undefined || isCounted) {
      rows = 0;
      for await (const block of sourceBlocks(source, 0, COUNT_ROWS)) {
        throwIfAborted('fit', signal);
        rows += block.queries.length;
        if (isCounted && !block.candidateSamplingProbability) {
          counts.add(model.candidateTower.encode(block.candidates));
        }
      }
      if (rows === 0) throw new ShapeError('source: expected at least one interaction, got none');
      if (source.rows !== undefined && source.rows !== rows) throw wrongRows(source.rows, rows);
    }
    return new StreamedData(model, source, options, rows, isCounted ? counts : undefined);
  }

  async skipTo(epoch: number, step: number): Promise<void> {
    if (!this.#frequency) return;
    // The estimate depends on all rows before, which are read again without a training step.
    for (let before = 0; before <= epoch; before++) {
      let left = before < epoch ? this.steps : step;
      if (left === 0) return;
      for await (const _ of this.batches(before, 0)) if (--left === 0) break;
    }
  }

  async *batches(epoch: number, firstStep: number): AsyncGenerator<EncodedDataset, void> {
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
    if (!validation || !(this.#counts || this.#frequency)) return validation;
    const candidates = this.#model.candidateTower.encode(validation.dataset.candidates);
    return corrected(
      validation,
      this.#frequency
        ? this.#frequency.probabilities(this.#numbers.numbersOf(candidates))
        : this.#counts!.probabilities(candidates),
    );
  }

  /** Give a block the counted probabilities, unless it has its own. */
  #correct(encoded: EncodedDataset): void {
    if (this.#counts) encoded.candidateSamplingProbability ??= this.#counts.probabilities(encoded.candidates);
  }

  /** Take a batch into the streaming estimate, and give it the estimated probabilities, unless it has its own. */
  #estimate(batch: EncodedDataset): void {
    if (!this.#frequency || batch.candidateSamplingProbability) return;
    const numbers = this.#numbers.numbersOf(batch.candidates);
    this.#frequency.add(numbers);
    batch.candidateSamplingProbability = this.#frequency.probabilities(numbers);
  }
}

function wrongRows(expected: number, got: number | string): ShapeError {
  return new ShapeError(`source: expected ${expected} rows in every pass, got ${got}`);
}
