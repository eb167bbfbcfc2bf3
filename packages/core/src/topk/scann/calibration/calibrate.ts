/**
 * Calibrates a built index: chooses its search settings for a target recall, which is measured on the index itself.
 *
 * Some of its candidates are the queries of an exact search and of searches with different settings. The row of the
 * query itself is removed from the results, because every search finds it. First the calibration finds the fewest
 * leaves whose recall is high enough, then the fewest reordered candidates that keep the target recall. It counts
 * results and does not measure times, so the same seed gives the same settings for any number of threads. Limit:
 * queries that are not distributed like the candidates have another recall; `tune` measures with given queries.
 */
import { checkNumber } from '../../../checks/numbers.ts';
import type { Progress } from '../../../clustering/k-means.ts';
import type { Identifier } from '../../contract.ts';
import { prepareCall, runCall } from '../search/call.ts';
import { ScannSearch } from '../search/search.ts';
import type { ScannSettings } from '../settings.ts';
import type { LiveIndex } from '../update/live-index.ts';
import type { Calibration } from './calibration.ts';
import { leastInteger } from './least-integer.ts';
import { MEASUREMENTS } from './measurements.ts';
import { sampleCandidates, vectorsOf } from './sampled-candidates.ts';

/** The most candidates used as queries: the standard error of recall@10 is then about .006. */
const QUERIES_MAX = 200;
/** The fewest queries, if the index has enough candidates: fewer measure the recall too roughly. */
const QUERIES_MIN = 50;
/** The exact searches cost at most this share of the multiplications of the build. */
const TRUTH_SHARE = 0.06;
/** The share of the allowed loss, 1 − target recall, that may come from the leaves; the rest may come from reordering. */
const LEAVES_SHARE = 0.7;
/** Candidates reordered per result while the leaves are chosen, and the most that the calibration chooses. */
const REORDER_PER_RESULT = 32;
const REORDER_MAX_PER_RESULT = 64;
/** Neighbouring settings that differ by less than this factor cost about the same. */
const STEP = 1.07;

/**
 * Calibrate an index with leaves to `targetRecall`; where the group bound prevents that recall, the bound is switched
 * off.
 */
function* calibrate<I extends Identifier>(
  live: LiveIndex<I>,
  settings: ScannSettings,
  targetRecall: number,
): Generator<Progress, Calibration> {
  const { shape } = live.leaves;
  const search = new ScannSearch(live.leaves.runtime);
  try {
    const k = Math.min(settings.tunedK ?? settings.k, live.size - 1);
    const sample = measuredSample(live, settings, search, k);
    yield { step: 'measure', done: 1, total: 3 };
    const reorder = REORDER_PER_RESULT * k;
    const ofLeaves = 1 - LEAVES_SHARE * (1 - targetRecall);
    const leastLeaves = (): number =>
      leastInteger(
        { from: settings.numLeavesToSearch, min: 1, max: shape.leaves, target: ofLeaves, step: STEP },
        (leaves) => sample.recall({ leavesToSearch: leaves, reorder }),
      );
    let numLeavesToSearch = leastLeaves();
    const everything = { leavesToSearch: shape.leaves, reorder };
    if (numLeavesToSearch === shape.leaves && shape.hasBounds && sample.recall(everything) < targetRecall) {
      // With uneven directions, group bounds can skip so many results that no other setting reaches the target.
      shape.groupBound = 0;
      numLeavesToSearch = leastLeaves();
    }
    yield { step: 'measure', done: 2, total: 3 };
    const range = { min: k, max: REORDER_MAX_PER_RESULT * k, target: targetRecall, step: STEP };
    const numReorderingCandidates = leastInteger({ ...range, from: settings.numReorderingCandidates }, (reorder) =>
      sample.recall({ leavesToSearch: numLeavesToSearch, reorder }),
    );
    const recall = sample.recall({ leavesToSearch: numLeavesToSearch, reorder: numReorderingCandidates });
    yield { step: 'measure', done: 3, total: 3 };
    return { recall, targetRecall, k, queries: sample.queries, numLeavesToSearch, numReorderingCandidates };
  } finally {
    search.free();
  }
}

/** The queries of a calibration; `recall` measures settings with them. */
interface MeasuredSample {
  queries: number;
  recall: (effort: { leavesToSearch: number; reorder: number }) => number;
}

function measuredSample<I extends Identifier>(
  live: LiveIndex<I>,
  settings: ScannSettings,
  search: ScannSearch,
  k: number,
): MeasuredSample {
  const asked = sampleCandidates(live, askedCount(live, settings), settings.seed);
  const all = vectorsOf(live.leaves, asked);
  // One more than k, because the row of the query itself is found.
  const call = (effort: { leavesToSearch?: number; reorder?: number; exact?: boolean }): Int32Array[] => {
    const found = runCall(prepareCall({ settings, k }, live, search, all, { k: k + 1, ...effort }), search);
    const others = (query: number): Int32Array => found.rowsOf(query).filter((row) => row !== asked[query]!.row);
    return Array.from(asked, (_, query) => others(query).subarray(0, k));
  };
  const truth = call({ exact: true }).map((rows) => new Set(rows));
  const known = new Map<string, number>();
  const recall = (effort: { leavesToSearch: number; reorder: number }): number => {
    const key = `${effort.leavesToSearch} ${effort.reorder} ${live.leaves.shape.groupBound}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    let shared = 0;
    call(effort).forEach((rows, query) => {
      for (const row of rows) shared += Number(truth[query]!.has(row));
    });
    known.set(key, shared / (asked.length * k));
    return shared / (asked.length * k);
  };
  return { queries: asked.length, recall };
}

/** The number of queries. There are fewer where the exact searches would cost more than `TRUTH_SHARE` of the build. */
function askedCount({ leaves, size }: LiveIndex<Identifier>, settings: ScannSettings): number {
  const trained = Math.min(size, settings.trainingSampleSize) * settings.trainingIterations;
  const affordable = Math.floor((TRUTH_SHARE * (trained + size) * leaves.shape.leaves) / size);
  return Math.min(QUERIES_MAX, Math.floor(size / 2), Math.max(QUERIES_MIN, affordable));
}

/** The note of `stats()`. */
function noteOf(measured: Calibration): string {
  const { recall, targetRecall, k, queries, numLeavesToSearch, numReorderingCandidates } = measured;
  return (
    `recall@${k} ${recall.toFixed(3)} was measured with ${queries} of the candidates as queries, the target is ${targetRecall}: ` +
    `${numLeavesToSearch} leaves are searched and ${numReorderingCandidates} candidates reordered`
  );
}

MEASUREMENTS.recall = { calibrate, noteOf };

/**
 * A recall as the option `targetRecall` of an index: `new ScaNN({ targetRecall: recallTarget(0.95) })`. In Node the number
 * alone is enough; a bundler adds the code of the measurement only to a program that uses `recallTarget`, `autopilot` or
 * bundles.
 *
 * @param recall between 0 and 1
 * @returns `recall`
 * @throws {OptionError} when it is not between 0 and 1
 */
export function recallTarget(recall: number): number {
  return checkNumber('targetRecall', recall, 0, 1);
}
