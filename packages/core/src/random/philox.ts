/**
 * Philox4x32-10: a counter-based generator, so that a stream is named by (key, counter) and any part of it can be made
 * on its own, in any order, by any thread.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4; the constants
 * are the paper's. The output order is that of TensorFlow's stateful ops (words 0, 1, 2, 3 of each block), which the
 * tutorial's split needs bit for bit.
 */

const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** The high 32 bits of the 64-bit product of two unsigned 32-bit integers. */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + (middle >>> 16) + (carry >>> 16)) >>> 0;
}

/** A stream of unsigned 32-bit integers from a 64-bit key and a 128-bit counter. */
export class Philox {
  readonly #key: Uint32Array;
  readonly #counter: Uint32Array;
  readonly #block: Uint32Array = new Uint32Array(4);
  #used = 4;

  /** @param key two words · @param counter four words, least significant first */
  constructor(key: readonly [number, number], counter: readonly [number, number, number, number] = [0, 0, 0, 0]) {
    this.#key = Uint32Array.from(key);
    this.#counter = Uint32Array.from(counter);
  }

  /** The next integer, uniform on [0, 2³²). */
  nextUint32(): number {
    if (this.#used === 4) {
      this.#fill();
      this.#used = 0;
    }
    return this.#block[this.#used++]!;
  }

  /** Ten rounds on the counter, then the counter's low 64 bits are advanced by one. */
  #fill(): void {
    const counter = this.#counter;
    let c0 = counter[0]!;
    let c1 = counter[1]!;
    let c2 = counter[2]!;
    let c3 = counter[3]!;
    let k0 = this.#key[0]!;
    let k1 = this.#key[1]!;
    for (let round = 0; round < ROUNDS; round++) {
      const high0 = multiplyHigh(MULTIPLIER_0, c0);
      const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
      const high1 = multiplyHigh(MULTIPLIER_1, c2);
      const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
      c0 = (high1 ^ c1 ^ k0) >>> 0;
      c1 = low1;
      c2 = (high0 ^ c3 ^ k1) >>> 0;
      c3 = low0;
      k0 = (k0 + WEYL_0) >>> 0;
      k1 = (k1 + WEYL_1) >>> 0;
    }
    const block = this.#block;
    block[0] = c0;
    block[1] = c1;
    block[2] = c2;
    block[3] = c3;
    counter[0]!++;
    if (counter[0] === 0) counter[1]!++;
  }
}
