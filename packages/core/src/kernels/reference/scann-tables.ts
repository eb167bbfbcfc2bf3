/**
 * The second phase of a ScaNN search, readable (packages/core/assembly/lut16.ts): makes a table of 16 bytes for each
 * block of codes, with the amount that each codeword adds to a score.
 */
import { nearest, type ScannSearchCall, type Scored } from './scann-call.ts';

const WORDS = 16;
/** The score of a result is estimated as this times the score of the best centroid. */
const FACTOR = 0.95;
const { fround, max, min } = Math;

/** Tables of a query: a score is top + least + Σ entries / scale. */
export interface LookupTables {
  /** [blocks][16]. */
  entries: Uint8Array;
  scale: number;
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
  const range = max(0, ...minima.map((low, b) => fround(max(...block(b)) - low)));
  const spread = leaves.length > 0 ? fround(top - min(...leaves.map(({ score }) => score))) : 0;
  let scale = range > 0 ? fround(63 / range) : 0;
  if (fround(spread * scale) > 16_000) scale = fround(16_000 / spread);
  const entries = Uint8Array.from(values, (v, e) => nearest(fround(fround(v - minima[e >> 4]!) * scale)));
  return { entries, scale, top, least: minima.reduce((sum, low) => fround(sum + low), 0) };
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
