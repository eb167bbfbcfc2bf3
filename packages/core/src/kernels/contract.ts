/**
 * The table of kernels: the interface between the TypeScript code and the inner loops. It has three implementations:
 * the readable reference (reference/), WebAssembly SIMD128 and WebAssembly relaxed SIMD (packages/core/assembly).
 *
 * Every argument is a number: byte offsets into the linear memory, counts, strides (in floats) or float32 scalars. A
 * kernel that would take more than eight takes the offset of a record instead (record.ts), which the pool writes.
 * Kernels do not allocate or throw; callers check every shape before. A kernel with work items has the first arguments
 * `(begin, end, slot, …)`, so that the worker pool can split it; `slot` is the number of the thread, for kernels that
 * need scratch memory per thread. Formulas and layouts are documented at each kernel in packages/core/assembly.
 */

import type { AlsKernels } from './families/als.ts';
import type { AnisotropicCentroidsKernels } from './families/anisotropic-centroids.ts';
import type { AssignKernels } from './families/assign.ts';
import type { AttentionKernels } from './families/attention.ts';
import type { CheckKernels } from './families/checks.ts';
import type { ChecksumKernels } from './families/checksum.ts';
import type { ClustersKernels } from './families/clusters.ts';
import type { CoarseKernels } from './families/coarse.ts';
import type { GroupKernels } from './families/groups.ts';
import type { LayerKernels } from './families/layers.ts';
import type { MatmulKernels } from './families/matmul.ts';
import type { FusedMultiplyKernels, MultiplyKernels } from './families/multiply.ts';
import type { NeighbourKernels } from './families/neighbours.ts';
import type { OptimizerKernels } from './families/optimizers.ts';
import type { PointerKernels } from './families/pointers.ts';
import type { ProductKernels } from './families/product.ts';
import type { RowKernels } from './families/rows.ts';
import type { ScannKernels } from './families/scann.ts';
import type { ScannBuildKernels } from './families/scann-build.ts';
import type { SoftmaxKernels } from './families/softmax.ts';
import type { SymmetricKernels } from './families/symmetric.ts';
import type { TopKKernels } from './families/topk.ts';
import type { RecordAddress, RecordValues } from './record.ts';

/** The kernels of indexes: scoring, clustering, codes, search. Every runtime has them. */
export interface IndexKernelTable
  extends MatmulKernels,
    CheckKernels,
    TopKKernels,
    CoarseKernels,
    AnisotropicCentroidsKernels,
    AssignKernels,
    ClustersKernels,
    ScannKernels,
    ScannBuildKernels {}

/**
 * The kernels of models: embeddings, losses, optimizers, factors. A runtime loads them at their first use
 * (parallel/model-pool.ts), so that a bundler leaves them out of a program that has an index and no model.
 */
export interface ModelKernelTable
  extends FusedMultiplyKernels,
    LayerKernels,
    AttentionKernels,
    PointerKernels,
    SoftmaxKernels,
    OptimizerKernels,
    ProductKernels,
    NeighbourKernels,
    GroupKernels,
    AlsKernels,
    SymmetricKernels,
    RowKernels {}

/** All kernels: also products of matrices, which rotations and models use, and checksums, which files use. */
export interface KernelTable extends IndexKernelTable, ModelKernelTable, MultiplyKernels, ChecksumKernels {}

/** The kernels of indexes that take `(begin, end, slot, …)`, which the pool can split. */
export const PARALLEL_INDEX_KERNELS = [
  'packPanels',
  'searchPanels',
  'finishBuffers',
  'packCoarse',
  'searchCoarse',
  'anisotropicCentroids',
  'assignNearest',
  'assignSecond',
  'meanOfMembers',
  'planBatch',
  'searchBatch',
  'searchScann',
  'searchSlots',
  'maskGroups',
  'storeRows',
  'trainBlocks',
  'encodeCopies',
  'orderLeaves',
  'packGroups',
] as const;

/** The kernels of models that the pool can split. */
export const PARALLEL_MODEL_KERNELS = [
  'multiplyRowsFused',
  'multiplyTransposedFused',
  'activateRows',
  'activationGradient',
  'sumColumns',
  'copyColumns',
  'transposeRows',
  'dropRows',
  'layerNormRows',
  'layerNormGradient',
  'causalAttention',
  'causalAttentionGradient',
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
  'rowWiseAdagradRows',
  'adamRows',
  'momentumRows',
  'sgdRows',
  'decayRows',
  'squareRows',
  'clipRows',
  'encodeProduct',
  'assignListed',
  'nearestListed',
  'assignGrouped',
  'nearestGroups',
  'solveRows',
  'addSymmetric',
  'sumRows',
  'normalizeRows',
  'denormalizeRows',
] as const;

/** The kernels of products of matrices. */
export const PARALLEL_MULTIPLY_KERNELS = ['multiplyRows', 'multiplyTransposed'] as const;

/** The kernel of checksums. */
export const PARALLEL_CHECKSUM_KERNELS = ['hashChunks'] as const;

/** The name of a kernel of indexes that the pool can split. */
export type IndexKernelName = (typeof PARALLEL_INDEX_KERNELS)[number];

/** The name of any kernel that the pool can split. */
export type ParallelKernelName =
  | IndexKernelName
  | (typeof PARALLEL_MODEL_KERNELS)[number]
  | (typeof PARALLEL_MULTIPLY_KERNELS)[number]
  | (typeof PARALLEL_CHECKSUM_KERNELS)[number];

/**
 * The arguments of a kernel after `(begin, end, slot)`, with the values of its record in place of the record's offset.
 */
export type KernelArguments<K extends ParallelKernelName> = KernelTable[K] extends (
  begin: number,
  end: number,
  slot: number,
  ...rest: infer Rest
) => void
  ? { [Index in keyof Rest]: KernelArgument<K, Rest[Index]> }
  : never;

type KernelArgument<K, Argument> =
  Argument extends RecordAddress<infer D> ? (D['name'] extends K ? RecordValues<D> : Argument) : Argument;

/** The implementation of a table of kernels. */
export type KernelVariant = 'reference' | 'simd128' | 'relaxed';
