/** Readable forms of the kernels that build leaves (packages/core/assembly/scann-build.ts), in float32 in the same order. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { ENCODE_COPIES, ORDER_LEAVES, PACK_GROUPS, type ScannBuildKernels } from '../families/scann-build.ts';
import { readRecord } from '../record.ts';

const WORDS = 16;
const GROUP = 32;
const ROUNDS_MAX = 10;
const ACROSS_WEIGHT = 1.5;
const { fround, sqrt, max } = Math;

/** The number of the first least value. */
function firstLeast(values: readonly number[]): number {
  return values.indexOf(Math.min(...values));
}

/** The build kernels over `memory`. */
export function scannBuildReference(memory: LinearMemory): ScannBuildKernels {
  const at = (offset: number, index = 0): number => memory.floats[offset / 4 + index]!;
  const integer = (offset: number, index = 0): number => memory.integers[offset / 4 + index]!;

  /** Σ (x − word)² of each word of a block, and with `along` Σ (x − word) · y. */
  const blockErrors = (
    x: ArrayLike<number>,
    y: ArrayLike<number> | undefined,
    book: number,
    width: number,
  ): number[][] => {
    const errors = new Array<number>(WORDS).fill(0);
    const alongs = new Array<number>(WORDS).fill(0);
    for (let t = 0; t < width; t++) {
      for (let w = 0; w < WORDS; w++) {
        const e = fround(x[t]! - at(book, t * WORDS + w));
        errors[w] = fround(errors[w]! + fround(e * e));
        if (y) alongs[w] = fround(alongs[w]! + fround(e * y[t]!));
      }
    }
    return [errors, alongs];
  };

  /** Coordinate descent on eta·|e∥|² + |e⊥|². Returns ⟨e, x⟩. */
  const descend = (
    code: number,
    errors: number[][],
    alongs: number[][],
    start: number,
    eta: number,
    inverse: number,
  ): number => {
    const { bytes } = memory;
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
  };

  /** a = ⟨r, c⟩/|c| and s = √((|r|² − a²)/(d − 1)). */
  const projections = (x: number, c: number, d: number): [number, number] => {
    const spread = d > 1 ? fround(1 / (d - 1)) : 1;
    let dot = 0;
    let square = 0;
    let norm = 0;
    for (let t = 0; t < d; t++) {
      const r = fround(at(x, t) - at(c, t));
      dot = fround(dot + fround(r * at(c, t)));
      square = fround(square + fround(r * r));
      norm = fround(norm + fround(at(c, t) * at(c, t)));
    }
    const along = norm > 0 ? fround(dot / fround(sqrt(norm))) : 0;
    return [along, fround(sqrt(fround(max(0, fround(square - fround(along * along))) * spread)))];
  };

  const kernels: ScannBuildKernels = {
    trainBlocks(begin, end, _slot, sample, n, blocks, width, iterations, codebook, _scratch) {
      for (let block = begin; block < end; block++) {
        const book = codebook + 4 * block * width * WORDS;
        for (let iteration = 0; iteration < iterations; iteration++) {
          const sums = new Float32Array(width * WORDS);
          const counts = new Float32Array(WORDS);
          for (let i = 0; i < n; i++) {
            const first = sample / 4 + i * blocks * width + block * width;
            const x = memory.floats.subarray(first, first + width);
            const word = firstLeast(blockErrors(x, undefined, book, width)[0]!);
            for (let t = 0; t < width; t++) sums[t * WORDS + word]! += x[t]!;
            counts[word]!++;
          }
          for (let i = 0; i < sums.length; i++) {
            if (counts[i % WORDS]! > 0) memory.floats[book / 4 + i] = fround(sums[i]! / counts[i % WORDS]!);
          }
        }
      }
    },
    encodeCopies(begin, end, _slot, address) {
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
          const [e, a] = blockErrors(part[0]!, part[1]!, book, width);
          const word = firstLeast(e!);
          memory.bytes[codes + copy * blocks + b] = word;
          along = fround(along + a![word]!);
          errors.push(e!);
          alongs.push(a!);
        }
        if (eta > 1 && square > 0) {
          along = descend(codes + copy * blocks, errors, alongs, along, fround(eta), fround(1 / square));
        }
        let correction = kind === 1 && square > 0 ? fround(along / square) : 0;
        for (let t = 0; kind === 2 && t < blocks * width; t++) {
          const word = memory.bytes[codes + copy * blocks + Math.floor(t / width)]!;
          const decoded = at(codebook, t * WORDS + word);
          const e = fround(residual[t]! - decoded);
          const squares = fround(fround(fround(e * e) - fround(decoded * decoded)) * 0.5);
          correction = fround(correction + fround(squares - fround(centre[t]! * decoded)));
        }
        if (kind > 0) memory.floats[corrections / 4 + copy] = correction;
      }
    },
    orderLeaves(begin, end, _slot, address) {
      const { rows, d, copyRow, centroids, leafBegin, order, leafQuads, bounds } = readRecord(
        memory,
        ORDER_LEAVES,
        address,
      );
      for (let leaf = begin; leaf < end; leaf++) {
        const first = integer(leafBegin, leaf);
        const last = integer(leafBegin, leaf + 1);
        const members = Array.from(memory.integers.subarray(order / 4 + first, order / 4 + last), (copy) => {
          const [along, across] = projections(
            rows + 4 * d * (copyRow ? integer(copyRow, copy) : copy),
            centroids + 4 * leaf * d,
            d,
          );
          return { copy, along, across, key: fround(along + fround(ACROSS_WEIGHT * across)) };
        }).sort((a, b) => b.key - a.key || a.copy - b.copy);
        let along = Number.NEGATIVE_INFINITY;
        let across = 0;
        for (let i = members.length - 1; i >= 0; i--) {
          const member = members[i]!;
          memory.integers[order / 4 + first + i] = member.copy;
          along = max(along, member.along);
          across = max(across, member.across);
          const group = Math.floor(i / GROUP);
          const quad = bounds / 4 + 8 * (integer(leafQuads, leaf) + (group >> 2)) + (group & 3);
          memory.floats[quad] = along;
          memory.floats[quad + 4] = across;
        }
      }
    },
    packGroups(begin, end, _slot, address) {
      const {
        groupLeaf,
        leafGroups,
        leafBegin,
        order,
        copyRow,
        codes,
        blocks,
        correctionCodes,
        corrections,
        packed,
        rowOfSlot,
        valid,
      } = readRecord(memory, PACK_GROUPS, address);
      const all = blocks + corrections;
      for (let group = begin; group < end; group++) {
        const leaf = integer(groupLeaf, group);
        const first = integer(leafBegin, leaf) + (group - integer(leafGroups, leaf)) * GROUP;
        const count = Math.min(GROUP, integer(leafBegin, leaf + 1) - first);
        const to = packed + group * all * WORDS;
        memory.bytes.fill(0, to, to + all * WORDS);
        for (let i = 0; i < GROUP; i++) {
          memory.integers[rowOfSlot / 4 + group * GROUP + i] = -1;
          if (i >= count) continue;
          const copy = integer(order, first + i);
          memory.integers[rowOfSlot / 4 + group * GROUP + i] = copyRow ? integer(copyRow, copy) : copy;
          kernels.packPoint(to, i, codes + copy * blocks, blocks, correctionCodes + copy * corrections, corrections);
        }
        memory.integers[valid / 4 + group] = count === GROUP ? -1 : (1 << count) - 1;
      }
    },
    packPoint(group, i, codes, blocks, correctionCodes, corrections) {
      const { bytes } = memory;
      const lane = i % WORDS;
      const column = 2 * (lane % 8) + (lane < 8 ? 0 : 1);
      for (let b = 0; b < blocks + corrections; b++) {
        const code = b < blocks ? bytes[codes + b]! : bytes[correctionCodes + b - blocks]!;
        bytes[group + b * WORDS + column]! |= code << (i < WORDS ? 0 : 4);
      }
    },
  };
  return kernels;
}
