/** Readable form of packages/core/assembly/product.ts, in float32 in the same order. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { ENCODE_PRODUCT, type ProductKernels } from '../families/product.ts';
import { readRecord } from '../record.ts';

const ROUNDS_MAX = 10;
const { fround } = Math;

/** |e|² and ⟨e, x⟩ of every codeword of one block. */
interface BlockErrors {
  errors: Float32Array;
  alongs: Float32Array;
}

/** The product kernels over `memory`. */
export function productReference(memory: LinearMemory): ProductKernels {
  return {
    encodeProduct(begin, end, _slot, address) {
      const { residuals, originals, d, words, codewords, width, eta, codes } = readRecord(
        memory,
        ENCODE_PRODUCT,
        address,
      );
      const { floats, bytes } = memory;
      const blocks = Math.ceil(d / width);
      for (let point = begin; point < end; point++) {
        const r = floats.subarray(residuals / 4 + point * d, residuals / 4 + (point + 1) * d);
        const x = originals ? floats.subarray(originals / 4 + point * d, originals / 4 + (point + 1) * d) : undefined;
        const code = bytes.subarray(codes + point * blocks, codes + (point + 1) * blocks);
        const all: BlockErrors[] = [];
        for (let b = 0; b < blocks; b++) {
          const errors = new Float32Array(codewords);
          const alongs = new Float32Array(codewords);
          for (let t = b * width; t < Math.min(d, (b + 1) * width); t++) {
            for (let word = 0; word < codewords; word++) {
              const e = fround(r[t]! - floats[words / 4 + t * codewords + word]!);
              errors[word] = errors[word]! + fround(e * e);
              if (x) alongs[word] = alongs[word]! + fround(e * x[t]!);
            }
          }
          all.push({ errors, alongs });
          code[b] = errors.indexOf(errors.reduce((least, error) => Math.min(least, error)));
        }
        const square = x && eta > 1 ? x.reduce((sum, value) => fround(sum + fround(value * value)), 0) : 0;
        if (square > 0) descend(code, all, eta, fround(1 / square));
      }
    },
  };
}

/** Coordinate descent on eta·|e∥|² + |e⊥|²; |e∥|² = ⟨e, x⟩²/|x|². */
function descend(code: Uint8Array, all: readonly BlockErrors[], eta: number, inverse: number): void {
  const weight = fround(eta - 1);
  const own = all.map(({ errors }, b) => errors[code[b]!]!);
  const order = [...all.keys()].sort((a, b) => own[b]! - own[a]! || a - b);
  let along = all.reduce((sum, { alongs }, b) => fround(sum + alongs[code[b]!]!), 0);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let isChanged = false;
    for (const b of order) {
      const { errors, alongs } = all[b]!;
      const old = code[b]!;
      const rest = fround(along - alongs[old]!);
      const before = fround(fround(along * along) * inverse);
      let best = 0;
      for (let word = 0; word < errors.length; word++) {
        const next = fround(rest + alongs[word]!);
        const parallel = fround(fround(fround(next * next) * inverse) - before);
        if (word === old || parallel > 0) continue;
        const change = fround(fround(weight * parallel) + fround(errors[word]! - errors[old]!));
        if (change >= best) continue;
        best = change;
        code[b] = word;
      }
      if (code[b] === old) continue;
      along = fround(rest + alongs[code[b]!]!);
      isChanged = true;
    }
    if (!isChanged) break;
  }
}
