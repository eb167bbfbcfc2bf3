/**
 * The first pass of a build that streams: counts and checks the candidates, and takes a sample of them on which leaves
 * and codebooks are trained. The sample is a reservoir (Vitter 1985, algorithm R), the same for the same seed.
 */
import { throwIfAborted } from '../../../checks/abort.ts';
import { normalize, type Progress } from '../../../clustering/k-means.ts';
import { ShapeError } from '../../../errors/errors.ts';
import { Checksum } from '../../../format/checksum.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import type { Generator as Random } from '../../../random/generator.ts';
import { checkFiniteRows } from '../../../vectors/check-finite.ts';
import { Matrix } from '../../../vectors/matrix.ts';
import { CandidateBuilder, openDataset, type RowSink } from '../../candidate-builder.ts';
import type { CandidateDataset, Identifier } from '../../contract.ts';
import type { Identifiers } from '../../identifiers.ts';
import { packedColumn } from '../../packed-column.ts';
import type { VectorSource } from '../../vector-source.ts';

/** Rows copied at a time. */
export const PIECE_ROWS = 4_096;
/** Rows of the sample in one array: arrays of single rows take several times as much memory. */
const RESERVOIR_ROWS = 4_096;

/** The result of the first pass. */
export interface Survey<I extends Identifier> {
  rows: number;
  dimensions: number;
  identifiers: Identifiers<I>;
  /** Checksum of all numbers: the second pass must read the same. */
  checksum: bigint;
  /** At most `sampleSize` rows, scaled to length 1 for cosine; the caller frees them. */
  sample: Matrix;
  /** [d] the largest magnitude of each dimension, of the rows as they are scored. */
  magnitudes: Float32Array;
}

/** The options of the sample. */
export interface SampleOptions {
  /** Rows of the sample. */
  sampleSize: number;
  isUnitLength: boolean;
  random: Random;
  /** Called with the width of the rows when it is known, before anything is allocated. */
  checkDimensions?: (dimensions: number) => void;
}

/** The options of the first pass. */
export interface SurveyOptions extends SampleOptions {
  signal: AbortSignal | undefined;
  onProgress: (progress: Progress) => void;
}

/**
 * Read a data set once.
 *
 * @throws {ShapeError} when rows differ in width or there are none
 * @throws {NotFiniteError} naming row and column of a NaN or an infinity
 */
export async function surveyDataset<I extends Identifier>(
  dataset: CandidateDataset<I>,
  runtime: Runtime,
  options: SurveyOptions,
): Promise<Survey<I>> {
  const sink = new SurveySink(runtime, options);
  try {
    const builder = new CandidateBuilder<I>(sink, packedColumn);
    for await (const batch of await openDataset(dataset)) {
      throwIfAborted('indexStreamed', options.signal);
      builder.addBatch(batch);
      options.onProgress({ step: 'sample', done: sink.rows, total: sink.rows });
    }
    return { ...sink.take(), identifiers: builder.identifiers() };
  } finally {
    sink.free();
  }
}

/** Visit the rows of a source in pieces, in a matrix of the runtime that lasts for one visit. */
export function forEachPiece(source: VectorSource, runtime: Runtime, visit: (piece: Matrix) => void): void {
  const { rows, dimensions: d } = source;
  for (let begin = 0; begin < rows; begin += PIECE_ROWS) {
    const piece = new Matrix(Math.min(PIECE_ROWS, rows - begin), d, runtime);
    try {
      source.copy(begin, begin + piece.rows, piece.data);
      visit(piece);
    } finally {
      piece.free();
    }
  }
}

/** Takes the rows of the first pass. */
export class SurveySink implements RowSink {
  rows = 0;
  readonly #runtime: Runtime;
  readonly #options: SampleOptions;
  readonly #checksum: Checksum;
  #dimensions = 0;
  /** The reservoir: rows in order of their places, RESERVOIR_ROWS in an array. */
  readonly #sample: Float32Array[] = [];
  #magnitudes: Float32Array = new Float32Array(0);

  constructor(runtime: Runtime, options: SampleOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#checksum = new Checksum(runtime);
  }

  append(source: VectorSource): void {
    if (source.rows === 0) return;
    this.#checkWidth(source.dimensions);
    forEachPiece(source, this.#runtime, (piece) => this.add(piece));
  }

  take(): Omit<Survey<Identifier>, 'identifiers'> {
    if (this.rows === 0) throw new ShapeError('dataset: expected candidates, got none');
    const d = this.#dimensions;
    const sample = new Matrix(Math.min(this.rows, this.#options.sampleSize), d, this.#runtime);
    const { data } = sample;
    for (let at = 0; this.#sample.length > 0; at += RESERVOIR_ROWS * d) {
      data.set(this.#sample.shift()!.subarray(0, data.length - at), at);
    }
    const checksum = this.#checksum.digest();
    return { rows: this.rows, dimensions: d, checksum, sample, magnitudes: this.#magnitudes };
  }

  free(): void {
    this.#checksum.free();
  }

  /** Take a piece of rows, which it may change. */
  add(piece: Matrix): void {
    const { data, dimensions: d } = piece;
    this.#checkWidth(d);
    checkFiniteRows('candidates', this.#runtime, piece, (row) => this.rows + row);
    this.#checksum.update(bytesOf(piece));
    if (this.#options.isUnitLength) normalize(data, d);
    const { sampleSize, random } = this.#options;
    for (let i = 0; i < piece.rows; i++) {
      const row = data.subarray(i * d, (i + 1) * d);
      for (let t = 0; t < d; t++) this.#magnitudes[t] = Math.max(this.#magnitudes[t]!, Math.abs(row[t]!));
      const place = this.rows < sampleSize ? this.rows : random.below(this.rows + 1);
      if (place < sampleSize) this.#keep(row, place);
      this.rows++;
    }
  }

  #keep(row: Float32Array, place: number): void {
    const array = Math.floor(place / RESERVOIR_ROWS);
    this.#sample[array] ??= new Float32Array(RESERVOIR_ROWS * row.length);
    this.#sample[array]!.set(row, (place % RESERVOIR_ROWS) * row.length);
  }

  #checkWidth(d: number): void {
    if (this.#dimensions === 0) {
      if (d === 0) throw new ShapeError('candidates: expected rows of at least 1 dimension, got 0');
      this.#options.checkDimensions?.(d);
      this.#dimensions = d;
      this.#magnitudes = new Float32Array(d);
    } else if (d !== this.#dimensions) {
      throw new ShapeError(
        `candidates: expected ${this.#dimensions} dimensions as before, got ${d} from row ${this.rows}`,
      );
    }
  }
}

/** The bytes of a matrix. */
export function bytesOf({ runtime, offset, rows, dimensions }: Matrix): Uint8Array {
  return runtime.heap.memory.bytes.subarray(offset, offset + 4 * rows * dimensions);
}
