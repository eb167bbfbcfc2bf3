/**
 * StringLookup maps words to ids, with Keras's numbering.
 *
 * Without a mask token, id 0 is out of vocabulary (OOV) and word w of the vocabulary has id w + 1. With a mask token,
 * the mask token has id 0, OOV is 1 and the vocabulary begins at 2. Unknown words and the empty string are OOV. With
 * several OOV ids, a hash of an unknown word chooses its id, and the vocabulary begins after the last of them. `adapt`
 * orders words by their UTF-8 bytes, as numpy's unique does; JavaScript's own order compares UTF-16 units and differs
 * for characters outside the basic plane.
 *
 * The words are kept in typed arrays (word-index.ts): their UTF-8 bytes and ten bytes per word.
 */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger, shown } from '../checks/numbers.ts';
import { LIST, NUMBER, optionsCheck, optionType, required, STRING } from '../checks/options.ts';
import { hashWord } from '../columns/text-bytes.ts';
import { OptionError, VocabularyError } from '../errors/errors.ts';
import type { Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import { checkEnds, loadTextColumn, TEXT_ENCODINGS, TextColumn, type TextEncoding } from '../format/text-column.ts';
import { finish } from '../parallel/steps.ts';
import { repeatedWord, WordIndex } from './word-index.ts';

/** Options of a lookup. */
export interface StringLookupOptions {
  /** The words, in the order of their ids; none may be empty, repeated, or the mask token. */
  vocabulary: readonly string[];
  /** A word that stands for a missing value and gets id 0; '' is allowed. */
  maskToken?: string | null;
  /** The number of ids for words out of vocabulary; default 1. With 0 such words have the id −1. */
  numOovIndices?: number;
}

const MASK_TOKEN = optionType('a string or null', (value) => value === null || typeof value === 'string');
const checkOptions = optionsCheck<StringLookupOptions>('StringLookup', {
  vocabulary: required(LIST),
  maskToken: MASK_TOKEN,
  numOovIndices: NUMBER,
});
const ITERABLE = optionType(
  'words, one after another',
  (value) => typeof (value as Iterable<string> | null | undefined)?.[Symbol.iterator] === 'function',
);
const checkAdapt = optionsCheck<Pick<StringLookupOptions, 'maskToken'>>('StringLookup.adapt', {
  maskToken: MASK_TOKEN,
});

/** Keras's token for unknown words, which a vocabulary may not contain. */
export const OOV_TOKEN = '[UNK]';

/** A map from words to ids. */
export class StringLookup {
  readonly maskToken: string | null;
  readonly numOovIndices: number;
  /** The id of unknown words, the first one where there are several; −1 where there is none. */
  readonly oovId: number;
  readonly #words: WordIndex;
  readonly #firstId: number;
  /** The vocabulary as a list; it is made again where nobody kept it. */
  #vocabulary: WeakRef<readonly string[]> | undefined;

  /**
   * @param words the words of the vocabulary where they are indexed already; `options.vocabulary` is then not read
   * @throws {VocabularyError} naming the word that is empty, repeated or the mask token
   */
  constructor(options: StringLookupOptions, words?: WordIndex) {
    const { vocabulary, maskToken = null, numOovIndices = 1 } = checkOptions(options);
    checkInteger('numOovIndices', numOovIndices, 0);
    this.maskToken = maskToken;
    this.numOovIndices = numOovIndices;
    this.#firstId = (maskToken === null ? 0 : 1) + numOovIndices;
    this.oovId = numOovIndices === 0 ? -1 : this.#firstId - numOovIndices;
    this.#words = words ?? indexOf(vocabulary);
    checkReserved(this.#words, maskToken);
  }

  /** A lookup of the distinct words among `words`, in UTF-8 byte order. */
  static adapt(words: Iterable<string>, options: { maskToken?: string | null } = {}): StringLookup {
    checkArgument('words', words, ITERABLE);
    checkAdapt(options);
    const distinct = new Set(words);
    distinct.delete('');
    if (options.maskToken) distinct.delete(options.maskToken);
    return new StringLookup({ vocabulary: [...distinct].sort(compareUtf8), ...options });
  }

  /** Words, mask token, and the number of OOV ids where it is not 1. */
  save(): Saved {
    // Only a text column has an encoding for surrogates without their partner.
    const words = this.#words.hasLoneSurrogates ? TextColumn.from(this.vocabulary) : undefined;
    const { text, ends } = this.#words.bytes();
    const sections = words?.sections() ?? [
      { name: 'text', bytes: text },
      { name: 'ends', bytes: bytesOf(ends) },
    ];
    const { maskToken, numOovIndices } = this;
    const settings = { words: this.#words.size, encoding: words?.encoding ?? 'utf-8', maskToken };
    return {
      kind: 'string-lookup',
      settings: numOovIndices === 1 ? settings : { ...settings, numOovIndices },
      sections,
    };
  }

  /**
   * Load a saved lookup.
   *
   * @throws {FormatError} when settings and sections do not fit together
   */
  static load(part: Part): StringLookup {
    const { settings } = part;
    const words = loadWords(part, settings.integer('words'), settings.oneOf('encoding', TEXT_ENCODINGS));
    const maskToken = settings.json('maskToken') === null ? null : settings.string('maskToken');
    const numOovIndices = settings.has('numOovIndices') ? settings.integer('numOovIndices') : 1;
    return new StringLookup({ vocabulary: [], maskToken, numOovIndices }, words);
  }

  /**
   * The words in the order of their ids. The list is made when it is asked for and released when nobody keeps it; `words`
   * and `wordAt` read the words without it.
   */
  get vocabulary(): readonly string[] {
    let list = this.#vocabulary?.deref();
    if (list === undefined) {
      list = [...this.#words.words()];
      this.#vocabulary = new WeakRef(list);
    }
    return list;
  }

  /** The number of words of the vocabulary. */
  get wordCount(): number {
    return this.#words.size;
  }

  /** Word `position` of the vocabulary. */
  wordAt(position: number): string {
    checkInteger('position', position, 0, this.wordCount - 1);
    return this.#words.at(position);
  }

  /** The words of the vocabulary one after the other. */
  words(): IterableIterator<string> {
    return this.#words.words();
  }

  /** The number of ids: vocabulary, OOV and mask. */
  get size(): number {
    return this.#words.size + this.#firstId;
  }

  /** The id of the mask token; undefined without one. */
  get missingId(): number | undefined {
    return this.maskToken === null ? undefined : 0;
  }

  /** Bytes of memory that the words and their index take. */
  get memoryBytes(): number {
    return this.#words.memoryBytes;
  }

  /** True for a word of the vocabulary. */
  has(word: string): boolean {
    checkArgument('word', word, STRING);
    return this.#words.rowOf(word) >= 0;
  }

  /** The id of one word. */
  idOf(word: string): number {
    checkArgument('word', word, STRING);
    const row = this.#words.rowOf(word);
    if (row >= 0) return row + this.#firstId;
    if (word === this.maskToken) return 0;
    return this.numOovIndices > 1 ? this.oovId + (hashWord(word) % this.numOovIndices) : this.oovId;
  }

  /**
   * The ids of words.
   *
   * @throws {OptionError} when an element is not a string
   */
  encode(words: readonly string[]): Int32Array {
    const ids = new Int32Array(checkArgument('features', words, LIST).length);
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

function indexOf(vocabulary: readonly string[]): WordIndex {
  const words = new WordIndex();
  for (let i = 0; i < vocabulary.length; i++) {
    const word = vocabulary[i]!;
    if (typeof word !== 'string') {
      throw new VocabularyError(`vocabulary: expected non-empty strings, got ${shown(word)} at position ${i}`);
    }
    if (words.add(word) !== i) throw repeatedWord(word, i);
  }
  words.compact();
  return words;
}

function checkReserved(words: WordIndex, maskToken: string | null): void {
  const empty = words.rowOf('');
  if (empty >= 0) throw new VocabularyError(`vocabulary: expected non-empty strings, got "" at position ${empty}`);
  for (const reserved of [OOV_TOKEN, maskToken]) {
    const at = reserved === null ? -1 : words.rowOf(reserved);
    if (at < 0) continue;
    throw new VocabularyError(`vocabulary: expected no reserved token, got ${shown(reserved)} at position ${at}`);
  }
}

function loadWords(part: Part, size: number, encoding: TextEncoding): WordIndex {
  if (encoding !== 'utf-8') return indexOf(loadTextColumn(part, size, encoding).toArray());
  const text = part.bytes('text');
  const endBytes = part.bytes('ends', size * 4);
  const ends = new Uint32Array(endBytes.buffer, endBytes.byteOffset, size);
  // The index reads the words at once, so the check of their ends cannot wait.
  finish(checkEnds(part, ends, text.length));
  return WordIndex.of(text, ends);
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
