/** Codebook, codes and corrections of an index: product codes of 4 bits of the residuals (assembly/scann-build.ts). */
import type { Centroids } from '../../../clustering/centroids.ts';
import type { Block } from '../../../memory/heap.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { nearestScalar, trainScalars } from '../../../quantization/scalar-codebook.ts';
import type { Generator as Random } from '../../../random/generator.ts';
import type { ScannSettings } from '../settings.ts';
import type { CodedRows } from './coded-rows.ts';

const WORDS = 16;
/** Residuals on which a codebook is trained, at most: 2,048 for each of the 16 codewords of a block. */
export const CODEBOOK_SAMPLE_MAX = 32_768;
/** Lloyd's iterations of a block, as ScaNN's default. */
const ITERATIONS = 10;
const GRAIN = 256;

/** Codebook [blocks][width][16]. */
export interface Codebook {
  blocks: number;
  width: number;
  block: Block;
}

/** Train codewords on residuals of a sample. */
export function trainCodebook(
  rows: CodedRows,
  labels: Int32Array,
  centroids: Centroids,
  { dimensionsPerBlock: width, trainingSampleSize }: ScannSettings,
  random: Random,
  runtime: Runtime,
): Codebook {
  const { rows: n, dimensions: d } = rows;
  const blocks = Math.ceil(d / width);
  const padded = blocks * width;
  const size = Math.min(n, CODEBOOK_SAMPLE_MAX, Math.max(trainingSampleSize, WORDS));
  const sample = runtime.heap.allocate(4 * size * padded);
  const values = sample.floats(size * padded);
  const centres = centroids.matrix.data.slice();
  const chosen = random.permutation(n);
  for (let i = 0; i < size; i++) {
    const row = rows.row(chosen[i]!);
    const centre = labels[chosen[i]!]! * d;
    for (let t = 0; t < d; t++) values[i * padded + t] = row[t]! - centres[centre + t]!;
  }
  const block = runtime.heap.allocate(4 * WORDS * padded);
  const words = block.floats(WORDS * padded);
  for (let b = 0; b < blocks; b++) {
    for (let w = 0; w < WORDS; w++) {
      // Each block starts from other rows. The sample is in random order, so consecutive rows will do.
      const row = (b * WORDS + w) % size;
      for (let t = 0; t < width; t++) words[(b * width + t) * WORDS + w] = values[row * padded + b * width + t]!;
    }
  }
  const scratch = runtime.heap.allocate(4 * WORDS * (width + 1) * runtime.pool.threads);
  runtime.pool.run(
    'trainBlocks',
    blocks,
    1,
    sample.offset,
    size,
    blocks,
    width,
    ITERATIONS,
    block.offset,
    scratch.offset,
  );
  sample.free();
  scratch.free();
  return { blocks, width, block };
}

/** Codes [copies, blocks] and codes of corrections [copies, correctionBlocks], one per byte. */
export interface CodedCopies {
  codes: Block;
  correctionCodes: Block;
  correctionBlocks: number;
  /** Values of the correction blocks, [correctionBlocks][16]. */
  corrections: Float32Array;
}

/**
 * Encode copies of rows. kind: 0 no correction, 1 one block, 2 two blocks.
 *
 * @param trained the values of the correction blocks; default: trained on these rows
 */
export function encode(
  rows: CodedRows,
  copies: number,
  copyRow: Block | undefined,
  labels: Block,
  centroids: Centroids,
  { blocks, width, block }: Codebook,
  eta: number,
  kind: number,
  runtime: Runtime,
  trained?: Float32Array,
): CodedCopies {
  const codes = runtime.heap.allocate(copies * blocks);
  const values = runtime.heap.allocate(4 * copies);
  const scratch = runtime.heap.allocate(4 * (blocks * width + 32 * blocks) * runtime.pool.threads);
  rows.forEachPiece(copies, copyRow, (piece) => {
    runtime.pool.run('encodeCopies', piece.count, GRAIN, {
      rows: piece.rows,
      d: rows.dimensions,
      copyRow: piece.copyRow,
      labels: labels.offset + 4 * piece.first,
      centroids: centroids.matrix.offset,
      codebook: block.offset,
      blocks,
      width,
      eta,
      kind,
      codes: codes.offset + blocks * piece.first,
      corrections: values.offset + 4 * piece.first,
      scratch: scratch.offset,
    });
  });
  scratch.free();
  const corrections = trained ?? trainCorrections(values.floats(copies), kind);
  const correctionBlocks = kind;
  const correctionCodes = runtime.heap.allocate(Math.max(1, copies * correctionBlocks));
  writeCorrectionCodes(values.floats(copies), corrections, kind, correctionCodes.bytes());
  values.free();
  return { codes, correctionCodes, correctionBlocks, corrections };
}

/**
 * Values of the correction codes. Kind 1: 16 trained values. Kind 2: high and low nibble of 256 even steps from the
 * least value to the largest.
 */
function trainCorrections(values: Float32Array, kind: number): Float32Array {
  if (kind === 0) return new Float32Array(0);
  if (kind === 1) return trainScalars(values);
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i]!);
    most = Math.max(most, values[i]!);
  }
  const step = (most - least) / 255;
  const words = new Float32Array(2 * WORDS);
  for (let w = 0; w < WORDS; w++) {
    words[w] = least + step * WORDS * w;
    words[WORDS + w] = step * w;
  }
  return words;
}

/** Write `kind` bytes of code for each value. */
export function writeCorrectionCodes(
  values: Float32Array,
  corrections: Float32Array,
  kind: number,
  to: Uint8Array,
): void {
  if (kind === 1) {
    for (let i = 0; i < values.length; i++) to[i] = nearestScalar(corrections, values[i]!);
  } else if (kind === 2) {
    const least = corrections[0]!;
    const step = corrections[WORDS + 1]!;
    for (let i = 0; i < values.length; i++) {
      const level = step > 0 ? Math.min(255, Math.max(0, Math.round((values[i]! - least) / step))) : 0;
      to[2 * i] = level >> 4;
      to[2 * i + 1] = level & 15;
    }
  }
}
