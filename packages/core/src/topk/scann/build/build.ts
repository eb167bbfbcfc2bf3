/**
 * Builds the leaves: the partition (partition.ts), the codes (codes.ts), the order within each leaf and the packed
 * groups (pack.ts). The build is a generator that yields between its steps, so that it can run at once or step by step.
 *
 * After ScaNN's tree and asymmetric hashing (research_scann; arXiv 1908.10396, SOAR 2404.00774), with three additions:
 * correction blocks, groups ordered and bounded within a leaf, and centroids of centroids.
 */
import { squaredNorm } from '../../../clustering/int16-panels.ts';
import type { Progress } from '../../../clustering/k-means.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { Generator as Random } from '../../../random/generator.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { codedDimensions, GROUP_SLOTS, type LeafShape, Leaves } from '../leaves.ts';
import type { ScannSettings } from '../settings.ts';
import type { CodedRows } from './coded-rows.ts';
import { type Codebook, type CodedCopies, encode, trainCodebook } from './codes.ts';
import { groupBoundOf } from './group-bound.ts';
import { allocateParts, firstGroups, packLeaves } from './pack.ts';
import { type BuildRows, type Owned, type Partition, partitionRows } from './partition.ts';
import { correctionKindOf, shapeOf } from './shape.ts';
import { storeRows } from './store-rows.ts';

/**
 * Norms that vary by less than this share of their mean count as equal. Groups then get no bounds, because all groups
 * of a leaf score alike.
 */
const NORM_VARIATION = 0.1;
/**
 * η of codes where norms vary little, and where they vary much: there the correction block corrects most of the error.
 */
const ETA_EVEN = 3;
const ETA_UNEVEN = 1.5;

/** The mean of a number of each row over some 10,000 rows at equal distances. */
function sampledMean(rows: number, numberOf: (row: number) => number): number {
  const step = Math.max(1, Math.floor(rows / 10_000));
  let sum = 0;
  for (let row = 0; row < rows; row += step) sum += numberOf(row);
  return sum / Math.ceil(rows / step);
}

/** Standard deviation of the norms divided by their mean. */
function normVariation({ rows: n, dimensions: d, data }: Matrix): number {
  const squareOf = (row: number): number => squaredNorm(data, row * d, d);
  const mean = sampledMean(n, (row) => Math.sqrt(squareOf(row)));
  return mean > 0 ? Math.sqrt(Math.max(0, sampledMean(n, squareOf) - mean * mean)) / mean : 0;
}

/** η of the settings; 1 means the nearest codeword. */
function etaOf({ anisotropic, distanceMeasure }: ScannSettings, variation: number): number {
  if (anisotropic === false) return 1;
  if (anisotropic !== 'auto') return anisotropic;
  if (distanceMeasure === 'squared_l2') return 1;
  return variation < NORM_VARIATION ? ETA_EVEN : ETA_UNEVEN;
}

/** Build a flat index: rows only, each at its slot. The index takes over the memory of the rows. */
export function buildFlat(rows: Matrix, settings: ScannSettings, runtime: Runtime): Leaves {
  const groups = Math.ceil(rows.rows / GROUP_SLOTS);
  const shape = shapeOf(rows.dimensions, settings, { groups });
  const parts = allocateParts(runtime, shape);
  const rowOf = parts.rowOf!.integers(groups * GROUP_SLOTS).fill(-1);
  for (let row = 0; row < rows.rows; row++) rowOf[row] = row;
  const valid = parts.valid!.integers(groups).fill(-1);
  if (rows.rows % GROUP_SLOTS > 0) valid[groups - 1] = (1 << (rows.rows % GROUP_SLOTS)) - 1;
  storeRows(runtime, rows, shape, parts);
  return new Leaves(runtime, shape, parts);
}

/** Build a tree of leaves. The last step takes over the memory of the rows. */
export function* buildTree(input: BuildRows, settings: ScannSettings, runtime: Runtime): Generator<Progress, Leaves> {
  const random = new Random(settings.seed);
  const owned: Owned = input.copy ? [input.copy] : [];
  try {
    const partition = yield* partitionRows(input, settings, random, owned, runtime);
    const variation = normVariation(input.copy ?? input.rows);
    const coding = yield* codePartition(partition, settings, etaOf(settings, variation), random, owned, runtime);
    const bound = boundOf(partition, settings, variation, random);
    const leafGroups = firstGroups(partition.copies.members.begin);
    const shape = treeShape(input, settings, partition, coding, bound, leafGroups);
    return yield* packTree(input, shape, partition, coding, leafGroups, runtime);
  } finally {
    for (const block of owned) block.free();
  }
}

/** The codes of all copies, and the codebook, correction kind and η that they were made with. */
interface Coding {
  codebook: Codebook;
  codes: CodedCopies;
  kind: number;
  eta: number;
}

/** Train the codebook and encode the copies. */
function* codePartition(
  { coded, centroids, labels, copies, blockWidth: dimensionsPerBlock }: Partition,
  settings: ScannSettings,
  eta: number,
  random: Random,
  owned: Owned,
  runtime: Runtime,
): Generator<Progress, Coding> {
  const own = labels.integers(coded.rows);
  const blocks = { ...settings, dimensionsPerBlock };
  const codebook = trainCodebook(coded, own, centroids, blocks, random.fork('codebook'), runtime);
  owned.push(codebook.block);
  yield { step: 'codebook', done: 1, total: 1 };
  const kind = correctionKindOf(settings);
  const { count, copyRow } = copies;
  const codes = encode(coded, count, copyRow, copies.labels, centroids, codebook, eta, kind, runtime);
  owned.push(codes.codes, codes.correctionCodes);
  yield { step: 'codes', done: 1, total: 1 };
  return { codebook, codes, kind, eta };
}

/** Decide if groups get bounds, and by how many standard errors a bound must fail before its group is skipped. */
function boundOf(
  { coded, centroids, labels }: Partition,
  { groupBound, distanceMeasure }: ScannSettings,
  variation: number,
  random: Random,
): { hasBounds: boolean; groupBound: number } {
  const hasBounds =
    groupBound !== false && distanceMeasure !== 'squared_l2' && (groupBound !== 'auto' || variation >= NORM_VARIATION);
  if (groupBound !== 'auto') return { hasBounds, groupBound: Number(groupBound) };
  if (!hasBounds || !coded.matrix) return { hasBounds, groupBound: 0 };
  return {
    hasBounds,
    groupBound: groupBoundOf(coded.matrix, labels.integers(coded.rows), centroids, random.fork('bounds')),
  };
}

function treeShape(
  { rows, mean }: BuildRows,
  settings: ScannSettings,
  { coded, scores, centroids, rotation, codeErrors, upper, copies }: Partition,
  { codebook, codes, kind, eta }: Coding,
  bound: { hasBounds: boolean; groupBound: number },
  leafGroups: Int32Array,
): LeafShape {
  const groups = leafGroups[centroids.count]!;
  return shapeOf(rows.dimensions, settings, {
    groups,
    leaves: centroids.count,
    copies: copies.copyRow ? 2 : 1,
    places: copies.copyRow ? rows.rows : 0,
    upperGroups: upper?.groups ?? 0,
    productBlocks: codebook.blocks,
    blockWidth: codebook.width,
    correctionBlocks: codes.correctionBlocks,
    correctionKind: kind,
    ...bound,
    hasMean: mean !== undefined,
    hasRotation: rotation !== undefined,
    ...(codeErrors && { codeErrors }),
    eta,
    builtDistance: meanDistance(coded, scores.floats(rows.rows)),
  });
}

/** Allocate and fill the parts of the index. */
function* packTree(
  { rows, mean }: BuildRows,
  shape: LeafShape,
  { coded, centroids, rotation, upper, copies }: Partition,
  { codebook, codes }: Coding,
  leafGroups: Int32Array,
  runtime: Runtime,
): Generator<Progress, Leaves> {
  const { leaves, groups } = shape;
  const parts = allocateParts(runtime, shape);
  let isServed = false;
  try {
    parts.centroids!.floats(leaves * codedDimensions(shape)).set(centroids.matrix.data);
    parts.codebook!.bytes().set(codebook.block.bytes().subarray(0, parts.codebook!.sizeBytes));
    if (codes.correctionBlocks > 0) parts.corrections!.floats(codes.corrections.length).set(codes.corrections);
    parts.leafGroups!.integers(leaves + 1).set(leafGroups);
    parts.leafExtra!.integers(leaves).fill(-1);
    parts.nextGroup!.integers(groups).fill(-1);
    if (mean) parts.mean!.floats(mean.length).set(mean);
    if (rotation) parts.rotation!.floats(rotation.directions.data.length).set(rotation.directions.data);
    if (upper) {
      parts.upperCentroids!.floats(upper.centroids.length).set(upper.centroids);
      parts.upperLeaves!.integers(upper.ranges.length).set(upper.ranges);
    }
    packLeaves(runtime, coded, shape, parts, copies.members, leafGroups, copies.copyRow, codes, centroids);
    yield { step: 'pack', done: 1, total: 1 };
    storeRows(runtime, rows, shape, parts);
    const built = new Leaves(runtime, shape, parts);
    isServed = true;
    return built;
  } finally {
    if (!isServed) for (const block of Object.values(parts)) block.free();
  }
}

/** Mean of |x|² − 2 (⟨x, c⟩ − |c|²/2) = |x − c|² over a sample. */
function meanDistance(rows: CodedRows, scores: Float32Array): number {
  return sampledMean(rows.rows, (i) => Math.max(0, squaredNorm(rows.row(i), 0, rows.dimensions) - 2 * scores[i]!));
}
