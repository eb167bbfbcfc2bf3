/**
 * A ScaNN index whose defaults reach a recall: built with the settings of `autopilot`, tuned on vectors of its own as queries,
 * and built again with what was chosen as its defaults, so that every caller of the bundle gets it.
 */
import { type DistanceMeasure, ScaNN, tune } from 'shortlist';
import { recallOf } from 'shortlist/metrics';
import { autopilot } from 'shortlist/tuning';
import type { Environment, Terminal } from '../terminal/terminal.ts';
import type { NamedVectors } from './named-vectors.ts';

/** Vectors that are taken as queries: `tune` chooses on one half of them and checks on the other. */
const QUERIES = 500;

/** What is asked of an index. */
export interface TunedIndexSettings {
  readonly distanceMeasure: DistanceMeasure;
  readonly targetRecall: number;
  readonly k: number;
  readonly seed: number;
}

/** The index, and the recall of its defaults on the queries. */
export interface TunedIndex {
  readonly index: ScaNN<ArrayLike<number>, string>;
  readonly recall: number;
  readonly isTargetReached: boolean;
}

/** Build and tune. @throws {AbortedError} when the signal is raised */
export async function tunedIndex(
  vectors: NamedVectors,
  { distanceMeasure, targetRecall, k, seed }: TunedIndexSettings,
  { signal }: Environment,
  terminal: Terminal,
): Promise<TunedIndex> {
  const { rows, dimensions, data, identifiers } = vectors;
  const candidates = { data, dimensions };
  const onProgress = ({ step, done, total }: { step: string; done: number; total: number }): void =>
    terminal.progress(done / total, step);
  const options = { ...autopilot(rows, dimensions, k), distanceMeasure, k, seed };
  const first = new ScaNN<ArrayLike<number>, string>(options);
  await first.indexAsync(candidates, identifiers, { signal, onProgress });
  const queries = sampleOf(vectors);
  const { chosen, isTargetReached } = await tune(first, { queries, targetRecall, k, signal, onProgress });
  terminal.clear();
  first.free();
  const index = new ScaNN<ArrayLike<number>, string>({
    ...options,
    numLeavesToSearch: chosen.leavesToSearch,
    numReorderingCandidates: Math.max(k, chosen.reorder),
    tunedK: k,
    groupBound: chosen.groupBound === 0 ? false : chosen.groupBound,
  });
  await index.indexAsync(candidates, identifiers, { signal, onProgress });
  terminal.clear();
  const found = index.call(queries, k);
  const recall = recallOf(found, index.callExactly(queries, k));
  return { index, recall, isTargetReached };
}

/** Every so many rows. */
function sampleOf({ rows, dimensions, data }: NamedVectors): { data: Float32Array; dimensions: number } {
  const sampled = Math.min(QUERIES, rows);
  const queries = new Float32Array(sampled * dimensions);
  for (let i = 0; i < sampled; i++) {
    const row = Math.floor((i * rows) / sampled);
    queries.set(data.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
  }
  return { data: queries, dimensions };
}
