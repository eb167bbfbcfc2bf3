/**
 * Settings of a ScaNN index from the number and the width of its candidates alone. The leaves searched and the candidates
 * reordered are a first guess, which the build corrects to `targetRecall` on some of the candidates.
 */
import { checkInteger } from '../checks/numbers.ts';
import { balancedPca } from '../quantization/pca.ts';
import { recallTarget } from '../topk/scann/calibration/calibrate.ts';
import { measuredRotation } from '../topk/scann/calibration/rotation-choice.ts';
import type { ScannOptions } from '../topk/scann/options.ts';
import { MEASURED_FROM } from '../topk/scann/settings.ts';

/** The settings that `autopilot` chooses. */
export type AutopilotSettings = Required<
  Pick<
    ScannOptions<never>,
    | 'numLeaves'
    | 'numLeavesToSearch'
    | 'numReorderingCandidates'
    | 'dimensionsPerBlock'
    | 'rotation'
    | 'trainingSampleSize'
    | 'targetRecall'
    | 'tunedK'
  >
>;

/** Leaves a square root of candidates: the cheapest of 1 to 4 at recall .9 to .99 on three kinds of data. */
const LEAVES_PER_ROOT = 1.5;
/** The recall that the build corrects its settings to. */
const TARGET_RECALL = 0.95;
/** Leaves searched at first: 30 of 2,000, and in proportion to the root elsewhere. */
const SEARCHED_AT_2000 = 30;
/** Rows per leaf that train its centroid: half of ScaNN's own rule of 200, whose second half moves little. */
const SAMPLE_PER_LEAF = 100;
const SAMPLE_MIN = 50_000;
/** Two dimensions per block while codes fit the cache of a core; three, of balanced blocks, from this width on. */
const WIDE = 128;
/** Rotating a query costs .05 ns times the square of the width: .8 µs at 128, 5 at 300, more than it saves. */
const ROTATED_MAX = 256;
const BLOCK_MAX = 16;
/** Sums of tables are int16: 63 per block. */
const BLOCKS_MAX = 500;

/**
 * Settings for `rows` candidates of `dimensions`: about .95 recall@k, which the build measures on the candidates themselves.
 * `tune` takes queries of another kind.
 *
 * @throws {OptionError} when a number is not a positive integer
 */
export function autopilot(rows: number, dimensions: number, k = 10): AutopilotSettings {
  checkInteger('rows', rows, 1);
  checkInteger('dimensions', dimensions, 1);
  checkInteger('k', k, 1);
  const numLeaves = Math.max(1, Math.round(LEAVES_PER_ROOT * Math.sqrt(rows)));
  return {
    numLeaves,
    numLeavesToSearch: Math.min(numLeaves, Math.max(4, Math.round(SEARCHED_AT_2000 * Math.sqrt(numLeaves / 2000)))),
    numReorderingCandidates: Math.max(100, Math.round(30 * Math.sqrt(k))),
    dimensionsPerBlock: Math.min(BLOCK_MAX, Math.max(dimensions >= WIDE ? 3 : 2, Math.ceil(dimensions / BLOCKS_MAX))),
    rotation: rotationFor(dimensions),
    trainingSampleSize: Math.min(rows, Math.max(SAMPLE_MIN, SAMPLE_PER_LEAF * numLeaves)),
    targetRecall: recallTarget(TARGET_RECALL),
    tunedK: k,
  };
}

function rotationFor(dimensions: number): AutopilotSettings['rotation'] {
  if (dimensions >= MEASURED_FROM) return measuredRotation.name;
  return dimensions >= WIDE && dimensions <= ROTATED_MAX ? balancedPca.name : 'none';
}
