/**
 * The distinct candidates of a source, found in a pass before the training: their numbers, their shares of the rows, and
 * the catalogue from which negatives are drawn.
 *
 * Candidates have numbers in the order of the source's rows, so that a resumed run gives them the same ones as the run
 * before, whose cross-batch memory a checkpoint holds. Memory: one text for each distinct candidate, and with a catalogue
 * its encoded features.
 */
import { EncodedFeatures } from '../towers/encoded-features.ts';
import { CandidateCounts } from './candidate-counts.ts';
import type { EncodedDataset } from './dataset.ts';
import { type Catalogue, checkCatalogue, firstOfEach } from './negatives.ts';

/** The rows of a block of the source that concern candidates. */
type CandidateRows = Pick<EncodedDataset, 'candidates' | 'identifiers' | 'candidateSamplingProbability'>;

/** Finds the candidates of a source block by block. */
export class SourceCandidates {
  /** Numbers and counts of candidates by their encoded features. */
  readonly counts: CandidateCounts = new CandidateCounts();
  readonly #keepsFeatures: boolean;
  /** Numbers of identifiers, where the source has some. */
  readonly #identifiers = new Map<unknown, number>();
  /** The first row of each candidate, in pieces. */
  readonly #first: EncodedFeatures[] = [];
  /** The keys that `#first` has. */
  readonly #kept = new Set<number>();
  /** The probability that the source gives each candidate, by key. */
  readonly #given: number[] = [];

  /** @param keepsFeatures whether `catalogue` is to have the candidates of the source */
  constructor(keepsFeatures: boolean) {
    this.#keepsFeatures = keepsFeatures;
  }

  /** Add a block. */
  add(block: CandidateRows): void {
    this.counts.add(block.candidates);
    const keys = this.keysOf(block);
    const { candidateSamplingProbability: given, candidates } = block;
    if (given) {
      keys.forEach((key, i) => {
        this.#given[key] = given[i]!;
      });
    }
    if (!this.#keepsFeatures) return;
    const fresh = firstOfEach(keys, 0).filter((row) => !this.#kept.has(keys[row]!));
    if (fresh.length === 0) return;
    for (const row of fresh) this.#kept.add(keys[row]!);
    this.#first.push(candidates.take(fresh));
  }

  /** [rows] the candidate of each row, as a number that equal ones share: by identifiers, or by encoded features. */
  keysOf({ candidates, identifiers }: CandidateRows): Int32Array {
    if (!identifiers) return this.counts.numbersOf(candidates);
    return Int32Array.from(identifiers, (identifier) => {
      const known = this.#identifiers.get(identifier);
      if (known !== undefined) return known;
      this.#identifiers.set(identifier, this.#identifiers.size);
      return this.#identifiers.size - 1;
    });
  }

  /**
   * The candidates that may be drawn.
   *
   * @param given encoded candidates in place of those of the source
   * @throws {OptionError} when candidates are given for a source with identifiers
   */
  catalogue(given: EncodedFeatures | undefined): Catalogue {
    checkCatalogue(given, this.#identifiers.size > 0);
    if (given) {
      const keys = this.counts.numbersOf(given);
      const rows = firstOfEach(keys, 0);
      return { candidates: given, rows, keys: rows.map((row) => keys[row]!) };
    }
    const [first, ...more] = this.#first;
    const candidates = first ? first.concat(...more) : new EncodedFeatures(0, []);
    return {
      candidates,
      rows: Int32Array.from({ length: candidates.rows }, (_, row) => row),
      keys: Int32Array.from(this.#kept),
    };
  }

  /** True where the source gives probabilities of its own. */
  get hasGivenShares(): boolean {
    return this.#given.length > 0;
  }

  /** The probability that the source gives the candidate with this key; 0 where it gives none. */
  givenShareOf(key: number): number {
    return this.#given[key] ?? 0;
  }
}
