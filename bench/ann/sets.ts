/**
 * The vectors of the index benchmark and the exact results of their queries, as .npy files in a folder, which peers read, too.
 *
 * No query is a row of the index. The exact results are the top 10 of our BruteForce; the benchmark of the tutorial checks that
 * faiss returns the same. For squared L2 the vectors get one more dimension, by which the inner product has the same order.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BruteForce } from 'shortlist';
import { readFloats, readNpy, writeNpy } from '../harness/npy.ts';
import { Peer } from '../harness/peer.ts';
import { blocksOf, queriesOf } from '../large/vectors.ts';
import { prepare, shrunkCopies, type Work } from '../tutorial/work.ts';

/** The measure by which vectors are compared. */
export type Metric = 'dot' | 'cosine' | 'l2';

/** A set of vectors. */
export interface VectorSet {
  name: string;
  metric: Metric;
  dimensions: number;
  base: Float32Array;
  queries: Float32Array;
  /** [queries, 10] rows of the exact best. */
  truth: Int32Array;
  files: { base: string; queries: string; truth: string };
}

const K = 10;

/** The movies of the tutorial and their shrunk copies; queries are its distinct test users. */
export function tutorialSet(work: Work, folder: string): VectorSet {
  const { queryTower, candidateTower } = work.model;
  const { data, dimensions } = shrunkCopies(candidateTower.embed(work.titles));
  const users = [...new Set(work.test.queries)];
  return complete('tutorial 1,683,682 × 32', 'dot', dimensions, data, queryTower.embed(users).data.slice(), folder);
}

/** The trained model of the tutorial. */
export { prepare };

/** GloVe 400,000 × 50 by cosine; every 40th row is a query. Undefined if the data are missing. */
export function gloveSet(data: string | undefined, folder: string): VectorSet | undefined {
  return heldOut('glove 390,000 × 50 cosine', 'cosine', data && join(data, 'glove-6b-50d/emb_f16.npy'), 40, folder);
}

/** French word vectors of different lengths with the inner product; every 40th row is a query. */
export function frenchSet(data: string | undefined, folder: string): VectorSet | undefined {
  return heldOut('french 19,500 × 300', 'dot', data && join(data, 'wordvec-fr-20k-300/vectors.npy'), 40, folder);
}

/** SIFT in squared L2; every 10th row is a query. */
export function siftSet(data: string | undefined, folder: string): VectorSet | undefined {
  return heldOut('sift 4,500 × 128 L2', 'l2', data && join(data, 'sift-5k-ngt/base.u8.npy'), 10, folder);
}

/** MNIST's test images in squared L2; every 10th row is a query. */
export function mnistSet(data: string | undefined, folder: string): VectorSet | undefined {
  const path = data && join(data, 'mnist-t10k/t10k-images-idx3-ubyte.gz');
  if (!path || !existsSync(path)) return undefined;
  const file = gunzipSync(readFileSync(path));
  // IDX: magic number, images, rows and columns as big-endian 32-bit integers, then one byte for each pixel.
  const [images, side] = [file.readUInt32BE(4), file.readUInt32BE(8)];
  const pixels = Float32Array.from(file.subarray(16));
  return splitRows('mnist 9,000 × 784 L2', 'l2', pixels, images, side * side, 10, folder);
}

/** SIFT descriptors of photographs in squared L2, queries from other pictures. Undefined if the peer is not installed. */
export async function descriptorSet(folder: string): Promise<VectorSet | undefined> {
  const peer = Peer.start('descriptors');
  if (!peer) return undefined;
  const at = join(folder, 'descriptors');
  await peer.request({ do: 'prepare', to: at });
  await peer.close();
  const [base, queries] = [readFloats(join(at, 'base.npy')), readFloats(join(at, 'queries.npy'))];
  return complete('descriptors 120,000 × 128 L2', 'l2', 128, base.data, queries.data, folder);
}

/** Vectors with the spectrum of embeddings of texts (bench/large/vectors.ts) by cosine. Undefined if the data are missing. */
export function textSet(data: string | undefined, rows: number, folder: string): VectorSet | undefined {
  if (!data) return undefined;
  const of = { kind: 'text', rows, dimensions: 768 } as const;
  const base = new Float32Array(rows * of.dimensions);
  let at = 0;
  for (const { data: block } of blocksOf(of, folder)) {
    base.set(block, at);
    at += block.length;
  }
  const name = `texts-${rows} ${rows.toLocaleString('en')} × 768 cosine`;
  return complete(name, 'cosine', of.dimensions, base, queriesOf(of, 1_000), folder);
}

/** LastFM: vectors of items, queried by vectors of users. */
export function lastfmSet(data: string | undefined, folder: string): VectorSet | undefined {
  const path = data && join(data, 'lightgcn-lastfm-64');
  if (!path || !existsSync(path)) return undefined;
  const items = readFloats(join(path, 'lastfm_item.npy'));
  const users = readFloats(join(path, 'lastfm_user.npy'));
  return complete('lastfm 3,646 × 64', 'dot', items.shape[1]!, items.data, users.data, folder);
}

function heldOut(
  name: string,
  metric: Metric,
  path: string | undefined,
  every: number,
  folder: string,
): VectorSet | undefined {
  if (!path || !existsSync(path)) return undefined;
  const { data, shape } = readNpy(path);
  return splitRows(name, metric, data, shape[0]!, shape[1]!, every, folder);
}

/** Holds out rows at equal distances; the others are candidates. At most 1,000 held-out rows, evenly spaced, are queries. */
function splitRows(
  name: string,
  metric: Metric,
  data: ArrayLike<number | bigint>,
  rows: number,
  d: number,
  every: number,
  folder: string,
): VectorSet {
  const pick = (wanted: (row: number) => boolean): Float32Array => {
    const chosen = Array.from({ length: rows }, (_, row) => row).filter(wanted);
    const out = new Float32Array(chosen.length * d);
    chosen.forEach((row, i) => {
      for (let t = 0; t < d; t++) out[i * d + t] = Number(data[row * d + t]);
      if (metric === 'cosine') normalize(out.subarray(i * d, (i + 1) * d));
    });
    return out;
  };
  // Word vectors are sorted by frequency, so that the first held-out rows would be easier queries than the rest.
  const step = every * Math.max(1, Math.floor(rows / every / 1000));
  const queries = pick((row) => row % step === 0);
  return complete(
    name,
    metric,
    d,
    pick((row) => row % every !== 0),
    queries.subarray(0, Math.min(queries.length, 1000 * d)),
    folder,
  );
}

function normalize(row: Float32Array): void {
  const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
  for (let t = 0; t < row.length; t++) row[t] = row[t]! / length;
}

function complete(
  name: string,
  metric: Metric,
  dimensions: number,
  base: Float32Array,
  queries: Float32Array,
  folder: string,
): VectorSet {
  const truth = exactRows(metric, dimensions, base, queries);
  const at = join(folder, name.split(' ')[0]!);
  mkdirSync(at, { recursive: true });
  const files = { base: join(at, 'base.npy'), queries: join(at, 'queries.npy'), truth: join(at, 'truth.npy') };
  writeNpy(files.base, base, [base.length / dimensions, dimensions]);
  writeNpy(files.queries, queries, [queries.length / dimensions, dimensions]);
  writeNpy(files.truth, truth, [truth.length / K, K]);
  return { name, metric, dimensions, base, queries, truth, files };
}

/** argmin |q − x|² = argmax ⟨[q, 1], [x, −|x|²/2]⟩. */
function exactRows(metric: Metric, d: number, base: Float32Array, queries: Float32Array): Int32Array {
  if (metric !== 'l2') return best(base, queries, d);
  const lifted = (rows: Float32Array, last: (row: Float32Array) => number): Float32Array => {
    const out = new Float32Array((rows.length / d) * (d + 1));
    for (let i = 0; i < rows.length / d; i++) {
      const row = rows.subarray(i * d, (i + 1) * d);
      out.set(row, i * (d + 1));
      out[i * (d + 1) + d] = last(row);
    }
    return out;
  };
  const half = (row: Float32Array): number => -row.reduce((sum, value) => sum + value * value, 0) / 2;
  return best(
    lifted(base, half),
    lifted(queries, () => 1),
    d + 1,
  );
}

function best(base: Float32Array, queries: Float32Array, dimensions: number): Int32Array {
  const index = new BruteForce<number[], number>().index({ data: base, dimensions });
  const { rows } = index.call({ data: queries, dimensions }, K);
  return rows.slice();
}

/** The share of the exact results that were found. */
export function recall(truth: Int32Array, rowsOf: (query: number) => ArrayLike<number>): number {
  const queries = truth.length / K;
  let found = 0;
  for (let i = 0; i < queries; i++) {
    const rows = new Set(Array.from(rowsOf(i)).slice(0, K));
    for (let j = 0; j < K; j++) if (rows.has(truth[i * K + j]!)) found++;
  }
  return found / truth.length;
}
