/**
 * Counts words and makes a vocabulary of the frequent ones. The order is Keras's: the most frequent word first, and of equally
 * frequent ones the larger first by UTF-8 bytes; so the ids do not depend on the order in which the words came.
 */
import { OOV_TOKEN, StringLookup } from '../embeddings/string-lookup.ts';
import { WordIndex } from '../embeddings/word-index.ts';

/** The words that a vocabulary keeps. */
export interface VocabularyShape {
  minCount: number;
  /** All ids, those of unknown words and of missing values included. */
  maxTokens: number;
  numOovIndices: number;
  hasMissing: boolean;
}

/** Words with their numbers of occurrences. Memory: the bytes of the words and some 20 bytes per word. */
export class WordCounts {
  readonly #words = new WordIndex();
  #counts = new Float64Array(64);

  /** Distinct words. */
  get size(): number {
    return this.#words.size;
  }

  /** Count one occurrence of a word; the empty word is not counted. */
  add(word: string): void {
    if (word === '') return;
    const row = this.#words.add(word);
    if (row >= this.#counts.length) {
      const larger = new Float64Array(2 * this.#counts.length);
      larger.set(this.#counts);
      this.#counts = larger;
    }
    this.#counts[row]!++;
  }

  /** The vocabulary of the most frequent words. */
  vocabulary({ minCount, maxTokens, numOovIndices, hasMissing }: VocabularyShape): StringLookup {
    const words = this.#words;
    const counts = this.#counts;
    const kept = Int32Array.from({ length: words.size }, (_, row) => row)
      .filter((row) => counts[row]! >= minCount && words.at(row) !== OOV_TOKEN)
      .sort((a, b) => counts[b]! - counts[a]! || words.compare(b, a))
      .subarray(0, Math.max(0, maxTokens - numOovIndices - (hasMissing ? 1 : 0)));
    const index = new WordIndex();
    for (const row of kept) index.add(words.at(row));
    index.compact();
    return new StringLookup({ vocabulary: [], maskToken: hasMissing ? '' : null, numOovIndices }, index);
  }
}
