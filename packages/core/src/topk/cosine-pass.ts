/**
 * The candidates nearest to some vectors by cosine, ⟨q, x⟩/(|q||x|), found in one pass over all candidates. It is used
 * where the measure of the index orders candidates differently. The result is exact for the rows as the index keeps
 * them. Cost: 2 · rows · dimensions multiplications for one vector.
 */
import type { KeptRows } from './candidate-vectors.ts';
import { lengthOf } from './common-length.ts';
import type { CallOptions } from './contract.ts';
import type { Identifier } from './identifiers.ts';
import { TopKResult } from './result.ts';
import { RowMask } from './row-mask.ts';

/** Numbers multiplied in a step, some tenths of a millisecond. */
const PRODUCTS_A_STEP = 1 << 16;

/** The best rows of one query so far, best first. */
class Best {
  readonly scores: Float32Array;
  readonly rows: Int32Array;
  count = 0;

  constructor(scores: Float32Array, rows: Int32Array) {
    this.scores = scores;
    this.rows = rows;
  }

  /** Offer the next row; of equal scores the earlier row is better. */
  offer(row: number, score: number): void {
    const { scores, rows } = this;
    if (this.count === scores.length && !(score > scores[this.count - 1]!)) return;
    let [begin, end] = [0, this.count];
    while (begin < end) {
      const middle = (begin + end) >> 1;
      if (scores[middle]! >= score) begin = middle + 1;
      else end = middle;
    }
    if (this.count < scores.length) this.count++;
    scores.copyWithin(begin + 1, begin, this.count - 1);
    rows.copyWithin(begin + 1, begin, this.count - 1);
    scores[begin] = score;
    rows[begin] = row;
  }
}

/**
 * The k nearest candidates of each vector, in short steps; the candidates must not change between them. The cosine of a
 * vector or a candidate of length 0 is 0.
 *
 * @param vectors [queries, dimensions]
 * @throws as `RowMask.of`
 */
export function* cosinePass<I extends Identifier>(
  kept: KeptRows<I>,
  vectors: Float32Array,
  options: CallOptions<I> & { k: number },
): Generator<void, TopKResult<I>> {
  const { dimensions: d, identifiers } = kept;
  const queries = d === 0 ? 0 : vectors.length / d;
  const k = Math.min(options.k, identifiers.size);
  const masks = masksOf(kept, queries, options);
  const scores = new Float32Array(queries * k);
  const rows = new Int32Array(queries * k);
  const bests = Array.from({ length: queries }, (_, b) => {
    const [begin, end] = [b * k, (b + 1) * k];
    return new Best(scores.subarray(begin, end), rows.subarray(begin, end));
  });
  const inverses = bests.map((_, b) => inverse(lengthOf(vectors.subarray(b * d, (b + 1) * d))));
  const rowsAStep = Math.max(1, Math.floor(PRODUCTS_A_STEP / Math.max(1, d * (queries + 1))));
  const row = new Float32Array(d);
  const read = kept.reader();
  for (let at = 0; at < identifiers.size && k > 0; at++) {
    if (at % rowsAStep === rowsAStep - 1) yield;
    if (!kept.isLive(at)) continue;
    read(at, row);
    const inverseLength = inverse(lengthOf(row));
    for (let b = 0; b < queries; b++) {
      const mask = masks[masks.length === 1 ? 0 : b];
      if (mask && !((mask[at >>> 5]! >>> (at & 31)) & 1)) continue;
      let product = 0;
      for (let t = 0; t < d; t++) product += vectors[b * d + t]! * row[t]!;
      bests[b]!.offer(at, Math.fround(product * inverses[b]! * inverseLength));
    }
  }
  const counts = Int32Array.from(bests, ({ count }) => count);
  return new TopKResult(k, counts, scores, rows, identifiers.of);
}

const inverse = (length: number): number => (length > 0 ? 1 / length : 0);

/** One mask for each query, one mask for all where they share it, or none where every row is allowed. */
function masksOf<I extends Identifier>(
  { identifiers }: KeptRows<I>,
  queries: number,
  options: CallOptions<I>,
): Int32Array[] {
  const mask = RowMask.of(identifiers, queries, options);
  if (!mask) return [];
  const write = (begin: number, end: number): Int32Array => {
    const words = new Int32Array(mask.words);
    mask.write(begin, end, words);
    return words;
  };
  return mask.isPerQuery ? Array.from({ length: queries }, (_, b) => write(b, b + 1)) : [write(0, 1)];
}
