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
import { defaultRuntime, Matrix, type Runtime } from 'shortlist';
import { multiplyRows } from 'shortlist/layers';
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

/** Rows of texts that go through the map at a time. */
const PIECE_ROWS = 4_096;

/** Writes vectors one after another; their random numbers come from `random`. */
type Fill = (to: Float32Array, random: Generator) => void;

const decay = (t: number): number => (1 + t) ** -0.5;

/** A block of vectors. */
export interface VectorBlock {
  data: Float32Array;
  dimensions: number;
}

/**
 * The vectors in blocks, in order. Those of texts are made once, and read from a file in the folder afterwards.
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
    fill(data, random);
    yield { data, dimensions: d };
  }
}

/** Queries of the same distribution, none of which is a row. */
export function queriesOf(of: VectorsOf, count: number): Float32Array {
  const fill = fillOf(of);
  const random = new Generator(2);
  const data = new Float32Array(count * of.dimensions);
  fill(data, random);
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
    for (let at = 0; at < to.length; at += d) {
      const centre = draw.below(count) * d;
      const noise = draw.below(TABLE - d);
      for (let t = 0; t < d; t++) to[at + t] = centres[centre + t]! + NOISE * table[noise + t]! * scales[t]!;
    }
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
  const layers = new TextLayers(first, second, width, d);
  const noises = new Int32Array(PIECE_ROWS);
  return (to, draw) => {
    for (let begin = 0; begin < to.length; begin += PIECE_ROWS * d) {
      const rows = Math.min(PIECE_ROWS, (to.length - begin) / d);
      for (let i = 0; i < rows; i++) {
        const mean = layers.means.row(i).fill(0);
        const length = 2 + draw.below(11);
        for (let word = 0; word < length; word++) {
          const at = draw.below(count) * width;
          for (let t = 0; t < width; t++) mean[t]! += words[at + t]! / Math.sqrt(length);
        }
        noises[i] = draw.below(TABLE - d);
      }
      const mapped = layers.run(rows);
      for (let i = 0; i < rows; i++) addNoise(mapped.subarray(i * d, (i + 1) * d), table, noises[i]!);
      to.set(mapped, begin);
    }
  };
}

/** Add noise to a vector and scale it to length 1. */
function addNoise(vector: Float32Array, table: Float32Array, noise: number): void {
  let square = 0;
  for (let t = 0; t < vector.length; t++) {
    vector[t]! += TEXT_NOISE * table[noise + t]! * decay(t);
    square += vector[t]! ** 2;
  }
  const scale = 1 / Math.sqrt(square);
  for (let t = 0; t < vector.length; t++) vector[t]! *= scale;
}

/** The fixed map of the means of word vectors to texts: tanh(mean · first) · second. */
class TextLayers {
  /** [PIECE_ROWS, width], with a stride that is a multiple of 4. */
  readonly means: Matrix;
  readonly #width: number;
  readonly #first: Matrix;
  readonly #hidden: Matrix;
  readonly #second: Matrix;
  readonly #texts: Matrix;

  /** @param first [HIDDEN, width] @param second [d, HIDDEN] */
  constructor(first: Float32Array, second: Float32Array, width: number, d: number) {
    const runtime = defaultRuntime();
    this.#width = width;
    this.means = new Matrix(PIECE_ROWS, 4 * Math.ceil(width / 4), runtime);
    this.#first = transposed(first, HIDDEN, width, runtime);
    this.#hidden = new Matrix(PIECE_ROWS, HIDDEN, runtime);
    this.#second = transposed(second, d, HIDDEN, runtime);
    this.#texts = new Matrix(PIECE_ROWS, d, runtime);
  }

  /** The texts of the first `rows` means, valid until the next call. */
  run(rows: number): Float32Array {
    const { means, runtime } = { means: this.means, runtime: this.means.runtime };
    const [first, hidden, second, texts] = [this.#first, this.#hidden, this.#second, this.#texts];
    const [h, d] = [hidden.dimensions, texts.dimensions];
    const from = { a: means.offset, aStride: means.dimensions, m: rows, n: this.#width };
    multiplyRows(runtime, { ...from, b: first.offset, d: h, c: hidden.offset });
    const values = hidden.data;
    for (let i = 0; i < rows * h; i++) values[i] = Math.tanh(values[i]!);
    multiplyRows(runtime, { a: hidden.offset, aStride: h, m: rows, n: h, b: second.offset, d, c: texts.offset });
    return texts.data.subarray(0, rows * d);
  }
}

function transposed(values: Float32Array, rows: number, columns: number, runtime: Runtime): Matrix {
  const matrix = new Matrix(columns, rows, runtime);
  const { data } = matrix;
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[j * rows + i] = values[i * columns + j]!;
  return matrix;
}

function normals(random: Generator, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => random.normal());
}
