/** Readable forms of the kernels that train codebooks and encode copies (packages/core/assembly/scann-build.ts). */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { ENCODE_COPIES, type ScannBuildKernels } from '../families/scann-build.ts';
import { readRecord } from '../record.ts';

const WORDS = 16;
const ROUNDS_MAX = 10;
const { fround } = Math;

/** The number of the first least value. */
function firstLeast(values: readonly number[]): number {
  return values.indexOf(Math.min(...values));
}

/** The kernels of codes over `memory`. */
export function scannCodesReference(memory: LinearMemory): Pick<ScannBuildKernels, 'trainBlocks' | 'encodeCopies'> {
  return {
    trainBlocks(begin, end, _slot, sample, n, blocks, width, iterations, codebook, _scratch) {
      const { floats } = memory;
      for (let block = begin; block < end; block++) {
        const book = codebook + 4 * block * width * WORDS;
        for (let iteration = 0; iteration < iterations; iteration++) {
          const sums = new Float32Array(width * WORDS);
          const counts = new Float32Array(WORDS);
          for (let i = 0; i < n; i++) {
            const first = sample / 4 + i * blocks * width + block * width;
            const x = floats.subarray(first, first + width);
            const word = firstLeast(blockErrors(floats, x, undefined, book, width)[0]!);
            for (let t = 0; t < width; t++) sums[t * WORDS + word]! += x[t]!;
            counts[word]!++;
          }
          for (let i = 0; i < sums.length; i++) {
            if (counts[i % WORDS]! > 0) floats[book / 4 + i] = fround(sums[i]! / counts[i % WORDS]!);
          }
        }
      }
    },
    encodeCopies(begin, end, _slot, address) {
      const { bytes, floats, integers } = memory;
      const at = (offset: number, index = 0): number => floats[offset / 4 + index]!;
      const integer = (offset: number, index = 0): number => integers[offset / 4 + index]!;
      const { rows, d, copyRow, labels, centroids, codebook, blocks, width, eta, kind, codes, corrections } =
        readRecord(memory, ENCODE_COPIES, address);
      for (let copy = begin; copy < end; copy++) {
        const x = rows + 4 * d * (copyRow ? integer(copyRow, copy) : copy);
        const c = centroids + 4 * d * integer(labels, copy);
        const value = Float32Array.from({ length: blocks * width }, (_, t) => (t < d ? at(x, t) : 0));
        const centre = value.map((_, t) => (t < d ? at(c, t) : 0));
        const residual = value.map((v, t) => v - centre[t]!);
        let square = 0;
        for (let t = 0; t < d; t++) square = fround(square + fround(value[t]! * value[t]!));
        const errors: number[][] = [];
        const alongs: number[][] = [];
        let along = 0;
        for (let b = 0; b < blocks; b++) {
          const book = codebook + 4 * b * width * WORDS;
          const part = [residual, value].map((v) => v.subarray(b * width, b * width + width));
          const [e, a] = blockErrors(floats, part[0]!, part[1]!, book, width);
          const word = firstLeast(e!);
          bytes[codes + copy * blocks + b] = word;
          along = fround(along + a![word]!);
          errors.push(e!);
          alongs.push(a!);
        }
        if (eta > 1 && square > 0) {
          along = descend(bytes, codes + copy * blocks, errors, alongs, along, fround(eta), fround(1 / square));
        }
        let correction = kind === 1 && square > 0 ? fround(along / square) : 0;
        for (let t = 0; kind === 2 && t < blocks * width; t++) {
          const word = bytes[codes + copy * blocks + Math.floor(t / width)]!;
          const decoded = at(codebook, t * WORDS + word);
          const e = fround(residual[t]! - decoded);
          const squares = fround(fround(fround(e * e) - fround(decoded * decoded)) * 0.5);
          correction = fround(correction + fround(squares - fround(centre[t]! * decoded)));
        }
        if (kind > 0) floats[corrections / 4 + copy] = correction;
      }
    },
  };
}

/** Σ (x − word)² of each word of a block, and with `along` Σ (x − word) · y. */
function blockErrors(
  floats: Float32Array,
  x: ArrayLike<number>,
  y: ArrayLike<number> | undefined,
  book: number,
  width: number,
): number[][] {
  const errors = new Array<number>(WORDS).fill(0);
  const alongs = new Array<number>(WORDS).fill(0);
  for (let t = 0; t < width; t++) {
    for (let w = 0; w < WORDS; w++) {
      const e = fround(x[t]! - floats[book / 4 + t * WORDS + w]!);
      errors[w] = fround(errors[w]! + fround(e * e));
      if (y) alongs[w] = fround(alongs[w]! + fround(e * y[t]!));
    }
  }
  return [errors, alongs];
}

/** Coordinate descent on eta·|e∥|² + |e⊥|². Returns ⟨e, x⟩. */
function descend(
  bytes: Uint8Array,
  code: number,
  errors: number[][],
  alongs: number[][],
  start: number,
  eta: number,
  inverse: number,
): number {
  let along = start;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let isChanged = false;
    errors.forEach((e, b) => {
      const old = bytes[code + b]!;
      const rest = fround(along - alongs[b]![old]!);
      const before = fround(fround(along * along) * inverse);
      let cheapest = 0;
      let best = old;
      for (let w = 0; w < WORDS; w++) {
        const next = fround(rest + alongs[b]![w]!);
        const parallel = fround(fround(fround(next * next) * inverse) - before);
        if (parallel > 0) continue;
        const cost = fround(fround(fround(eta - 1) * parallel) + fround(e[w]! - e[old]!));
        if (cost < cheapest && w !== old) {
          cheapest = cost;
          best = w;
        }
      }
      if (best === old) return;
      along = fround(rest + alongs[b]![best]!);
      bytes[code + b] = best;
      isChanged = true;
    });
    if (!isChanged) break;
  }
  return along;
}
