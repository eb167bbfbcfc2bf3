/**
 * The universal hash family of the compressed tables: h(x) = base + ((a·x + b) mod p) mod rows, p = 2³¹ − 1.
 *
 * Source: Carter and Wegman, "Universal classes of hash functions", 1979. Two ids have the same hash with a probability
 * of about 1/rows. Without the additive term b, id 0 would have row 0 in every column. There is one function per term;
 * a function is four uint32 (a, b, base, rows), and only these are saved.
 */
import type { Part } from '../format/part.ts';
import type { Block } from '../memory/heap.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Generator } from '../random/generator.ts';

/** Ids and coefficients are below this. */
export const HASH_PRIME: number = 2 ** 31 - 1;
const WORDS = 4;
/** Bytes of one hash function, as saved. */
export const HASH_WORDS_BYTES: number = 4 * WORDS;
/** Ids that a thread claims at a time: some ten microseconds. */
const GRAIN_IDS = 1024;

/** Several hash functions, each with its own range of rows. */
export class HashFamily {
  readonly terms: number;
  readonly #block: Block;

  /** @param words [terms, 4] uint32: a, b, base, rows */
  constructor(words: Uint32Array, runtime: Runtime) {
    this.terms = words.length / WORDS;
    this.#block = runtime.heap.allocate(words.byteLength);
    this.#block.bytes().set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  }

  /** Draw one function per range. */
  static draw(ranges: readonly { base: number; rows: number }[], generator: Generator, runtime: Runtime): HashFamily {
    const words = new Uint32Array(ranges.length * WORDS);
    ranges.forEach(({ base, rows }, term) => {
      words.set([1 + generator.below(HASH_PRIME - 1), generator.below(HASH_PRIME), base, rows], term * WORDS);
    });
    return new HashFamily(words, runtime);
  }

  /** Load the functions from section `hashes`. @throws {FormatError} when one could exceed its `rows` */
  static load(part: Part, terms: number, rows: number | ((term: number) => number)): HashFamily {
    const bytes = part.bytes('hashes', terms * HASH_WORDS_BYTES).slice();
    const words = new Uint32Array(bytes.buffer);
    for (let term = 0; term < terms; term++) {
      const [a = 0, b = 0, base = 0, range = 0] = words.subarray(term * WORDS, (term + 1) * WORDS);
      const most = typeof rows === 'number' ? rows : rows(term);
      if (a < 1 || a >= HASH_PRIME || b >= HASH_PRIME || range < 1 || base + range > most) {
        throw part.error('hashes', `expected a function into ${most} rows, got (${a}, ${b}, ${base}, ${range})`);
      }
    }
    return new HashFamily(words, part.runtime);
  }

  /** Byte offset of the coefficients, for kernels. */
  get offset(): number {
    return this.#block.offset;
  }

  /** The coefficients, as saved. */
  words(): Uint32Array {
    const bytes = this.#block.bytes().slice(0, this.terms * WORDS * 4);
    return new Uint32Array(bytes.buffer);
  }

  /**
   * Write the pointers of `count` ids at byte offset `ids` to byte offset `out`: [count, terms] int32. With a `step`
   * above 1, only the last of every `step` terms is written; the caller writes the others.
   */
  write(runtime: Runtime, ids: number, count: number, out: number, step = 1): void {
    modelPool(runtime).run('hashPointers', count, GRAIN_IDS, ids, this.#block.offset, this.terms, step, out);
  }
}
