/**
 * The second phase of a ScaNN search, readable (packages/core/assembly/lut16.ts): makes a table of 16 bytes for each
 * block of codes, with the amount that each codeword adds to a score.
 */
import { nearest, type ScannSearchCall, type Scored } from './scann-call.ts';

const WORDS = 16;
/** The score of a result is estimated as this times the score of the best centroid. */
const FACTOR = 0.95;
const { fround, max, min } = Math;

/** The largest sum of all entries, the largest entry of a product block, and that of a shifted correction. */
const SUM_MAX = 28_000;
const ENTRY_MAX = 63;
const CORRECTION_MAX = 255;

/** Tables of a query: a score is top + least + Σ entries / scale, where entries of corrections count 2^shift times. */
export interface LookupTables {
  /** [blocks][16]. */
  entries: Uint8Array;
  scale: number;
  correctionShift: number;
  /** The best leaf's score. */
  top: number;
  /** Σ of the blocks' least values. */
  least: number;
}

/** The tables of a query for the leaves it searches. */
export function lookupTables(search: ScannSearchCall, query: Float32Array, leaves: readonly Scored[]): LookupTables {
  const top = leaves.length > 0 ? max(...leaves.map(({ score }) => score)) : 0;
  const values = blockValues(search, query, top);
  const block = (b: number): Float32Array => values.subarray(b * WORDS, (b + 1) * WORDS);
  const minima = Array.from({ length: values.length / WORDS }, (_, b) => min(...block(b)));
  const ranges = minima.map((low, b) => fround(max(...block(b)) - low));
  const { productBlocks } = search.index;
  const [products, corrections] = [ranges.slice(0, productBlocks), ranges.slice(productBlocks)];
  const spread = leaves.length > 0 ? fround(top - min(...leaves.map(({ score }) => score))) : 0;
  const scale = tableScale(max(0, ...products), fround(total(products) + total(corrections)), spread);
  const correctionShift = shiftOf(fround(max(0, ...corrections) * scale));
  const entries = Uint8Array.from(values, (v, e) => {
    const unit = e < productBlocks * WORDS ? scale : fround(scale / 2 ** correctionShift);
    return nearest(fround(fround(v - minima[e >> 4]!) * unit));
  });
  const least = fround(total(minima.slice(0, productBlocks)) + total(minima.slice(productBlocks)));
  return { entries, scale, correctionShift, top, least };
}

/** The scale of tables whose largest range and whose sum of ranges are given, for leaves that differ by `spread`. */
function tableScale(range: number, sum: number, spread: number): number {
  let scale = sum > 0 ? fround(SUM_MAX / sum) : 0;
  if (fround(range * scale) > ENTRY_MAX) scale = fround(ENTRY_MAX / range);
  if (fround(spread * scale) > 16_000) scale = fround(16_000 / spread);
  return scale;
}

/** Entries of corrections up to 63 need no shift; larger ones are made at most 255. */
function shiftOf(range: number): number {
  let shift = range <= ENTRY_MAX ? 0 : 1;
  while (range / 2 ** shift > CORRECTION_MAX) shift++;
  return shift;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => fround(sum + value), 0);
}

/** ⟨q, codeword⟩ of each block, then the values of the corrections. */
function blockValues({ index, float }: ScannSearchCall, query: Float32Array, top: number): Float32Array {
  const { productBlocks: blocks, correctionBlocks, blockWidth: width, codebook, corrections } = index;
  const factor = index.correctionIsRelative ? fround(fround(FACTOR) * top) : 1;
  const values = new Float32Array((blocks + correctionBlocks) * WORDS);
  for (let e = 0; e < values.length; e++) {
    const block = e >> 4;
    if (block >= blocks) values[e] = fround(float(corrections, e - blocks * WORDS) * factor);
    for (let t = block * width; block < blocks && t < (block + 1) * width; t++) {
      const product = fround((query[t] ?? 0) * float(codebook, t * WORDS + (e & 15)));
      values[e] = fround(values[e]! + product);
    }
  }
  return values;
}
