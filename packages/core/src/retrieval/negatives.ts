/**
 * The negatives of a batch beside its other candidates: candidates drawn uniformly from the catalogue ("mixed negative
 * sampling"), and the vectors of earlier batches (cross-batch-memory.ts).
 *
 * Popular candidates alone are in batches; uniform ones show the rare and the new ones to the model. A column's sampling
 * probability is that of the mixture,
 *
 *   p(c) = (m · q(c) + U / C) / (m + U)
 *
 * q(c) the share of c in the training data, U uniform candidates out of C, m columns from batches (rows and memory; 0 without
 * in-batch negatives, where p is the same for all and no correction is made). Source: Yang and others, "Mixed Negative
 * Sampling for Learning Two-tower Neural Networks in Recommendations", WWW 2020, section 4.
 */
import { checkInteger } from '../checks/numbers.ts';
import { LIST, NUMBER, type OptionsCheck, optionsCheck } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import { Generator } from '../random/generator.ts';
import type { EncodedFeatures } from '../towers/encoded-features.ts';
import type { Features } from '../towers/tower-inputs.ts';
import { CrossBatchMemory } from './cross-batch-memory.ts';
import type { EncodedDataset } from './dataset.ts';

/** The numbers of negatives. */
export interface NegativeCounts {
  /** Candidates that are drawn from the catalogue for each step; default 0. */
  uniform?: number;
  /** Candidate vectors of earlier batches that are kept; default 0. */
  memory?: number;
  /** Steps before the memory is used; default 0. */
  memoryWarmupSteps?: number;
}

/** Negatives beside the other candidates of a batch. */
export interface NegativesOptions<C extends Features> extends NegativeCounts {
  /**
   * The features of every candidate that may be drawn; default the distinct candidates of the data set. Those of a source are
   * found in a pass before the training, and stay in memory.
   */
  catalogue?: readonly C[];
}

/** Refuses unknown options of `negatives`, and values of a wrong type. */
export const checkNegatives: OptionsCheck = optionsCheck<NegativesOptions<never>>('fit.negatives', {
  uniform: NUMBER,
  catalogue: LIST,
  memory: NUMBER,
  memoryWarmupSteps: NUMBER,
});

/** The candidates that may be drawn. */
export interface Catalogue {
  /** The encoded candidates, and maybe others. */
  candidates: EncodedFeatures;
  /** [C] the rows of `candidates` that may be drawn. */
  rows: Int32Array;
  /** [C] the candidate of each, as a number that equal ones share. */
  keys: Int32Array;
}

/** The settings of a run on which its negatives depend. */
export interface NegativesContext {
  /** Whether other rows of a batch are negatives. */
  inBatchNegatives: boolean;
  seed: number;
}

/** Draws the further negatives of each step. */
export class Negatives {
  readonly memory: CrossBatchMemory | undefined;
  readonly #uniform: number;
  readonly #catalogue: Catalogue;
  readonly #inBatch: boolean;
  readonly #seeds: Generator;

  /** @throws {OptionError} when a number is out of range */
  constructor(options: NegativeCounts, catalogue: Catalogue, { inBatchNegatives, seed }: NegativesContext) {
    const { uniform = 0, memory = 0, memoryWarmupSteps = 0 } = options;
    this.#uniform = checkInteger('uniform', uniform, 0);
    checkInteger('memory', memory, 0);
    checkInteger('memoryWarmupSteps', memoryWarmupSteps, 0);
    if (uniform === 0 && memory === 0)
      throw new OptionError('negatives: expected uniform or memory above 0, got neither');
    this.memory = memory > 0 ? new CrossBatchMemory(memory, memoryWarmupSteps) : undefined;
    this.#catalogue = catalogue;
    this.#inBatch = inBatchNegatives;
    this.#seeds = new Generator(seed).fork('negatives');
  }

  /**
   * Add the negatives of a step to its batch.
   *
   * @param keys [B] the candidate of each row of the batch
   * @param sharesOf the shares of the candidates of the rows and, after them, of places in the catalogue
   */
  addTo(batch: EncodedDataset, keys: Int32Array, step: number, sharesOf: (drawn: Int32Array) => Float64Array): void {
    const generator = this.#seeds.fork('step', step);
    const { candidates, rows, keys: catalogueKeys } = this.#catalogue;
    const drawn = new Int32Array(this.#uniform);
    for (let i = 0; i < drawn.length; i++) drawn[i] = generator.below(rows.length);
    const { memory } = this;
    const remembered = memory?.isUsedAt(step) ? memory.count : 0;
    batch.columnKeys = new Int32Array(keys.length + drawn.length);
    batch.columnKeys.set(keys);
    batch.columnKeys.set(
      drawn.map((place) => catalogueKeys[place]!),
      keys.length,
    );
    if (drawn.length > 0) batch.negatives = candidates.take(drawn.map((place) => rows[place]!));
    const isCorrected = batch.candidateSamplingProbability !== undefined;
    if (!isCorrected) return;
    const shares = sharesOf(drawn);
    batch.columnShares = shares;
    const columns = (this.#inBatch ? keys.length : 0) + remembered;
    const uniformShare = this.#uniform === 0 ? 0 : this.#uniform / rows.length;
    const mixed = (share: number): number =>
      columns + this.#uniform === 0 ? 1 : Math.min(1, (columns * share + uniformShare) / (columns + this.#uniform));
    batch.candidateSamplingProbability = Float64Array.from(
      remembered > 0 ? [...shares, ...memory!.probabilities] : shares,
      mixed,
    );
  }
}

/** Refuse a catalogue beside identifiers: its candidates have none, and so could not be known again. */
export function checkCatalogue(catalogue: unknown, identifiers: unknown): void {
  if (!catalogue || !identifiers) return;
  throw new OptionError('negatives.catalogue: expected a data set without candidateIds beside it, got one with them');
}

/** The places from `from` on of the first of each key. */
export function firstOfEach(keys: Int32Array, from: number): Int32Array {
  const seen = new Set<number>();
  const first: number[] = [];
  for (let place = from; place < keys.length; place++) {
    if (seen.has(keys[place]!)) continue;
    seen.add(keys[place]!);
    first.push(place);
  }
  return Int32Array.from(first);
}
