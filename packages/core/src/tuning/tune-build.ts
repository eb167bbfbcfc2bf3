/**
 * Search for the best build settings of a ScaNN index: the number of leaves, second leaves (SOAR), the correction block, and
 * the number format of the rows for reordering. One change at a time is compared with the best build so far, and kept where
 * it is better; `tune` tunes the search settings of every build.
 *
 * There are at most 7 builds: 3 numbers of leaves, then second leaves, no correction block, bfloat16 and int8 rows (6 for
 * squared distances, which need the correction block; 1 where there are too few candidates for leaves). One index is in memory at
 * a time. Limit: settings are changed one at a time, so two that are better only together are not found.
 */
import { throwIfAborted } from '../checks/abort.ts';
import { checkInteger } from '../checks/numbers.ts';
import { OBJECT, objectWith, optionsCheck, required } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import { balancedPca } from '../quantization/pca.ts';
import type { Identifier } from '../topk/contract.ts';
import type { RowsOfQueries } from '../topk/recall.ts';
import type { ScannOptions } from '../topk/scann/options.ts';
import { ScaNN } from '../topk/scann/scann.ts';
import type { ReorderRows } from '../topk/scann/settings.ts';
import { vectorSource } from '../topk/vector-source.ts';
import type { Matrix, VectorsLike } from '../vectors/matrix.ts';
import { autopilot } from './autopilot.ts';
import { paretoFront } from './pareto.ts';
import { sampleQueries } from './query-sample.ts';
import {
  checkTuneOptions,
  chooseBest,
  TUNE,
  type TunedPoint,
  type TuneOptions,
  type TuneReport,
  tune,
} from './tune.ts';

/** Options of `tuneBuild`: those of `tune`, the candidates, and fixed build options. */
export interface TuneBuildOptions extends Omit<TuneOptions, 'truth'> {
  /** The candidates, or a sample of them. */
  candidates: VectorsLike;
  /** Fixed options of every build, for example the distance measure; `tuneBuild` does not try other values of them. */
  options?: Omit<ScannOptions<ArrayLike<number>>, 'reorder'> & { reorder?: ReorderRows };
}

const { truth: _, ...TUNE_WITHOUT_TRUTH } = TUNE;
const checkOptions = optionsCheck<TuneBuildOptions>('tuneBuild', {
  ...TUNE_WITHOUT_TRUTH,
  candidates: required(objectWith('candidates')),
  options: OBJECT,
});

/** Build settings of an index; JSON. `new ScaNN({ ...options, ...build })` has the point's settings as its defaults. */
export type BuildSettings = Required<
  Pick<
    ScannOptions<never>,
    | 'numLeaves'
    | 'numLeavesToSearch'
    | 'numReorderingCandidates'
    | 'tunedK'
    | 'dimensionsPerBlock'
    | 'rotation'
    | 'trainingSampleSize'
    | 'soar'
    | 'correction'
    | 'reorder'
    | 'groupBound'
  >
>;

/** A tuned point and the build it belongs to. */
export interface BuiltPoint extends TunedPoint {
  build: BuildSettings;
}

/** The result of `tuneBuild`; JSON. */
export interface TuneBuildReport extends Omit<TuneReport, 'chosen' | 'front'> {
  chosen: BuiltPoint;
  /** The Pareto front of the points of all builds in recall, latency and bytes, by recall ascending. */
  front: BuiltPoint[];
  /** Indexes built. */
  builds: number;
}

/** The most builds; the `total` of `onProgress`. */
const BUILDS_MAX = 7;
const QUERIES = 500;
/** Numbers of leaves to try, as multiples of that of `autopilot`. */
const LEAF_FACTORS = [1, 0.5, 2];
/** λ of second leaves: 1 to 1.5 do alike (SOAR's paper, and measured). */
const SOAR = 1;

type Choice = Partial<Pick<ScannOptions<never>, 'numLeaves' | 'soar' | 'correction' | 'reorder'>>;

/**
 * Tune build and search settings together.
 *
 * @throws {OptionError} when not exactly one of target and budget is given, or an option is out of range
 * @throws {MemoryError} when the linear memory cannot hold an index
 * @throws {AbortedError} when the signal is raised
 */
export async function tuneBuild(how: TuneBuildOptions): Promise<TuneBuildReport> {
  checkTuneOptions(how, checkOptions);
  const { candidates, options = {}, ...tuning } = how;
  const { targetRecall, signal, onProgress, sampleSize = QUERIES } = tuning;
  const { rows, dimensions } = vectorSource('candidates', candidates);
  if (rows === 0) throw new OptionError('candidates: expected at least one, got none');
  const k = how.k ?? options.k ?? 10;
  // No build measures itself: each is tuned with the queries.
  const prefix = checkInteger('dimensions', options.dimensions ?? dimensions, 1);
  const { targetRecall: _, ...sized } = autopilot(rows, Math.min(dimensions, prefix), k);
  const fixed = { ...sized, reorder: 'float32' as const, ...options, k };
  const points: BuiltPoint[] = [];
  const reports: TuneReport[] = [];
  let best: { point: BuiltPoint; isTargetReached: boolean; choice: Choice } | undefined;
  let queries: Matrix | undefined;
  let truth: RowsOfQueries | undefined;

  const attempt = async (choice: Choice): Promise<boolean> => {
    throwIfAborted('tune', signal);
    onProgress?.({ step: 'build settings', done: reports.length, total: BUILDS_MAX });
    const index = new ScaNN<ArrayLike<number>, number>({ ...fixed, ...choice });
    try {
      await index.indexAsync(candidates, undefined, { signal, ...(onProgress ? { onProgress } : {}) });
      queries ??= sampleQueries(index, how.queries, sampleSize);
      // The first build keeps rows whole, unless told otherwise: the truth for all.
      truth ??= index.callExactly(queries, k);
      const report = await tune(index, { ...tuning, k, queries, sampleSize, truth });
      const stats = index.stats();
      const built = (point: TunedPoint): BuiltPoint => ({ ...point, build: settingsOf(index, point, k) });
      reports.push(report);
      points.push(...report.front.map(built));
      const now = { point: built(report.chosen), isTargetReached: report.isTargetReached, choice };
      if (!best || isBetter(now, best, targetRecall !== undefined)) best = now;
      return stats.kind === 'tree';
    } finally {
      index.free();
    }
  };

  const isFree = (name: keyof Choice): boolean => !(name in options);
  const leaves = isFree('numLeaves')
    ? LEAF_FACTORS.map((f) => Math.max(1, Math.round(f * fixed.numLeaves)))
    : [fixed.numLeaves];
  let hasTree = true;
  for (const numLeaves of new Set(leaves)) if (hasTree) hasTree = await attempt({ numLeaves });
  const others: Choice[] = [{ soar: SOAR }, { correction: false }, { reorder: 'bfloat16' }, { reorder: 'int8' }];
  for (const choice of hasTree ? others : []) {
    const [name] = Object.keys(choice) as [keyof Choice];
    const isIdle = name === 'correction' && options.distanceMeasure === 'squared_l2';
    if (isFree(name) && !isIdle) await attempt({ ...best!.choice, ...choice });
  }
  onProgress?.({ step: 'build settings', done: BUILDS_MAX, total: BUILDS_MAX });
  return {
    k,
    queries: queries!.rows,
    chosen: best!.point,
    isTargetReached: best!.isTargetReached,
    front: paretoFront(points),
    tried: reports.reduce((sum, { tried }) => sum + tried, 0),
    builds: reports.length,
  };
}

interface Found {
  point: BuiltPoint;
  isTargetReached: boolean;
}

/** Compare by the criterion of the call; between equals the one of fewer bytes is better. */
function isBetter(now: Found, before: Found, byTime: boolean): boolean {
  if (now.isTargetReached !== before.isTargetReached) return now.isTargetReached;
  const [a, b] = [now.point, before.point];
  if (a.latencyMs === b.latencyMs && a.recall === b.recall) return a.sizeBytes < b.sizeBytes;
  return chooseBest([b, a], byTime && now.isTargetReached) === a;
}

/** The build of an index with a point's settings for defaults. */
function settingsOf<I extends Identifier>(
  index: ScaNN<ArrayLike<number>, I>,
  point: TunedPoint,
  k: number,
): BuildSettings {
  const { numLeaves, trainingSampleSize, soar, correction, reorder } = index.settings;
  const { dimensionsPerBlock, rotation } = codingOf(index);
  return {
    numLeaves,
    numLeavesToSearch: point.leavesToSearch,
    numReorderingCandidates: point.reorder,
    tunedK: k,
    dimensionsPerBlock,
    rotation,
    trainingSampleSize,
    soar,
    correction,
    reorder,
    groupBound: point.groupBound === 0 ? false : point.groupBound,
  };
}

/** The settings of the codes of an index: those that the build chose, where it measured a rotation. */
function codingOf<I extends Identifier>(
  index: ScaNN<ArrayLike<number>, I>,
): Pick<BuildSettings, 'dimensionsPerBlock' | 'rotation'> {
  const { codeErrors, isRotated, dimensionsPerBlock, settings } = index.stats();
  if (!codeErrors) return settings;
  return { rotation: isRotated ? balancedPca.name : 'none', dimensionsPerBlock };
}
