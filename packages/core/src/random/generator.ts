/**
 * The seeded generator everything random in the library draws from. `fork(label)` gives an independent stream, so that
 * adding a draw in one place never moves the numbers of another, and work split over threads stays reproducible.
 */

import { OptionError } from '../errors/errors.ts';
import { multiplyHigh, Philox } from './philox.ts';

/** The most numbers that an Int32Array can hold. */
const LENGTH_MAX = 2 ** 31 - 1;

/** FNV-1a of a label, 32 bits: turns a stream's name into key material. Offset basis and prime are FNV's own. */
function hashLabel(label: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

function checkType(name: string, value: unknown, type: 'number' | 'string'): void {
  if (typeof value !== type) throw new OptionError(`${name}: expected a ${type}, got ${String(value)}`);
}

function checkCount(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new OptionError(`${name}: expected an integer from ${min} to ${max}, got ${String(value)}`);
}

/** Uniform, normal and integer draws from one seed. */
export class Generator {
  readonly seed: number;
  readonly #stream: number;
  readonly #philox: Philox;
  #spareNormal = Number.NaN;

  /** @param seed any safe integer · @param stream the number of an independent stream */
  constructor(seed: number, stream = 0) {
    checkType('seed', seed, 'number');
    checkType('stream', stream, 'number');
    this.seed = seed;
    this.#stream = stream;
    this.#philox = new Philox([seed >>> 0, Math.floor(seed / 0x1_0000_0000) >>> 0], [0, 0, stream >>> 0, 0]);
  }

  /** An independent generator named by `label` and, where there are many, `index`. */
  fork(label: string, index = 0): Generator {
    checkType('label', label, 'string');
    checkType('index', index, 'number');
    return new Generator(this.seed, Math.imul(this.#stream ^ hashLabel(label), 0x9e3779b1) + index);
  }

  /** An integer, uniform on [0, 2³²). */
  uint32(): number {
    return this.#philox.nextUint32();
  }

  /** A number, uniform on [0, 1), 24 random bits (exact in float32). */
  uniform(): number {
    return (this.#philox.nextUint32() >>> 8) / 0x100_0000;
  }

  /**
   * An integer, uniform on [0, bound), 1 ≤ bound ≤ 2³², by multiplication with rejection (Lemire 2019): no modulo bias.
   *
   * @throws {OptionError} when the bound is no such integer
   */
  below(bound: number): number {
    checkCount('bound', bound, 1, 0x1_0000_0000);
    if (bound === 0x1_0000_0000) return this.#philox.nextUint32();
    for (;;) {
      const drawn = this.#philox.nextUint32();
      const low = Math.imul(drawn, bound) >>> 0;
      // 2³² mod bound is below bound, so the slow remainder is needed for few draws only.
      if (low >= bound || low >= 0x1_0000_0000 % bound) return multiplyHigh(drawn, bound);
    }
  }

  /** A standard normal number (Marsaglia's polar method). */
  normal(): number {
    if (!Number.isNaN(this.#spareNormal)) {
      const spare = this.#spareNormal;
      this.#spareNormal = Number.NaN;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spareNormal = y * scale;
      return x * scale;
    }
  }

  /** A permutation of 0 … length−1 (Fisher–Yates). */
  permutation(length: number): Int32Array {
    checkCount('length', length, 0, LENGTH_MAX);
    const order = Int32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const swapped = order[i]!;
      order[i] = order[j]!;
      order[j] = swapped;
    }
    return order;
  }
}
