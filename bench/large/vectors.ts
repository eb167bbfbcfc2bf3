/**
 * Sets of vectors that are made in blocks, so that a hundred million of them need not be in memory: the same seed gives the
 * same vectors each time they are read.
 *
 * `mixture`: a centre and noise, both normal, with the standard deviation (1 + t)^−½ in dimension t; the noise has half the
 * standard deviation of the centres, of which there is one for every 500 vectors. Noise is read from a table of a million normal numbers
 * at random places. `text`: means of 2 to 12 word vectors of GloVe (50 dimensions) through a fixed random map of two
 * layers (tanh) to 768 dimensions, plus noise with the same decaying deviations, scaled to length 1: this has about the
 * spectrum of embeddings of texts.
 */
import { closeSync, existsSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Generator } from 'shortlist/random';
import { readFloats } from '../harness/npy.ts';

/** A set of vectors by its kind, its size and its seed. */
export interface VectorsOf {
  kind: 'mixture' | 'text';
  rows: number;
  dimensions: number;
}

/** Rows made at a time. */
const BLOCK_ROWS = 65_536;
const ROWS_PER_CENTRE = 500;
const NOISE = 0.5;
const TABLE = 1 << 20;
const HIDDEN = 256;
/** The noise of texts, as a share of the deviation of a dimension. */
const TEXT_NOISE = 0.05;

/** Writes one vector; its random numbers come from `random`. */
type Fill = (to: Float32Array, random: Generator) => void;

const decay = (t: number): number => (1 + t) ** -0.5;

/** A block of vectors. */
export interface VectorBlock {
  data: Float32Array;
  dimensions: number;
}

/**
 * The vectors in blocks, in order. Those of texts take a fifth of a millisecond each to make; with a folder they are made
 * once and read from a file there afterwards.
 */
export function blocksOf(of: VectorsOf, folder: string): Iterable<VectorBlock> {
  return of.kind === 'mixture' ? madeBlocks(of) : storedBlocks(of, folder);
}

function* storedBlocks(of: VectorsOf, folder: string): Iterable<VectorBlock> {
  const { rows, dimensions: d } = of;
  const path = join(folder, `${of.kind}-${rows}x${d}.f32`);
  if (!existsSync(path)) {
    const file = openSync(`${path}.tmp`, 'w');
    for (const { data } of madeBlocks(of)) writeSync(file, data);
    closeSync(file);
    renameSync(`${path}.tmp`, path);
  }
  const file = openSync(path, 'r');
  try {
    for (let begin = 0; begin < rows; begin += BLOCK_ROWS) {
      const data = new Float32Array(Math.min(BLOCK_ROWS, rows - begin) * d);
      readSync(file, data, 0, data.byteLength, 4 * begin * d);
      yield { data, dimensions: d };
    }
  } finally {
    closeSync(file);
  }
}

function* madeBlocks(of: VectorsOf): Iterable<VectorBlock> {
  const fill = fillOf(of);
  const { rows, dimensions: d } = of;
  for (let begin = 0, block = 0; begin < rows; begin += BLOCK_ROWS, block++) {
    const random = new Generator(1).fork('rows', block);
    const data = new Float32Array(Math.min(BLOCK_ROWS, rows - begin) * d);
    for (let at = 0; at < data.length; at += d) fill(data.subarray(at, at + d), random);
    yield { data, dimensions: d };
  }
}

/** Queries of the same distribution, none of which is a row. */
export function queriesOf(of: VectorsOf, count: number): Float32Array {
  const fill = fillOf(of);
  const random = new Generator(2);
  const data = new Float32Array(count * of.dimensions);
  for (let at = 0; at < data.length; at += of.dimensions) fill(data.subarray(at, at + of.dimensions), random);
  return data;
}

function fillOf(of: VectorsOf): Fill {
  return of.kind === 'mixture' ? mixture(of) : text(of.dimensions);
}

function mixture({ rows, dimensions: d }: VectorsOf): Fill {
  const random = new Generator(0);
  const table = normals(random, TABLE);
  const count = Math.max(1, Math.round(rows / ROWS_PER_CENTRE));
  const centres = new Float32Array(count * d);
  const scales = Float32Array.from({ length: d }, (_, t) => decay(t));
  for (let at = 0; at < centres.length; at++) centres[at] = table[random.below(TABLE)]! * scales[at % d]!;
  return (to, draw) => {
    const centre = draw.below(count) * d;
    const noise = draw.below(TABLE - d);
    for (let t = 0; t < d; t++) to[t] = centres[centre + t]! + NOISE * table[noise + t]! * scales[t]!;
  };
}

function text(d: number): Fill {
  const folder = process.env.SHORTLIST_DATA;
  if (!folder) throw new Error('the vectors of texts are made of word vectors in $SHORTLIST_DATA, which is not set');
  const { data: words, shape } = readFloats(join(folder, 'glove-6b-50d/emb_f16.npy'));
  const [count, width] = shape as [number, number];
  const random = new Generator(0);
  const table = normals(random, TABLE);
  const first = normals(random, HIDDEN * width).map((x) => x / Math.sqrt(width));
  const second = normals(random, d * HIDDEN).map((x) => x / Math.sqrt(HIDDEN));
  const mean = new Float32Array(width);
  const hidden = new Float32Array(HIDDEN);
  return (to, draw) => {
    const length = 2 + draw.below(11);
    mean.fill(0);
    for (let word = 0; word < length; word++) {
      const at = draw.below(count) * width;
      for (let t = 0; t < width; t++) mean[t]! += words[at + t]! / Math.sqrt(length);
    }
    for (let h = 0; h < HIDDEN; h++) hidden[h] = Math.tanh(product(first, h * width, mean));
    const noise = draw.below(TABLE - d);
    let square = 0;
    for (let t = 0; t < d; t++) {
      to[t] = product(second, t * HIDDEN, hidden) + TEXT_NOISE * table[noise + t]! * decay(t);
      square += to[t]! ** 2;
    }
    const scale = 1 / Math.sqrt(square);
    for (let t = 0; t < d; t++) to[t]! *= scale;
  };
}

function product(matrix: Float32Array, at: number, vector: Float32Array): number {
  let sum = 0;
  for (let t = 0; t < vector.length; t++) sum += matrix[at + t]! * vector[t]!;
  return sum;
}

function normals(random: Generator, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => random.normal());
}
