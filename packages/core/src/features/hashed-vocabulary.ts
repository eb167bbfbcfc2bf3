/**
 * A vocabulary without words: a hash gives each word one of `numBins` ids, as Keras's Hashing layer does (with another hash).
 * It takes no memory; words may share an id.
 */
import { checkInteger } from '../checks/numbers.ts';
import { hashWord } from '../columns/text-bytes.ts';
import type { Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import type { Vocabulary } from './contract.ts';

/** Ids of words by their hash. */
export class HashedVocabulary implements Vocabulary {
  readonly size: number;
  readonly missingId: number | undefined;

  /**
   * @param hasMissing true: id 0 is for missing values and the empty word, and the other words share the remaining ids
   */
  constructor(numBins: number, hasMissing: boolean) {
    checkInteger('numBins', numBins, hasMissing ? 2 : 1, 2 ** 31 - 1);
    this.size = numBins;
    this.missingId = hasMissing ? 0 : undefined;
  }

  idOf(word: string): number {
    if (this.missingId === undefined) return hashWord(word) % this.size;
    return word === '' ? 0 : 1 + (hashWord(word) % (this.size - 1));
  }

  has(): boolean {
    return false;
  }

  save(): Saved {
    const settings = { numBins: this.size, hasMissing: this.missingId !== undefined };
    return { kind: 'hashed-vocabulary', settings, sections: [] };
  }

  static load({ settings }: Part): HashedVocabulary {
    return new HashedVocabulary(settings.integer('numBins', { min: 1 }), settings.boolean('hasMissing'));
  }
}
