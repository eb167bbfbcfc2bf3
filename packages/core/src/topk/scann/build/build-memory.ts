/**
 * Computes the peak memory of a build from the number and the width of the candidates and the settings, and checks that
 * the linear memory has it.
 *
 * The rows stay in one block from the first copy to the built index: they are converted and moved to their slots in
 * place. The other memory is labels, copies, codes and the parts of the index. Letters: n rows, d dimensions, L leaves,
 * S rows of the training sample, c copies of a row.
 */
import { productScratchBytes } from '../../../kernels/families/multiply.ts';
import type { Range } from '../../../memory/heap.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { memoryError } from '../../memory-error.ts';
import { codedDimensions, GROUP_SLOTS, type LeafShape, partBytes, rowBytes, rowStride } from '../leaves.ts';
import type { ReorderRows, ScannSettings } from '../settings.ts';
import { PIECE_ROWS, ROTATION_SAMPLE } from './coded-rows.ts';
import { CODEBOOK_SAMPLE_MAX } from './codes.ts';
import { needsTree } from './needs-tree.ts';
import { largestShape } from './shape.ts';

/** Bytes at the peak of a build. */
export interface BuildMemory {
  /** The block of the rows: the larger of its size before and after they are converted. */
  rows: number;
  /** Everything else. */
  others: number;
}

/** The peak memory of a build of n rows of d dimensions. */
export function buildMemory(n: number, d: number, settings: ScannSettings, threads: number): BuildMemory {
  const hasTree = needsTree(n, d, settings);
  const shape = largestShape(n, d, settings, hasTree);
  const places = shape.places > 0 ? shape.places : shape.groups * GROUP_SLOTS;
  const rows = Math.max(4 * n * d, places * rowBytes(shape));
  return { rows, others: hasTree ? treeBytes(n, shape, settings, threads) : flatBytes(n, shape) };
}

/** True where the linear memory, as it is used now, has room for a build. */
export function fitsMemory({ heap, pool }: Runtime, n: number, d: number, settings: ScannSettings): boolean {
  const { rows, others } = buildMemory(n, d, settings, pool.threads);
  return heap.canHold([rows, others]);
}

/**
 * Check that the linear memory has enough for a build, before anything is copied.
 *
 * @param instead the block that already holds some of the rows; the build reuses it
 * @returns the bytes of the block of the rows
 * @throws {MemoryError} naming rows, dimensions, the bytes needed and in use, and what would fit
 */
export function askForMemory(
  { heap, pool }: Runtime,
  n: number,
  d: number,
  settings: ScannSettings,
  instead?: Readonly<Range>,
): number {
  const fits = (rows: number, dimensions: number, how = settings): boolean => {
    const need = buildMemory(rows, dimensions, how, pool.threads);
    return heap.canHold([need.rows, need.others], instead);
  };
  const { rows, others } = buildMemory(n, d, settings, pool.threads);
  if (fits(n, d)) return rows;
  const kinds: readonly ReorderRows[] = ['bfloat16', 'int8'];
  const smaller = kinds.filter((reorder) => reorder !== settings.reorder && fits(n, d, { ...settings, reorder }));
  throw memoryError(heap, {
    name: 'candidates',
    rows: n,
    dimensions: d,
    bytes: rows + others,
    heldBytes: heap.usedBytes - (instead?.sizeBytes ?? 0),
    fits,
    others: smaller.map((reorder) => `reorder: '${reorder}'`),
  });
}

function sum(bytes: Record<string, number>): number {
  return Object.values(bytes).reduce((total, size) => total + size, 0);
}

/** Bytes of the parts other than the rows. */
function otherParts(shape: LeafShape): number {
  const { rows: _, ...others } = partBytes(shape);
  return sum(others);
}

function flatBytes(n: number, shape: LeafShape): number {
  return otherParts(shape) + convertedBytes(n, shape);
}

/** The memory of the piece that conversion copies rows to, and of small blocks. */
function convertedBytes(n: number, { dimensions: d, rowKind }: LeafShape): number {
  const isConverted = rowKind !== 0 || rowStride(d) !== d;
  return SMALL_BLOCKS + (isConverted ? 4 * Math.min(n, PIECE_ROWS) * d + 8 * d : 0);
}

function treeBytes(n: number, shape: LeafShape, settings: ScannSettings, threads: number): number {
  const { leaves, productBlocks, correctionBlocks, groups, copies: c } = shape;
  const d = codedDimensions(shape);
  const copies = c * n;
  const sample = Math.min(n, Math.max(settings.trainingSampleSize, leaves));
  const centroids = centroidBytes(leaves, d, threads);
  const labels = 8 * n;
  const training = 4 * sample * d + 12 * sample + 8 * leaves + 16 * d * threads;
  const rotated = 4 * n * d + 4 * d * (d + 4) + productScratchBytes(4 * Math.ceil(d / 4)) * threads;
  const rotation = settings.rotation === 'none' ? 0 : rotated;
  // A choice copies rows of the sample, and trains codes on copies of them.
  const samples = settings.rotation === 'auto' ? 4 : 1;
  const rotating = settings.rotation === 'none' ? 0 : 4 * samples * Math.min(n, ROTATION_SAMPLE) * (d + 2);
  const anisotropic = settings.avq === false ? 0 : 12 * n + 20 * leaves + 12 * (d + 4) * threads;
  const second = c > 1 ? 4 * n + 8 * copies : 0;
  const pieces = settings.distanceMeasure === 'squared_l2' ? 4 * Math.min(n, PIECE_ROWS) * d : 0;
  const padded = productBlocks * shape.blockWidth;
  const codebook = 64 * padded + (64 * (shape.blockWidth + 1) + 4 * (padded + 32 * productBlocks)) * threads;
  const codebookSample = 4 * padded * Math.min(n, CODEBOOK_SAMPLE_MAX, Math.max(settings.trainingSampleSize, 16));
  const codes = copies * (productBlocks + Math.max(1, correctionBlocks) + 4);
  const packing = 4 * copies + 4 * groups + (shape.hasBounds ? 8 * copies : 0);
  const columns = settings.rotation === 'none' ? 0 : 2 * (d + 16) * (d + 4);
  const derived = 4 * (leaves + shape.upperGroups + 16) * (d + 4) + columns;
  const packed = otherParts(shape) + Math.max(packing, derived, convertedBytes(n, shape));
  const prefixes = shape.prefix === undefined ? 0 : 4 * n * d;
  const held = labels + centroids + rotation + prefixes;
  const coding = second + codebook + Math.max(codebookSample, codes + Math.max(pieces, packed));
  const peaks = [training, rotating, anisotropic, coding];
  return held + Math.max(...peaks) + SMALL_BLOCKS;
}

/** Bytes for some dozens of blocks of less than a cache line, and for records. */
const SMALL_BLOCKS = 16_384;

/**
 * Bytes of `Centroids` (clustering/centroids.ts): rows, panels of 8, halves of squares, int16, and scratch of each
 * thread.
 */
function centroidBytes(leaves: number, d: number, threads: number): number {
  const inPanels = 8 * Math.ceil(leaves / 8);
  return 4 * leaves * d + inPanels * (4 * d + 4 + 2 * (d + 1)) + (8 * inPanels + 64 * (d + 8)) * threads;
}
