/** The further negatives (negatives.ts) of a data set in memory: its candidates, their numbers and their shares. */
import type { EncodedFeatures } from '../towers/encoded-features.ts';
import type { CrossBatchMemory } from './cross-batch-memory.ts';
import type { EncodedDataset } from './dataset.ts';
import { checkCatalogue, firstOfEach, type NegativeCounts, Negatives, type NegativesContext } from './negatives.ts';

/** The data of a run from which negatives are drawn. */
export interface DatasetNegativesContext extends NegativesContext {
  encoded: EncodedDataset;
  /** The encoded catalogue; undefined: the candidates of the data set. */
  catalogue: EncodedFeatures | undefined;
}

/** Draws the further negatives of each step of a data set in memory. */
export class DatasetNegatives {
  /** The candidates of the data set, then those of the catalogue. */
  readonly candidates: EncodedFeatures;
  readonly #negatives: Negatives;
  /** The candidate of each row of `candidates`, as a number that equal ones share. */
  readonly #keys: Int32Array;
  /** Rows of `candidates`: the catalogue. */
  readonly #catalogue: Int32Array;
  /** Probability of each candidate that is known from the data set, by key. */
  readonly #shares: Float64Array | undefined;

  /** @throws {OptionError} when a number is out of range, or a catalogue stands beside identifiers of the data set */
  constructor(options: NegativeCounts, { encoded, catalogue, ...context }: DatasetNegativesContext) {
    checkCatalogue(catalogue, encoded.identifiers);
    this.candidates = catalogue ? encoded.candidates.concat(catalogue) : encoded.candidates;
    this.#keys = encoded.identifiers ? numbersOf(encoded.identifiers) : this.candidates.distinct().groupOf;
    this.#catalogue = firstOfEach(this.#keys, catalogue ? encoded.rows : 0);
    const keys = this.#catalogue.map((row) => this.#keys[row]!);
    this.#negatives = new Negatives(options, { candidates: this.candidates, rows: this.#catalogue, keys }, context);
    const given = encoded.candidateSamplingProbability;
    if (given) {
      this.#shares = new Float64Array(this.#keys.reduce((most, key) => Math.max(most, key), 0) + 1);
      for (let i = 0; i < encoded.rows; i++) this.#shares[this.#keys[i]!] = given[i]!;
    }
  }

  get memory(): CrossBatchMemory | undefined {
    return this.#negatives.memory;
  }

  /**
   * Add the negatives of a step to its batch.
   *
   * @param rows [B] the rows of the data set that the batch has
   * @param ofRows the current shares of rows of `candidates`; undefined: those of the data set
   */
  addTo(batch: EncodedDataset, rows: Int32Array, step: number, ofRows?: (rows: Int32Array) => Float64Array): void {
    const keys = rows.map((row) => this.#keys[row]!);
    this.#negatives.addTo(batch, keys, step, (drawn) => {
      const taken = new Int32Array(rows.length + drawn.length);
      taken.set(rows);
      taken.set(
        drawn.map((place) => this.#catalogue[place]!),
        rows.length,
      );
      return ofRows ? ofRows(taken) : new Float64Array(taken).map((row) => this.#shares?.[this.#keys[row]!] ?? 0);
    });
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
