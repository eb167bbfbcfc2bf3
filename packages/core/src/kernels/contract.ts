/**
 * The table of kernels: the one seam between orchestration and the hot loops. Three implementations: the readable
 * reference (reference/), WebAssembly SIMD128 and WebAssembly relaxed SIMD (packages/core/assembly). A native one over
 * the same memory could be a fourth.
 *
 * Every argument is a number: byte offsets into the linear memory, counts, strides (in floats) or float32 scalars.
 * Kernels allocate nothing and throw nothing; callers have checked every shape. A kernel with work items takes
 * `(begin, end, slot, …)` first, so that the worker pool can split it; `slot` is the number of the thread, for kernels
 * that need scratch of their own. Formulas and layouts stand at each kernel in packages/core/assembly.
 */

import type { AlsKernels } from './families/als.ts';
import type { AnisotropicCentroidsKernels } from './families/anisotropic-centroids.ts';
import type { AssignKernels } from './families/assign.ts';
import type { CheckKernels } from './families/checks.ts';
import type { ChecksumKernels } from './families/checksum.ts';
import type { ClustersKernels } from './families/clusters.ts';
import type { MatmulKernels } from './families/matmul.ts';
import type { OptimizerKernels } from './families/optimizers.ts';
import type { PointerKernels } from './families/pointers.ts';
import type { ProductKernels } from './families/product.ts';
import type { ScannKernels } from './families/scann.ts';
import type { ScannBuildKernels } from './families/scann-build.ts';
import type { SoftmaxKernels } from './families/softmax.ts';
import type { SymmetricKernels } from './families/symmetric.ts';
import type { TopKKernels } from './families/topk.ts';

/** A kernel that the worker pool may split over its work items. */
export type ParallelKernel = (begin: number, end: number, slot: number, ...rest: number[]) => void;

/** coarse: 7-bit codes that rule candidates out before they are scored exactly. */
export interface CoarseKernels {
  /** Codes, scales and error figures of a chunk of packed candidates. Items: panels. */
  packCoarse(
    begin: number,
    end: number,
    slot: number,
    packed: number,
    d: number,
    codes: number,
    scales: number,
    stats: number,
  ): void;
  /** searchPanels of one query, scoring only panels that the codes do not rule out. Items: chunks. */
  searchCoarse(
    begin: number,
    end: number,
    slot: number,
    query: number,
    queryBytes: number,
    queryShorts: number,
    offset: number,
    queryScale: number,
    slack: number,
    d: number,
    chunks: number,
    codeChunks: number,
    scaleChunks: number,
    n: number,
    mask: number,
    scratch: number,
    scratchStride: number,
    buffers: number,
    slotStride: number,
  ): void;
}

/** All kernels. */
export interface KernelTable
  extends MatmulKernels,
    ChecksumKernels,
    CheckKernels,
    TopKKernels,
    CoarseKernels,
    PointerKernels,
    SoftmaxKernels,
    OptimizerKernels,
    AnisotropicCentroidsKernels,
    AssignKernels,
    ClustersKernels,
    ScannKernels,
    ScannBuildKernels,
    ProductKernels,
    AlsKernels,
    SymmetricKernels {}

/** The name of a kernel. */
export type KernelName = keyof KernelTable;

/** The names of the kernels that take `(begin, end, slot, …)`; their order is the number the worker pool sends. */
export const PARALLEL_KERNELS: readonly ParallelKernelName[] = [
  'packPanels',
  'multiplyRows',
  'multiplyTransposed',
  'hashChunks',
  'searchPanels',
  'finishBuffers',
  'packCoarse',
  'searchCoarse',
  'hashPointers',
  'gatherPointers',
  'gatherClustered',
  'groupUses',
  'sumUses',
  'readPointers',
  'readLearnedPointers',
  'softmaxTile',
  'softmaxPairs',
  'adagradRows',
  'adamRows',
  'sgdRows',
  'anisotropicCentroids',
  'assignNearest',
  'assignNearest16',
  'assignSecond',
  'meanOfMembers',
  'searchScann',
  'searchSlots',
  'maskGroups',
  'storeRows',
  'trainBlocks',
  'encodeCopies',
  'orderLeaves',
  'packGroups',
  'encodeProduct',
  'solveRows',
  'addSymmetric',
];

/** The name of a kernel the pool can split. */
export type ParallelKernelName =
  | 'packPanels'
  | 'multiplyRows'
  | 'multiplyTransposed'
  | 'hashChunks'
  | 'searchPanels'
  | 'finishBuffers'
  | 'packCoarse'
  | 'searchCoarse'
  | 'hashPointers'
  | 'gatherPointers'
  | 'gatherClustered'
  | 'groupUses'
  | 'sumUses'
  | 'readPointers'
  | 'readLearnedPointers'
  | 'softmaxTile'
  | 'softmaxPairs'
  | 'adagradRows'
  | 'adamRows'
  | 'sgdRows'
  | 'anisotropicCentroids'
  | 'assignNearest'
  | 'assignNearest16'
  | 'assignSecond'
  | 'meanOfMembers'
  | 'searchScann'
  | 'searchSlots'
  | 'maskGroups'
  | 'storeRows'
  | 'trainBlocks'
  | 'encodeCopies'
  | 'orderLeaves'
  | 'packGroups'
  | 'encodeProduct'
  | 'solveRows'
  | 'addSymmetric';

/** Which implementation a table is. */
export type KernelVariant = 'reference' | 'simd128' | 'relaxed';
