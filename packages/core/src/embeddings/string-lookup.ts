/**
 * StringLookup maps words to ids, with Keras's numbering.
 *
 * Without a mask token, id 0 is out of vocabulary (OOV) and word w of the vocabulary has id w + 1. With a mask token,
 * the mask token has id 0, OOV is 1 and the vocabulary begins at 2. Unknown words and the empty string are OOV. `adapt`
 * orders words by their UTF-8 bytes, as numpy's unique does; JavaScript's own order compares UTF-16 units and differs
 * for characters outside the basic plane.
 */

import { shown } from '../checks/numbers.ts';
import { LIST, optionsCheck, optionType, required } from '../checks/options.ts';
import { OptionError, VocabularyError } from '../errors/errors.ts';
import type { Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import { TEXT_ENCODINGS, TextColumn } from '../format/text-column.ts';

/** Options of a lookup. */
export interface StringLookupOptions {
  /** The words, in the order of their ids; none may be empty, repeated, or the mask token. */
  vocabulary: readonly string[];
  /** A word that stands for a missing value and gets id 0. */
  maskToken?: string | null;
}

const MASK_TOKEN = optionType('a string or null', (value) => value === null || typeof value === 'string');
const checkOptions = optionsCheck<StringLookupOptions>('StringLookup', {
  vocabulary: required(LIST),
  maskToken: MASK_TOKEN,
});
const checkAdapt = optionsCheck<Pick<StringLookupOptions, 'maskToken'>>('StringLookup.adapt', {
  maskToken: MASK_TOKEN,
});

/** Keras's token for unknown words, which a vocabulary may not contain. */
export const OOV_TOKEN = '[UNK]';

/** A map from words to ids. */
export class StringLookup {
  readonly vocabulary: readonly string[];
  readonly maskToken: string | null;
  /** The id of unknown words. */
  readonly oovId: number;
  readonly #ids = new Map<string, number>();

  /** @throws {VocabularyError} naming the word that is empty, repeated or the mask token */
  constructor(options: StringLookupOptions) {
    const { vocabulary, maskToken = null } = checkOptions(options);
    this.vocabulary = vocabulary;
    this.maskToken = maskToken;
    this.oovId = maskToken === null ? 0 : 1;
    for (let i = 0; i < vocabulary.length; i++) {
      const word = vocabulary[i]!;
      if (typeof word !== 'string' || word === '') {
        throw new VocabularyError(`vocabulary: expected non-empty strings, got ${shown(word)} at position ${i}`);
      }
      if (word === maskToken || word === OOV_TOKEN) {
        throw new VocabularyError(`vocabulary: expected no reserved token, got ${shown(word)} at position ${i}`);
      }
      if (this.#ids.has(word)) {
        throw new VocabularyError(`vocabulary: expected distinct words, got ${shown(word)} again at position ${i}`);
      }
      this.#ids.set(word, this.oovId + 1 + i);
    }
    if (maskToken !== null) this.#ids.set(maskToken, 0);
  }

  /** A lookup of the distinct words among `words`, in UTF-8 byte order. */
  static adapt(words: Iterable<string>, options: { maskToken?: string | null } = {}): StringLookup {
    checkAdapt(options);
    const distinct = new Set(words);
    distinct.delete('');
    if (options.maskToken) distinct.delete(options.maskToken);
    return new StringLookup({ vocabulary: [...distinct].sort(compareUtf8), ...options });
  }

  /** Words and mask token. */
  save(): Saved {
    const words = TextColumn.from(this.vocabulary);
    return {
      kind: 'string-lookup',
      settings: { words: words.length, encoding: words.encoding, maskToken: this.maskToken },
      sections: words.sections(),
    };
  }

  /**
   * Load a saved lookup.
   *
   * @throws {FormatError} when settings and sections do not fit together
   */
  static load(part: Part): StringLookup {
    const { settings } = part;
    const words = TextColumn.load(part, settings.integer('words'), settings.oneOf('encoding', TEXT_ENCODINGS));
    const maskToken = settings.json('maskToken') === null ? null : settings.string('maskToken');
    return new StringLookup({ vocabulary: words.toArray(), maskToken });
  }

  /** The number of ids: vocabulary, OOV and mask. */
  get size(): number {
    return this.vocabulary.length + this.oovId + 1;
  }

  /** The id of one word. */
  idOf(word: string): number {
    return this.#ids.get(word) ?? this.oovId;
  }

  /**
   * The ids of words.
   *
   * @throws {OptionError} when an element is not a string
   */
  encode(words: readonly string[]): Int32Array {
    const ids = new Int32Array(words.length);
    for (let i = 0; i < words.length; i++) {
      const word = words[i];
      if (typeof word !== 'string') {
        throw new OptionError(`features: expected strings, got ${shown(word)} at position ${i}`);
      }
      ids[i] = this.idOf(word);
    }
    return ids;
  }
}

/** Compare two strings by their UTF-8 bytes, which is the order of their code points. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    // A surrogate is part of a code point that is above all other units.
    const [xHigh, yHigh] = [isSurrogate(x), isSurrogate(y)];
    return xHigh === yHigh ? x - y : xHigh ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
