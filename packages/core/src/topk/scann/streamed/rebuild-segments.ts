/**
 * Rebuilds an index in segments that one memory does not hold: a sample of its candidates trains the head, all are assigned to
 * leaves, and each new segment is built in a memory of its own from the rows that the old index has. No copy of all rows is made;
 * beside both indexes memory holds the number, the leaf and the second leaf of each candidate, 8 or 12 bytes.
 *
 * Updates of the old index may run between the steps. The caller applies them to the new index at the end, so it does not
 * matter whether a row is read before or after it changes: its last value is put in then. A row that was deleted meanwhile is
 * read as zeros, and is deleted again.
 */
import { normalize, type Progress } from '../../../clustering/k-means.ts';
import { Runtime } from '../../../parallel/runtime.ts';
import { Generator as Random } from '../../../random/generator.ts';
import { Matrix } from '../../../vectors/matrix.ts';
import { type Identifier, Identifiers } from '../../identifiers.ts';
import { fitsMemory } from '../build/build-memory.ts';
import { needsTree } from '../build/needs-tree.ts';
import type { Leaves } from '../leaves.ts';
import { SegmentedLeaves } from '../segments/segmented-leaves.ts';
import type { ScannSettings } from '../settings.ts';
import { LiveIndex } from '../update/live-index.ts';
import { assignersOf, assignPiece } from './assign-piece.ts';
import { packSegment, type SegmentRecords } from './pack-segment.ts';
import { sampleSizeOf, shapesOf } from './segment-shapes.ts';
import { PIECE_ROWS, type Survey, SurveySink } from './survey.ts';
import { trainHead } from './train-head.ts';

/** Rows listed in a step: some tenths of a millisecond. */
const LISTED_AT_ONCE = 8_192;

/** The candidates of the old index when the rebuild began. */
interface Present<I extends Identifier> {
  old: LiveIndex<I>;
  /** The number that each has in the old index. */
  rows: Int32Array;
  identifiers: Identifiers<I>;
}

/** The leaves of all candidates, and how many each leaf has. */
interface Assigned {
  leaves: Int32Array;
  seconds: Int32Array | undefined;
  leafRows: readonly number[];
  meanDistance: number;
}

/**
 * Rebuild an index segment by segment in steps; undefined where one memory has room for the build, or the index needs no leaves.
 *
 * @throws {MemoryError} when the memory of the head has no room for the sample, or the system refuses memory for a segment
 */
export function rebuildSegments<I extends Identifier>(
  old: LiveIndex<I>,
  settings: ScannSettings,
): Generator<Progress, LiveIndex<I>> | undefined {
  const { size, dimensions, leaves } = old;
  if (fitsMemory(leaves.runtime, size, dimensions, settings) || !needsTree(size, dimensions, settings))
    return undefined;
  return rebuild(old, settings);
}

function* rebuild<I extends Identifier>(old: LiveIndex<I>, settings: ScannSettings): Generator<Progress, LiveIndex<I>> {
  const { isUnitLength } = old;
  const present = yield* listPresent(old);
  const survey = yield* surveyPresent(present, settings);
  const { head, firstLeaves } = yield* trainHead(survey, settings, Number.POSITIVE_INFINITY, old.leaves.runtime);
  const segments: Leaves[] = [];
  let isWhole = false;
  try {
    const assigned = yield* assignPresent(present, head, settings);
    head.shape.builtDistance = assigned.meanDistance;
    if (head.shape.copies > 1) head.shape.places = present.rows.length;
    yield* buildSegments(present, assigned, { head, firstLeaves, magnitudes: survey.magnitudes }, segments);
    isWhole = true;
    const set = new SegmentedLeaves(head, segments, firstLeaves);
    const live = new LiveIndex(set, present.identifiers, present.rows.length, isUnitLength, old.segmented);
    // Measured once, when the index was built.
    live.calibration = old.calibration;
    return live;
  } finally {
    if (!isWhole) {
      head.free();
      for (const segment of segments) {
        segment.free();
        segment.runtime.pool.leave();
      }
    }
  }
}

/** List the candidates that are not deleted, with their identifiers. */
function* listPresent<I extends Identifier>(old: LiveIndex<I>): Generator<Progress, Present<I>> {
  const total = old.identifiers.size;
  const areNumbers = old.identifiers.values === undefined && old.size === total;
  const identifiers = areNumbers ? new Identifiers<I>(total) : old.identifiers.part(new Int32Array(0));
  const rows = new Int32Array(total);
  let count = 0;
  for (let begin = 0; begin < total; begin += LISTED_AT_ONCE) {
    const end = Math.min(total, begin + LISTED_AT_ONCE);
    for (let row = begin; row < end; row++) {
      if (!areNumbers && !old.isLive(row)) continue;
      rows[count++] = row;
      if (!areNumbers) identifiers.add(old.identifiers.of(row));
    }
    yield { step: 'list', done: end, total };
  }
  return { old, rows: rows.subarray(0, count), identifiers };
}

/** Visit the candidates in pieces, a step for each; the matrix lasts for one visit. */
function* forEachPiece<I extends Identifier>(
  { old, rows }: Present<I>,
  step: string,
  visit: (piece: Matrix, first: number) => void,
): Generator<Progress, void> {
  const total = rows.length;
  for (let first = 0; first < total; first += PIECE_ROWS) {
    const own = rows.subarray(first, first + PIECE_ROWS);
    const piece = new Matrix(own.length, old.dimensions, old.leaves.runtime);
    try {
      readRows(old, own, (i) => piece.row(i));
      visit(piece, first);
    } finally {
      piece.free();
    }
    yield { step, done: first + own.length, total };
  }
}

/** Copy rows of an index; zeros for those that were deleted meanwhile. */
function readRows<I extends Identifier>(
  old: LiveIndex<I>,
  rows: Int32Array,
  target: (i: number) => Float32Array,
): void {
  // Made again each time, because an update may move the rows.
  const read = old.reader();
  rows.forEach((row, i) => {
    if (old.isLive(row)) read(row, target(i));
    else target(i).fill(0);
  });
}

/** Take a sample, and the largest magnitude of each dimension. */
function* surveyPresent<I extends Identifier>(
  present: Present<I>,
  settings: ScannSettings,
): Generator<Progress, Survey<I>> {
  const { old } = present;
  const sink = new SurveySink(old.leaves.runtime, {
    sampleSize: sampleSizeOf(settings),
    isUnitLength: old.isUnitLength,
    random: new Random(settings.seed).fork('sample'),
  });
  try {
    yield* forEachPiece(present, 'sample', (piece) => sink.add(piece));
    return { ...sink.take(), identifiers: present.identifiers };
  } finally {
    sink.free();
  }
}

/** Find the leaves of all candidates. */
function* assignPresent<I extends Identifier>(
  present: Present<I>,
  head: Leaves,
  settings: ScannSettings,
): Generator<Progress, Assigned> {
  const n = present.rows.length;
  const assigners = assignersOf(head, settings);
  const leaves = new Int32Array(n);
  const seconds = assigners.second && new Int32Array(n);
  const leafRows = new Array<number>(head.shape.leaves).fill(0);
  let distance = 0;
  try {
    yield* forEachPiece(present, 'partition', (piece, first) =>
      assignPiece(piece, head, assigners, present.old.isUnitLength, (assigned) => {
        leaves.set(assigned.leaves, first);
        if (seconds) seconds.set(assigned.seconds!, first);
        for (const each of assigned.distances) distance += each;
        assigned.leaves.forEach((leaf, i) => {
          leafRows[leaf]!++;
          const second = assigned.seconds?.[i] ?? leaf;
          if (second !== leaf) leafRows[second]!++;
        });
      }),
    );
    return { leaves, seconds, leafRows, meanDistance: distance / n };
  } finally {
    assigners.centroids.free();
  }
}

/** Build each segment in a memory of its own, and add it to `made`. */
function* buildSegments<I extends Identifier>(
  present: Present<I>,
  { leaves, seconds, leafRows }: Assigned,
  { head, firstLeaves, magnitudes }: { head: Leaves; firstLeaves: readonly number[]; magnitudes: Float32Array },
  made: Leaves[],
): Generator<Progress, void> {
  const { old, rows } = present;
  const total = firstLeaves.length - 1;
  for (let s = 0; s < total; s++) {
    const within = (leaf: number): boolean => leaf >= firstLeaves[s]! && leaf < firstLeaves[s + 1]!;
    const numbers = numbersOf(leaves, seconds, within);
    const [shape] = shapesOf(head.shape, firstLeaves.slice(s, s + 2), leafRows, [numbers.length]);
    const runtime = new Runtime({}, head.runtime);
    let isMade = false;
    try {
      const matrix = new Matrix(numbers.length, old.dimensions, runtime);
      for (let first = 0; first < numbers.length; first += PIECE_ROWS) {
        const own = numbers.subarray(first, first + PIECE_ROWS).map((i) => rows[i]!);
        readRows(old, own, (i) => matrix.row(first + i));
        yield { step: 'rows of a segment', done: first + own.length, total: numbers.length };
      }
      if (old.isUnitLength) normalize(matrix.data, old.dimensions);
      const records: SegmentRecords = {
        rows: matrix,
        numbers,
        leaves: numbers.map((i) => (within(leaves[i]!) ? leaves[i]! : -1)),
        seconds: seconds && numbers.map((i) => secondOf(leaves[i]!, seconds[i]!, within)),
      };
      made.push(packSegment({ head, shape: shape!, magnitudes, runtime }, records));
      isMade = true;
    } finally {
      if (!isMade) runtime.pool.leave();
    }
    yield { step: 'segments', done: s + 1, total };
  }
}

/** The candidates that have a leaf in a segment. */
function numbersOf(leaves: Int32Array, seconds: Int32Array | undefined, within: (leaf: number) => boolean): Int32Array {
  const isOwn = (i: number): boolean => within(leaves[i]!) || (seconds !== undefined && within(seconds[i]!));
  let count = 0;
  for (let i = 0; i < leaves.length; i++) if (isOwn(i)) count++;
  const numbers = new Int32Array(count);
  count = 0;
  for (let i = 0; i < leaves.length; i++) if (isOwn(i)) numbers[count++] = i;
  return numbers;
}

/** The second leaf of a candidate in a segment; −1 where it is the first or in another segment. */
function secondOf(leaf: number, second: number, within: (leaf: number) => boolean): number {
  return second !== leaf && within(second) ? second : -1;
}
