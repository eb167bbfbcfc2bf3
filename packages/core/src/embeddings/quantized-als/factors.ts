/**
 * The factors of one side in quantized ALS. Between the steps of a column they are quantized, as the table will hold
 * them: for each column centroids, and for each id a pointer. Only the column that is being solved is in float32.
 *
 * Letters: n ids of the side, c columns, k centroids of a column, w = d / c. Memory: the pointers, the centroids, and
 * one column [n, w], of which k-means needs two more copies.
 */
import type { Runtime } from '../../parallel/runtime.ts';
import type { Generator } from '../../random/generator.ts';
import { Matrix } from '../../vectors/matrix.ts';
import { trainCentroids } from '../train-centroids.ts';

/** The most rows on which a centroid is trained: FAISS's `max_points_per_centroid`. */
const SAMPLE_PER_CLUSTER = 256;

/** Factors of n ids in c columns of w floats. */
export interface Factors {
  readonly count: number;
  readonly columns: number;
  readonly width: number;
  /** The column [n, w] as it is at the end of the latest `setColumn`, zeros before the first one; a copy. */
  column(column: number): Float32Array;
  /** Replace a column; it is quantized if the side is. */
  setColumn(column: number, values: Float32Array, how: QuantizeColumn): Promise<void>;
  /** Write the vector of an id, from column to column, to `out` [d]. */
  vector(id: number, out: Float64Array): void;
}

/** Settings of the quantization of a column. */
export interface QuantizeColumn {
  iterations: number;
  /** True to start k-means from the present centroids of the column, false to start from random rows. */
  isWarm: boolean;
  random: Generator;
  /** Awaited after each iteration of k-means, with the number of multiplications. */
  onStep: (work: number) => Promise<void>;
}

/** Factors in float32, of a side whose table is full. */
export class FullFactors implements Factors {
  readonly count: number;
  readonly columns: number;
  readonly width: number;
  /** [n, d] */
  readonly values: Float32Array;

  constructor(count: number, columns: number, width: number) {
    this.count = count;
    this.columns = columns;
    this.width = width;
    this.values = new Float32Array(count * columns * width);
  }

  column(column: number): Float32Array {
    const { values, width, count, columns } = this;
    const out = new Float32Array(count * width);
    for (let id = 0; id < count; id++) {
      const at = (id * columns + column) * width;
      for (let t = 0; t < width; t++) out[id * width + t] = values[at + t]!;
    }
    return out;
  }

  async setColumn(column: number, values: Float32Array): Promise<void> {
    const { width, count, columns } = this;
    for (let id = 0; id < count; id++) {
      const at = (id * columns + column) * width;
      for (let t = 0; t < width; t++) this.values[at + t] = values[id * width + t]!;
    }
  }

  vector(id: number, out: Float64Array): void {
    const at = id * out.length;
    for (let t = 0; t < out.length; t++) out[t] = this.values[at + t]!;
  }
}

/** Quantized factors, of a side whose table has learned pointers. */
export class QuantizedFactors implements Factors {
  readonly count: number;
  readonly columns: number;
  readonly width: number;
  /** [n, c] */
  readonly pointers: Uint16Array;
  /** For each column [k, w]. */
  readonly centroids: Float32Array[];
  readonly #clusters: number;
  readonly #runtime: Runtime;

  constructor(count: number, columns: number, width: number, clusters: number, runtime: Runtime) {
    this.count = count;
    this.columns = columns;
    this.width = width;
    this.#clusters = clusters;
    this.#runtime = runtime;
    this.pointers = new Uint16Array(count * columns);
    this.centroids = Array.from({ length: columns }, () => new Float32Array(clusters * width));
  }

  column(column: number): Float32Array {
    const { pointers, columns, width, count } = this;
    const centroids = this.centroids[column]!;
    const out = new Float32Array(count * width);
    for (let id = 0; id < count; id++) {
      const at = pointers[id * columns + column]! * width;
      for (let t = 0; t < width; t++) out[id * width + t] = centroids[at + t]!;
    }
    return out;
  }

  async setColumn(
    column: number,
    values: Float32Array,
    { iterations, isWarm, random, onStep }: QuantizeColumn,
  ): Promise<void> {
    const { count, width, columns, pointers } = this;
    const { heap } = this.#runtime;
    const clusters = this.#clusters;
    const matrix = new Matrix(count, width, this.#runtime);
    const labels = heap.allocate(4 * count);
    const scores = heap.allocate(4 * count);
    try {
      matrix.data.set(values);
      const how = {
        clusters,
        iterations,
        sampleSize: SAMPLE_PER_CLUSTER * clusters,
        initialization: 'random',
        initial: isWarm ? this.centroids[column] : undefined,
        random,
        onStep: () => onStep(count * width * clusters),
      } as const;
      const trained = await trainCentroids(matrix, how);
      trained.assign(matrix.offset, count, labels, scores);
      labels.integers(count).forEach((label, id) => {
        pointers[id * columns + column] = label;
      });
      this.centroids[column]!.set(trained.matrix.data);
      trained.free();
    } finally {
      for (const block of [matrix, labels, scores]) block.free();
    }
  }

  vector(id: number, out: Float64Array): void {
    const { pointers, columns, width, centroids } = this;
    for (let column = 0, to = 0; column < columns; column++) {
      const rows = centroids[column]!;
      const at = pointers[id * columns + column]! * width;
      for (let t = 0; t < width; t++) out[to++] = rows[at + t]!;
    }
  }
}
