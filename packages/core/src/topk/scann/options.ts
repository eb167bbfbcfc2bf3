/** Options of a ScaNN index, their checks and their defaults. */
import { checkInteger, checkNumber, checkOneOf } from '../../checks/numbers.ts';
import {
  BOOLEAN,
  NUMBER,
  type OptionType,
  objectWith,
  optionsCheck,
  optionType,
  STRING,
} from '../../checks/options.ts';
import { OptionError } from '../../errors/errors.ts';
import { RUNTIME, type Runtime } from '../../parallel/runtime.ts';
import { rotationNamed } from '../../quantization/rotation.ts';
import { TOP_K } from '../call-options.ts';
import type { DistanceMeasure, TopKOptions } from '../contract.ts';
import { MEASUREMENTS } from './calibration/measurements.ts';
import type { Segments } from './segments/segments.ts';
import type { ReorderRows, ScannSettings } from './settings.ts';

/** Options of `ScaNN`: TFRS's and the ScaNN builder's, and a seed. */
export interface ScannOptions<Q> extends TopKOptions<Q> {
  /** 'dot_product' ⟨q, x⟩ · 'cosine' ⟨q, x⟩/(|q||x|) · 'squared_l2' −|q − x|². */
  distanceMeasure?: DistanceMeasure;
  /**
   * Leaves and codes have the first `dimensions` of each vector only, and reordering scores all: for Matryoshka vectors,
   * whose prefixes are vectors themselves. For cosine the prefixes of candidates are scaled to length 1. Candidates must
   * have at least as many dimensions; without leaves all are scored. Default: all dimensions.
   */
  dimensions?: number;
  /** Partitions; default 100. An index of fewer candidates has fewer. */
  numLeaves?: number;
  /**
   * Partitions searched per query; default 10. A number above that of the partitions means all, with a note in
   * `stats()`.
   */
  numLeavesToSearch?: number;
  /** k-means iterations; default 12. */
  trainingIterations?: number;
  /** Rows on which k-means and codebooks are trained; default 100,000. */
  trainingSampleSize?: number;
  /** A leaf with fewer rows is re-seeded in training; default 50. */
  minLeafSize?: number;
  /** Start of k-means; default 'random' (from the seed). */
  initialization?: 'random' | 'k-means++';
  /** Scale centroids to length 1; default false. */
  spherical?: boolean;
  /** Dimensions coded together in 4 bits; default 2. */
  dimensionsPerBlock?: number;
  /** Candidates whose approximate score is replaced by the exact one; default max(100, 4·k); at least k. */
  numReorderingCandidates?: number;
  /**
   * The number of results for which `numLeavesToSearch` and `numReorderingCandidates` are chosen, for example the `k`
   * of `tune`; default `k`. A call for more results searches more leaves and reorders more candidates, unless it sets
   * these numbers.
   */
  tunedK?: number;
  /**
   * A recall@k, between 0 and 1, with k = `tunedK` or else `k`. The build measures its recall with up to 200 of the
   * candidates as queries and sets `numLeavesToSearch` and `numReorderingCandidates` so that the recall is reached;
   * `stats().measured` has the result. Default: the build measures nothing. An index without leaves is exact and is not
   * measured. A program that is bundled without `autopilot` says `recallTarget(0.95)`, which brings the code.
   */
  targetRecall?: number;
  /**
   * Number format of the rows kept for reordering; false: no rows are kept and results have approximate scores. 'int8' has a
   * scale of each dimension and a factor of each row, d + 4 bytes a row where d is a multiple of 4. 'auto'
   * (default): from 512 dimensions on the build measures what the formats lose, and keeps the one of the fewest bytes that
   * loses less than .002 of the recall; `stats().rowLoss` has the measurement. Below 512 dimensions, and without leaves,
   * 'auto' means 'float32'. A bundled program says `measuredRows.name`, which brings the code; without it 'auto' means
   * 'float32', with a note in `stats()`.
   */
  reorder?: ReorderRows | 'auto' | false;
  /**
   * Weight η ≥ 1 of the quantization error parallel to the candidate; 'auto' (default): chosen from the data; false: 1,
   * the nearest codewords.
   */
  anisotropic?: number | 'auto' | false;
  /** Weight η ≥ 1 of anisotropic centroids; default 2.5, for squared_l2 false. false: centroids are means. */
  avq?: number | false;
  /** Weight λ ≥ 0 of SOAR, which puts every candidate into a second leaf; default false: one leaf. */
  soar?: number | false;
  /** One more 4-bit block that corrects the codes' error along the candidate (two for squared_l2); default true. */
  correction?: boolean;
  /**
   * A group of 32 candidates is skipped when its bound is more than this many standard errors below the k-th best score,
   * or below a score of higher rank where more than 10 candidates are reordered for each result. 'auto': 3, and more where
   * the variances of dimensions differ; false: no group is skipped.
   */
  groupBound?: number | 'auto' | false;
  /**
   * Cluster the centroids of the leaves into groups, so that a query scores fewer of them. 'auto' (default): from 4,096
   * leaves on.
   */
  upperTree?: boolean | 'auto';
  /**
   * 'balanced-pca': rows are rotated before they are coded, so that all blocks carry about equal variance. A program that
   * is bundled without `autopilot` says `balancedPca.name`, which brings the code. 'auto': from 512 dimensions on the build
   * rotates rows, and gives their codes 16 or else 8 dimensions a block, where it measures that
   * queries scan less and scores are as exact; `stats().codeErrors` has the measurement. A bundled program says
   * `measuredRotation.name`. Default 'none'.
   */
  rotation?: 'none' | 'balanced-pca' | 'auto';
  /**
   * Build a tree of leaves: 'always', 'never', or 'auto' (default): from 4,000 candidates and 640,000 numbers on
   * (20,000 candidates of 32 dimensions).
   */
  tree?: 'auto' | 'always' | 'never';
  /**
   * Keep the candidates in several linear memories: `segmentsOf(bytes)`. Results are the same, but queries are slower, so
   * use it only if one memory does not hold the index (docs/decisions/segments.md has the figures). Default: one memory,
   * which can have 4 GiB. An index without leaves stays in one memory, with a note in `stats()`.
   */
  segments?: Segments;
  /** Seed of every random choice; default 42. */
  seed?: number;
  /** The runtime that holds the candidates and runs the kernels; default the shared one. */
  runtime?: Runtime;
}

/** A number, or one of a few other values. */
const numberOr = (...others: readonly unknown[]): OptionType =>
  optionType(`a number or ${others.map((other) => JSON.stringify(other)).join(' or ')}`, (value) =>
    typeof value === 'number' ? true : others.includes(value),
  );
const stringOrFalse = optionType('a name or false', (value) => typeof value === 'string' || value === false);
const booleanOrAuto = optionType('true, false or "auto"', (value) => typeof value === 'boolean' || value === 'auto');

const checkOptions = optionsCheck<ScannOptions<never>>('ScaNN', {
  ...TOP_K,
  distanceMeasure: STRING,
  dimensions: NUMBER,
  numLeaves: NUMBER,
  numLeavesToSearch: NUMBER,
  trainingIterations: NUMBER,
  trainingSampleSize: NUMBER,
  minLeafSize: NUMBER,
  initialization: STRING,
  spherical: BOOLEAN,
  dimensionsPerBlock: NUMBER,
  numReorderingCandidates: NUMBER,
  tunedK: NUMBER,
  targetRecall: NUMBER,
  reorder: stringOrFalse,
  anisotropic: numberOr('auto', false),
  avq: numberOr(false),
  soar: numberOr(false),
  correction: BOOLEAN,
  groupBound: numberOr('auto', false),
  upperTree: booleanOrAuto,
  rotation: STRING,
  tree: STRING,
  segments: objectWith('segmentsOf(bytes)', 'cut', 'search'),
  seed: NUMBER,
  runtime: RUNTIME,
});

/** TFRS's defaults: leaves, leaves searched, k-means iterations. */
const LEAVES = 100;
const LEAVES_TO_SEARCH = 10;
const ITERATIONS = 12;
/** ScaNN builder's defaults: rows to train on, least rows per leaf. */
const SAMPLE = 100_000;
const LEAF_SIZE_MIN = 50;
/** Candidates reordered by default: enough for a recall of .98 where the leaves searched hold the results. */
const REORDER_MIN = 100;
const REORDER_PER_RESULT = 4;
/** The best of the values from 1.5 to 4 that were measured, on both data sets. */
const AVQ = 2.5;

/**
 * Check options and fill in defaults.
 *
 * @throws {OptionError} when an option is unknown, out of range or contradicts another
 */
export function scannSettings<Q>(options: ScannOptions<Q>): ScannSettings {
  checkOptions(options);
  const k = checkInteger('k', options.k ?? 10, 1);
  const distanceMeasure = checkOneOf('distanceMeasure', options.distanceMeasure ?? 'dot_product', [
    'dot_product',
    'cosine',
    'squared_l2',
  ]);
  const reorder = options.reorder ?? 'auto';
  if (reorder !== false) checkOneOf('reorder', reorder, ['auto', 'float32', 'bfloat16', 'int8']);
  if (reorder === false && options.numReorderingCandidates !== undefined) {
    throw new OptionError('numReorderingCandidates: expected reorder not to be false, got both');
  }
  if (reorder === false && options.dimensions !== undefined) {
    throw new OptionError('dimensions: expected reorder not to be false, as it scores the other dimensions, got both');
  }
  const anisotropic = options.anisotropic ?? 'auto';
  if (typeof anisotropic === 'number') checkNumber('anisotropic', anisotropic, 1);
  const avq = options.avq ?? (distanceMeasure === 'squared_l2' ? false : AVQ);
  if (typeof avq === 'number') {
    checkNumber('avq', avq, 1);
    if (distanceMeasure === 'squared_l2') {
      throw new OptionError('avq: expected false with squared_l2, whose best centroids are means, got a number');
    }
  }
  const soar = options.soar ?? false;
  if (typeof soar === 'number') checkNumber('soar', soar, 0);
  const groupBound = options.groupBound ?? 'auto';
  if (typeof groupBound === 'number') checkNumber('groupBound', groupBound, 0);
  const rotation = checkOneOf('rotation', options.rotation ?? 'none', ['none', 'balanced-pca', 'auto']);
  if (rotation !== 'none' && !(rotation === 'auto' && MEASUREMENTS.rotation)) rotationNamed(rotation);
  return {
    k,
    distanceMeasure,
    ...(options.dimensions === undefined ? {} : { dimensions: checkInteger('dimensions', options.dimensions, 1) }),
    numLeaves: checkInteger('numLeaves', options.numLeaves ?? LEAVES, 1),
    numLeavesToSearch: checkInteger('numLeavesToSearch', options.numLeavesToSearch ?? LEAVES_TO_SEARCH, 1),
    trainingIterations: checkInteger('trainingIterations', options.trainingIterations ?? ITERATIONS, 1),
    trainingSampleSize: checkInteger('trainingSampleSize', options.trainingSampleSize ?? SAMPLE, 1),
    minLeafSize: checkInteger('minLeafSize', options.minLeafSize ?? LEAF_SIZE_MIN, 0),
    initialization: checkOneOf('initialization', options.initialization ?? 'random', ['random', 'k-means++']),
    spherical: options.spherical ?? false,
    dimensionsPerBlock: checkInteger('dimensionsPerBlock', options.dimensionsPerBlock ?? 2, 1, 16),
    numReorderingCandidates: checkInteger(
      'numReorderingCandidates',
      options.numReorderingCandidates ?? Math.max(REORDER_MIN, REORDER_PER_RESULT * k),
      1,
    ),
    ...(options.tunedK === undefined ? {} : { tunedK: checkInteger('tunedK', options.tunedK, 1) }),
    ...(options.targetRecall === undefined ? {} : { targetRecall: checkTargetRecall(options.targetRecall) }),
    reorder,
    anisotropic,
    avq,
    soar,
    correction: options.correction ?? true,
    groupBound,
    upperTree: options.upperTree ?? 'auto',
    rotation,
    tree: checkOneOf('tree', options.tree ?? 'auto', ['auto', 'always', 'never']),
    ...(options.segments && { segmentBytes: options.segments.segmentBytes }),
    seed: checkInteger('seed', options.seed ?? 42, 0),
  };
}

/** @throws {OptionError} when a recall is out of range, or the program does not have the code of its measurement */
function checkTargetRecall(recall: number): number {
  checkNumber('targetRecall', recall, 0, 1);
  if (MEASUREMENTS.recall) return recall;
  throw new OptionError(
    `targetRecall: expected recallTarget(${recall}) of shortlist, which brings its code, got ${recall} alone`,
  );
}
