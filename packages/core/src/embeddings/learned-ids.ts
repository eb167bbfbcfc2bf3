/**
 * The set of ids that have learned pointers, for tables in which not all ids have them: one bit per id, and for each
 * word of bits the number of bits set in the words before it. With these, the rank of an id in the set takes one
 * addition and one popcount.
 *
 * Only the bits are saved: V/8 bytes, rounded up to words of four bytes. In memory the counts take as many bytes again.
 */
import type { Part } from '../format/part.ts';
import type { Block, Heap } from '../memory/heap.ts';

/** Bits of a word, one per id. */
const WORD_BITS = 32;

/** The number of words for `vocabularySize` ids. */
export function learnedWords(vocabularySize: number): number {
  return Math.ceil(vocabularySize / WORD_BITS);
}

/** A set of ids with their ranks. */
export class LearnedIds {
  /** The number of ids in the set. */
  readonly count: number;
  readonly #words: number;
  /** [words] uint32 of bits, then [words] uint32 of ranks. */
  readonly #block: Block;

  /** @param words [⌈V / 32⌉] uint32; id i is bit i mod 32 of word ⌊i / 32⌋ */
  constructor(words: Uint32Array, heap: Heap) {
    this.#words = words.length;
    this.#block = heap.allocate(8 * words.length);
    const all = this.#block.integers(2 * words.length);
    all.set(words);
    let count = 0;
    for (let w = 0; w < words.length; w++) {
      all[words.length + w] = count;
      count += ones(words[w]!);
    }
    this.count = count;
  }

  /** The set of the ids below `vocabularySize` for which `isLearned` returns true. */
  static where(vocabularySize: number, isLearned: (id: number) => boolean, heap: Heap): LearnedIds {
    const words = new Uint32Array(learnedWords(vocabularySize));
    for (let id = 0; id < vocabularySize; id++) if (isLearned(id)) words[id >>> 5]! |= 1 << (id & 31);
    return new LearnedIds(words, heap);
  }

  /** Load the set from section `learned`. @throws {FormatError} when it has an id that is not in the vocabulary */
  static load(part: Part, vocabularySize: number): LearnedIds {
    const bytes = part.bytes('learned', 4 * learnedWords(vocabularySize)).slice();
    const words = new Uint32Array(bytes.buffer);
    if (!areWithin(words, vocabularySize)) {
      throw part.error('learned', `expected ids below ${vocabularySize}, got a larger one`);
    }
    return new LearnedIds(words, part.runtime.heap);
  }

  /** Byte offset of the bits. */
  get bits(): number {
    return this.#block.offset;
  }

  /** Byte offset of the ranks. */
  get ranks(): number {
    return this.#block.offset + 4 * this.#words;
  }

  /** A copy of the bits, as saved. */
  words(): Uint32Array {
    return new Uint32Array(this.#block.bytes().slice(0, 4 * this.#words).buffer);
  }

  /** True if the set has the id. */
  has(id: number): boolean {
    return ((this.#block.integers(this.#words)[id >>> 5]! >>> (id & 31)) & 1) === 1;
  }

  /** The ids, ascending. */
  ids(): Int32Array {
    const ids = new Int32Array(this.count);
    const words = this.#block.integers(this.#words);
    let at = 0;
    for (let w = 0; w < words.length; w++) {
      for (let bits = words[w]!; bits !== 0; bits &= bits - 1)
        ids[at++] = w * WORD_BITS + 31 - Math.clz32(bits & -bits);
    }
    return ids;
  }

  /** Give the memory back. */
  free(): void {
    this.#block.free();
  }
}

/** True if only bits of ids below `vocabularySize` are set. */
export function areWithin(words: Uint32Array, vocabularySize: number): boolean {
  const used = vocabularySize % WORD_BITS;
  return words.length === learnedWords(vocabularySize) && (used === 0 || words.at(-1)! < 2 ** used);
}

function ones(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
