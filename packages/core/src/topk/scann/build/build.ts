/**
 * Building the leaves: centroids, assignment, codes, the order of each leaf, packed groups. A generator that yields between
 * its steps, so that one build runs at once or a little at a time.
 *
 * After ScaNN's tree and asymmetric hashing (research_scann; arXiv 1908.10396, SOAR 2404.00774), with three additions:
 * correction blocks, groups ordered and bounded within a leaf, and centroids of centroids.
 */
import { anisotropicCentroids } from '../../../clustering/anisotropic-centroids.ts';
import type { Centroids } from '../../../clustering/centroids.ts';
import { kMeans, type Progress } from '../../../clustering/k-means.ts';
import { listMembers } from '../../../clustering/members.ts';
import type { Block } from '../../../memory/heap.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { type BalancedPca, rotateRows } from '../../../quantization/pca.ts';
import { Generator as Random } from '../../../random/generator.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { trainRotation } from './coded-rows.ts';
import { encode, trainCodebook } from './codes.ts';
import { groupBoundOf } from './group-bound.ts';
import { GROUP_SLOTS, type LeafShape, Leaves, rowStride } from '../leaves.ts';
import type { ScannSettings } from '../options.ts';
import { allocateParts, firstGroups, packLeaves, storeRows } from './pack.ts';
import { groupLeaves } from './upper-tree.ts';

const ROW_KINDS = { float32: 0, bfloat16: 1, int8: 2 } as const;
/** From here on centroids of centroids save more than they cost: int16 centroids are scored a thousand a microsecond. */
const UPPER_FROM = 4096;
/** Norms that vary by less than this share of their mean are one norm: no group of such a leaf stands out. */
const NORM_VARIATION = 0.1;
/** η of codes where norms vary little and much: with a correction block the second needs little help. */
const ETA_EVEN = 3;
const ETA_UNEVEN = 1.5;
/** Rows as they are scored, and as they are coded: centred for squared distances. */
export interface BuildRows {
  rows: Matrix;
  coded: Matrix;
  mean: Float32Array | undefined;
}

/** Standard deviation of the norms by their mean. */
function normVariation({ rows: n, dimensions: d, data }: Matrix): number {
  const step = Math.max(1, Math.floor(n / 10_000));
  let sum = 0;
  let squares = 0;
  let count = 0;
  for (let i = 0; i < n; i += step) {
    let square = 0;
    for (let t = 0; t < d; t++) square += data[i * d + t]! ** 2;
    sum += Math.sqrt(square);
    squares += square;
    count++;
  }
  const mean = sum / count;
  return mean > 0 ? Math.sqrt(Math.max(0, squares / count - mean * mean)) / mean : 0;
}

/** η as the settings ask: 1 is the nearest codeword. */
function etaOf({ anisotropic, distanceMeasure }: ScannSettings, variation: number): number {
  if (anisotropic === false) return 1;
  if (anisotropic !== 'auto') return anisotropic;
  if (distanceMeasure === 'squared_l2') return 1;
  return variation < NORM_VARIATION ? ETA_EVEN : ETA_UNEVEN;
}

/** Flat: rows alone, each at its slot. */
export function buildFlat(rows: Matrix, settings: ScannSettings, runtime: Runtime): Leaves {
  const groups = Math.ceil(rows.rows / GROUP_SLOTS);
  const shape = shapeOf(rows, settings, { groups, capacity: groups, builtGroups: groups, copies: 1 });
  const parts = allocateParts(runtime, shape);
  const rowOf = parts.rowOf!.integers(groups * GROUP_SLOTS).fill(-1);
  for (let row = 0; row < rows.rows; row++) rowOf[row] = row;
  const valid = parts.valid!.integers(groups).fill(-1);
  if (rows.rows % GROUP_SLOTS > 0) valid[groups - 1] = (1 << (rows.rows % GROUP_SLOTS)) - 1;
  storeRows(runtime, rows, shape, parts);
  return new Leaves(runtime, shape, parts);
}

/** A tree of leaves. */
export function* buildTree(input: BuildRows, settings: ScannSettings, runtime: Runtime): Generator<Progress, Leaves> {
  const { rows, mean } = input;
  let { coded } = input;
  const { rows: n, dimensions: d } = rows;
  askForMemory(runtime, n, d, settings);
  const random = new Random(settings.seed);
  const labels = runtime.heap.allocate(4 * n);
  const scores = runtime.heap.allocate(4 * n);
  const owned: { free(): void }[] = [labels, scores];
  /** Parts until somebody has them all. */
  const unserved: Block[] = [];
  let centroids: Centroids | undefined;
  try {
    centroids = yield* kMeans(
      coded,
      {
        clusters: settings.numLeaves,
        iterations: settings.trainingIterations,
        sampleSize: settings.trainingSampleSize,
        initialization: settings.initialization,
        minClusterSize: settings.minLeafSize,
        isSpherical: settings.spherical,
        random: random.fork('leaves'),
      },
      runtime,
    );
    let rotation: BalancedPca | undefined;
    if (settings.rotation === 'balanced-pca') {
      rotation = trainRotation(coded, centroids, settings, runtime);
      owned.push(rotation.directions);
      rotateRows(rotation, centroids.matrix, centroids.matrix);
      centroids.pack();
      // Centred rows are the build's own and are rotated where they stand.
      coded = coded === rows ? rotateRows(rotation, coded) : rotateRows(rotation, coded, coded);
      if (coded !== input.coded) owned.push(coded);
      yield { step: 'rotation', done: 1, total: 1 };
    }
    const hasUpper = settings.upperTree === 'auto' ? centroids.count >= UPPER_FROM : settings.upperTree;
    const upper = hasUpper ? yield* groupLeaves(centroids, random.fork('upper'), runtime) : undefined;
    centroids.assign(coded.offset, n, labels, scores);
    yield { step: 'assign', done: 1, total: 1 };
    const leaves = centroids.count;
    const members = listMembers(labels.integers(n), leaves);
    if (settings.avq !== false) {
      for (const done of anisotropicCentroids(coded, members, settings.avq, centroids.matrix, runtime)) {
        yield { step: 'anisotropic centroids', done, total: leaves };
      }
      centroids.pack();
    }
    const variation = normVariation(rows);
    const eta = etaOf(settings, variation);
    let copyRow: Block | undefined;
    let copyLabels = labels;
    let copies = n;
    let own = members;
    if (settings.soar !== false && leaves > 1) {
      const second = runtime.heap.allocate(4 * n);
      owned.push(second);
      centroids.assignSecond(coded.offset, n, labels, settings.soar, second);
      const all = secondCopies(runtime, labels.integers(n), second.integers(n));
      ({ copyRow, labels: copyLabels, copies } = all);
      owned.push(copyRow, copyLabels);
      own = listMembers(copyLabels.integers(copies), leaves);
      yield { step: 'second leaves', done: 1, total: 1 };
    }
    const codebook = trainCodebook(coded, labels.integers(n), centroids, settings, random.fork('codebook'), runtime);
    owned.push(codebook.block);
    yield { step: 'codebook', done: 1, total: 1 };
    // Squared distances need their correction: it carries the norms of the decoded rows.
    const kind = settings.distanceMeasure === 'squared_l2' ? 2 : settings.correction ? 1 : 0;
    const codes = encode(coded, copies, copyRow, copyLabels, centroids, codebook, eta, kind, runtime);
    owned.push(codes.codes, codes.correctionCodes);
    yield { step: 'codes', done: 1, total: 1 };
    const { groupBound, distanceMeasure } = settings;
    const hasBounds =
      groupBound !== false &&
      distanceMeasure !== 'squared_l2' &&
      (groupBound !== 'auto' || variation >= NORM_VARIATION);
    const bound =
      groupBound === 'auto' && hasBounds
        ? groupBoundOf(coded, labels.integers(n), centroids, random.fork('bounds'))
        : Number(groupBound === 'auto' ? 0 : groupBound);
    const leafGroups = firstGroups(own.begin);
    const groups = leafGroups[leaves]!;
    const shape = shapeOf(rows, settings, {
      groups,
      capacity: groups,
      builtGroups: groups,
      leaves,
      copies: copyRow ? 2 : 1,
      places: copyRow ? n : 0,
      upperGroups: upper?.groups ?? 0,
      productBlocks: codebook.blocks,
      blockWidth: settings.dimensionsPerBlock,
      correctionBlocks: codes.correctionBlocks,
      correctionKind: kind,
      hasBounds,
      groupBound: bound,
      hasMean: mean !== undefined,
      hasRotation: rotation !== undefined,
      eta,
      builtDistance: meanDistance(coded, scores.floats(n)),
    });
    const parts = allocateParts(runtime, shape);
    unserved.push(...Object.values(parts));
    parts.centroids!.floats(leaves * d).set(centroids.matrix.data);
    parts.codebook!.bytes().set(codebook.block.bytes().subarray(0, parts.codebook!.sizeBytes));
    if (codes.correctionBlocks > 0) parts.corrections!.floats(codes.corrections.length).set(codes.corrections);
    parts.leafGroups!.integers(leaves + 1).set(leafGroups);
    parts.leafExtra!.integers(leaves).fill(-1);
    parts.nextGroup!.integers(groups).fill(-1);
    if (mean) parts.mean!.floats(d).set(mean);
    if (rotation) parts.rotation!.floats(rotation.directions.data.length).set(rotation.directions.data);
    if (upper) {
      parts.upperCentroids!.floats(upper.centroids.length).set(upper.centroids);
      parts.upperLeaves!.integers(upper.ranges.length).set(upper.ranges);
    }
    packLeaves(runtime, coded, shape, parts, own, leafGroups, copyRow, codes, centroids);
    yield { step: 'pack', done: 1, total: 1 };
    storeRows(runtime, rows, shape, parts);
    const built = new Leaves(runtime, shape, parts);
    unserved.length = 0;
    return built;
  } finally {
    for (const block of [...owned, ...unserved]) block.free();
    centroids?.free();
  }
}

/**
 * Take and give back what the build will hold at its peak beside the candidates, so that it fails before it starts.
 *
 * @throws {MemoryError} with the bytes needed
 */
function askForMemory(runtime: Runtime, n: number, d: number, settings: ScannSettings): void {
  const copies = settings.soar === false ? 1 : 2;
  const blocks = Math.ceil(d / settings.dimensionsPerBlock) + 2;
  const rows = settings.reorder === false ? 4 : 4 >> ROW_KINDS[settings.reorder];
  // Labels, scores, order, keys and corrections of each copy; a byte and a nibble a code; the rows; the sample.
  const rotated = settings.rotation !== 'none' && settings.distanceMeasure !== 'squared_l2' ? 4 * d : 0;
  const perRow = copies * (28 + 1.5 * blocks) + rows * rowStride(d) + rotated;
  const sample = 4 * d * Math.min(n, settings.trainingSampleSize);
  runtime.heap.allocate(Math.ceil(n * perRow) + sample).free();
}

function shapeOf(rows: Matrix, settings: ScannSettings, known: Partial<LeafShape> & { groups: number }): LeafShape {
  return {
    dimensions: rows.dimensions,
    leaves: 0,
    upperGroups: 0,
    productBlocks: 0,
    blockWidth: 0,
    correctionBlocks: 0,
    correctionKind: 0,
    capacity: known.groups,
    builtGroups: known.groups,
    rowKind: settings.reorder === false ? 0 : ROW_KINDS[settings.reorder],
    places: 0,
    isSquared: settings.distanceMeasure === 'squared_l2',
    copies: 1,
    hasBounds: false,
    groupBound: 0,
    hasMean: false,
    hasRotation: false,
    eta: 1,
    builtDistance: 0,
    ...known,
  };
}

/** Mean of |x|² − 2 (⟨x, c⟩ − |c|²/2) = |x − c|² over a sample. */
function meanDistance({ rows: n, dimensions: d, data }: Matrix, scores: Float32Array): number {
  const step = Math.max(1, Math.floor(n / 10_000));
  let sum = 0;
  let count = 0;
  for (let i = 0; i < n; i += step) {
    let square = 0;
    for (let t = 0; t < d; t++) square += data[i * d + t]! ** 2;
    sum += Math.max(0, square - 2 * scores[i]!);
    count++;
  }
  return sum / count;
}

/** Every row once, then those rows again whose second leaf is another. */
function secondCopies(
  runtime: Runtime,
  labels: Int32Array,
  second: Int32Array,
): { copyRow: Block; labels: Block; copies: number } {
  const n = labels.length;
  let copies = n;
  for (let i = 0; i < n; i++) if (second[i] !== labels[i]) copies++;
  const rowBlock = runtime.heap.allocate(4 * copies);
  const labelBlock = runtime.heap.allocate(4 * copies);
  const rows = rowBlock.integers(copies);
  const leaves = labelBlock.integers(copies);
  let to = n;
  for (let i = 0; i < n; i++) {
    rows[i] = i;
    leaves[i] = labels[i]!;
    if (second[i] === labels[i]) continue;
    rows[to] = i;
    leaves[to++] = second[i]!;
  }
  return { copyRow: rowBlock, labels: labelBlock, copies };
}
