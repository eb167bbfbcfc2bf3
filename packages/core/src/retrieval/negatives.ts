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
  /** The features of every candidate that may be drawn; default the distinct candidates of the data set. */
  catalogue?: readonly C[];
}

/** Refuses unknown options of `negatives`, and values of a wrong type. */
export const checkNegatives: OptionsCheck = optionsCheck<NegativesOptions<never>>('fit.negatives', {
  uniform: NUMBER,
  catalogue: LIST,
  memory: NUMBER,
  memoryWarmupSteps: NUMBER,
});

/** The parts of a run from which negatives are drawn. */
export interface NegativesContext {
  encoded: EncodedDataset;
  /** The encoded catalogue; undefined: the candidates of the data set. */
  catalogue: EncodedFeatures | undefined;
  /** Whether other rows of a batch are negatives. */
  inBatchNegatives: boolean;
  seed: number;
}

/** Draws the further negatives of each step. */
export class Negatives {
  readonly memory: CrossBatchMemory | undefined;
  /** The candidates of the data set, then the distinct ones of the catalogue. */
  readonly candidates: EncodedFeatures;
  readonly #uniform: number;
  readonly #rows: number;
  readonly #inBatch: boolean;
  readonly #seeds: Generator;
  /** The candidate of each row of `candidates`, as a number that equal ones share. */
  readonly #keys: Int32Array;
  /** Rows of `candidates`: the catalogue. */
  readonly #catalogue: Int32Array;
  /** Probability of each candidate that is known from the data set, by key. */
  readonly #shares: Float64Array | undefined;

  /** @throws {OptionError} when a number is out of range, or a catalogue stands beside identifiers of the data set */
  constructor(options: NegativeCounts, { encoded, catalogue, inBatchNegatives, seed }: NegativesContext) {
    const { uniform = 0, memory = 0, memoryWarmupSteps = 0 } = options;
    this.#uniform = checkInteger('uniform', uniform, 0);
    checkInteger('memory', memory, 0);
    checkInteger('memoryWarmupSteps', memoryWarmupSteps, 0);
    if (uniform === 0 && memory === 0)
      throw new OptionError('negatives: expected uniform or memory above 0, got neither');
    if (catalogue && encoded.identifiers) {
      throw new OptionError(
        'negatives.catalogue: expected a data set without candidateIds beside it, got one with them',
      );
    }
    this.memory = memory > 0 ? new CrossBatchMemory(memory, memoryWarmupSteps) : undefined;
    this.#inBatch = inBatchNegatives;
    this.#seeds = new Generator(seed).fork('negatives');
    this.#rows = encoded.rows;
    this.candidates = catalogue ? encoded.candidates.concat(catalogue) : encoded.candidates;
    this.#keys = encoded.identifiers ? numbersOf(encoded.identifiers) : this.candidates.distinct().groupOf;
    this.#catalogue = firstOfEach(this.#keys, catalogue ? encoded.rows : 0);
    const given = encoded.candidateSamplingProbability;
    if (given) {
      this.#shares = new Float64Array(this.#keys.reduce((most, key) => Math.max(most, key), 0) + 1);
      for (let i = 0; i < this.#rows; i++) this.#shares[this.#keys[i]!] = given[i]!;
    }
  }

  /**
   * Add the negatives of a step to its batch.
   *
   * @param rows [B] the rows of the data set that the batch has
   * @param ofRows the current shares of rows of `candidates`; undefined: those of the data set
   */
  addTo(batch: EncodedDataset, rows: Int32Array, step: number, ofRows?: (rows: Int32Array) => Float64Array): void {
    const generator = this.#seeds.fork('step', step);
    const drawn = new Int32Array(this.#uniform);
    for (let i = 0; i < drawn.length; i++) drawn[i] = this.#catalogue[generator.below(this.#catalogue.length)]!;
    const taken = new Int32Array(rows.length + drawn.length);
    taken.set(rows);
    taken.set(drawn, rows.length);
    const { memory } = this;
    const remembered = memory?.isUsedAt(step) ? memory.count : 0;
    batch.columnKeys = taken.map((row) => this.#keys[row]!);
    if (drawn.length > 0) batch.negatives = this.candidates.take(drawn);
    const isCorrected = batch.candidateSamplingProbability !== undefined;
    if (!isCorrected) return;
    const shares = ofRows ? ofRows(taken) : Float64Array.from(batch.columnKeys, (key) => this.#shares?.[key] ?? 0);
    batch.columnShares = shares;
    const columns = (this.#inBatch ? rows.length : 0) + remembered;
    const uniformShare = this.#uniform / this.#catalogue.length;
    const mixed = (share: number): number =>
      columns + this.#uniform === 0 ? 1 : Math.min(1, (columns * share + uniformShare) / (columns + this.#uniform));
    batch.candidateSamplingProbability = Float64Array.from(
      remembered > 0 ? [...shares, ...memory!.probabilities] : shares,
      mixed,
    );
  }
}

/** A number for each distinct identifier. */
function numbersOf(identifiers: readonly unknown[]): Int32Array {
  const numbers = new Map<unknown, number>();
  return Int32Array.from(identifiers, (identifier) => {
    const known = numbers.get(identifier);
    if (known !== undefined) return known;
    numbers.set(identifier, numbers.size);
    return numbers.size - 1;
  });
}

/** The first row from `from` on of each key. */
function firstOfEach(keys: Int32Array, from: number): Int32Array {
  const seen = new Set<number>();
  const first: number[] = [];
  for (let row = from; row < keys.length; row++) {
    if (seen.has(keys[row]!)) continue;
    seen.add(keys[row]!);
    first.push(row);
  }
  return Int32Array.from(first);
}
