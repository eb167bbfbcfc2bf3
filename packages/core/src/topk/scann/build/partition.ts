/**
 * The first half of a build: computes the centroids of the leaves, the rotation of the coded rows, the upper tree, and
 * the leaves of each row.
 */
import { anisotropicCentroids } from '../../../clustering/anisotropic-centroids.ts';
import type { Centroids } from '../../../clustering/centroids.ts';
import { type AssignRows, kMeans, type Progress } from '../../../clustering/k-means.ts';
import { listMembers, type Members } from '../../../clustering/members.ts';
import type { Block } from '../../../memory/heap.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { rotationNamed } from '../../../quantization/rotation.ts';
import type { Generator as Random } from '../../../random/generator.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { MEASUREMENTS, type RotationChoice } from '../calibration/measurements.ts';
import type { ScannSettings } from '../settings.ts';
import { CodedRows, trainRotation } from './coded-rows.ts';
import { hasUpperTree } from './shape.ts';
import { groupLeaves, type UpperTree } from './upper-tree.ts';

/** The rows as they are scored, and their coded form (coded-rows.ts). */
export interface BuildRows {
  rows: Matrix;
  /** The prefixes of the rows, where only these are coded. */
  copy: Matrix | undefined;
  coded: CodedRows;
  mean: Float32Array | undefined;
  /** Candidates of the index, where the rows are a sample of them. */
  total?: number;
  /** Finds the leaves of rows; default: compares them with all centroids. */
  assign?: AssignRows<Pick<Matrix, 'offset' | 'rows'>> | undefined;
}

/** The memory that the build frees when it ends. */
export type Owned = { free(): void }[];

/** The rows and their leaves. The build owns all the memory. */
export interface Partition extends RotationChoice {
  /** The coded rows, after the rotation if there is one. */
  coded: CodedRows;
  centroids: Centroids;
  upper: UpperTree | undefined;
  /** [n] the first leaf of each row x, and ⟨x, c⟩ − |c|²/2 for the centroid c of that leaf. */
  labels: Block;
  scores: Block;
  copies: Copies;
}

/** Rows with their leaves. A row that has two leaves has two copies. */
export interface Copies {
  count: number;
  /** [count] the row of each copy; undefined: copies are the rows. */
  copyRow: Block | undefined;
  labels: Block;
  members: Members;
}

/** Partition the rows; all blocks that are allocated are added to `owned`. */
export function* partitionRows(
  input: BuildRows,
  settings: ScannSettings,
  random: Random,
  owned: Owned,
  runtime: Runtime,
): Generator<Progress, Partition> {
  const n = input.rows.rows;
  const { assign } = input;
  const labels = runtime.heap.allocate(4 * n);
  const scores = runtime.heap.allocate(4 * n);
  owned.push(labels, scores);
  const centroids = yield* kMeans(
    input.coded,
    {
      clusters: settings.numLeaves,
      iterations: settings.trainingIterations,
      sampleSize: settings.trainingSampleSize,
      initialization: settings.initialization,
      minClusterSize: settings.minLeafSize,
      isSpherical: settings.spherical,
      assign,
      random: random.fork('leaves'),
    },
    runtime,
  );
  owned.push(centroids);
  const rotated = yield* rotate(input, centroids, settings, owned);
  const { coded } = rotated;
  const upper = hasUpperTree(centroids.count, settings)
    ? yield* groupLeaves(centroids, random.fork('upper'), runtime)
    : undefined;
  coded.forEachPiece(n, undefined, ({ first, count, rows }) => {
    if (assign) assign(centroids, { offset: rows, rows: count }, labels, scores, first);
    else centroids.assign(rows, count, labels, scores, first);
  });
  yield { step: 'assign', done: 1, total: 1 };
  const members = listMembers(labels.integers(n), centroids.count);
  // `coded.matrix` is undefined only for squared distances, whose settings have `avq: false`.
  if (settings.avq !== false && coded.matrix) {
    for (const done of anisotropicCentroids(coded.matrix, members, settings.avq, centroids.matrix, runtime)) {
      yield { step: 'anisotropic centroids', done, total: centroids.count };
    }
    centroids.pack();
  }
  const once: Copies = { count: n, copyRow: undefined, labels, members };
  const { soar } = settings;
  const isTwice = soar !== false && centroids.count > 1;
  const copies = isTwice ? yield* copyRows(coded, centroids, labels, soar, owned, runtime) : once;
  return { ...rotated, centroids, upper, labels, scores, copies };
}

/** Rotate rows and centroids where the settings have a rotation or the build chooses one. */
function* rotate(
  { coded, total = coded.rows }: BuildRows,
  centroids: Centroids,
  settings: ScannSettings,
  owned: Owned,
): Generator<Progress, RotationChoice & Pick<Partition, 'coded'>> {
  const choice =
    settings.rotation === 'auto'
      ? MEASUREMENTS.rotation!.choose(coded, centroids, settings, total)
      : { rotation: trainRotation(coded, centroids, settings), blockWidth: settings.dimensionsPerBlock };
  const { rotation } = choice;
  if (!rotation) return { ...choice, coded };
  const method = rotationNamed('balanced-pca');
  owned.push(rotation.directions);
  method.rotate(rotation, centroids.matrix, centroids.matrix);
  centroids.pack();
  const rotated = coded.toMatrix();
  owned.push(rotated);
  method.rotate(rotation, rotated, rotated);
  yield { step: 'rotation', done: 1, total: 1 };
  return { ...choice, coded: new CodedRows(rotated) };
}

/** One copy of each row in its leaf, and another where SOAR gives the row a second leaf. */
function* copyRows(
  coded: CodedRows,
  centroids: Centroids,
  labels: Block,
  lambda: number,
  owned: Owned,
  runtime: Runtime,
): Generator<Progress, Copies> {
  const n = coded.rows;
  const second = runtime.heap.allocate(4 * n);
  owned.push(second);
  coded.forEachPiece(n, undefined, ({ first, count, rows }) => {
    centroids.assignSecond(rows, count, labels, lambda, second, first);
  });
  const all = secondCopies(runtime, labels.integers(n), second.integers(n));
  owned.push(all.copyRow, all.labels);
  const members = listMembers(all.labels.integers(all.copies), centroids.count);
  yield { step: 'second leaves', done: 1, total: 1 };
  return { count: all.copies, copyRow: all.copyRow, labels: all.labels, members };
}

/** List every row once, then again the rows whose second leaf differs from the first. */
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
