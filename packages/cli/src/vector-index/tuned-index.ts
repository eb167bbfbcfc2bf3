/**
 * Builds a ScaNN index whose default settings reach a recall. It is built with the settings of `autopilot`, tuned with queries
 * (by default a sample of its own vectors), and built again with the chosen settings as its defaults.
 */
import {
  balancedPca,
  type DistanceMeasure,
  type Queries,
  type QueryModel,
  ScaNN,
  type ScannOptions,
  tune,
  type VectorsLike,
} from 'shortlist';
import { recallOf } from 'shortlist/metrics';
import { autopilot } from 'shortlist/tuning';
import type { Environment, Terminal } from '../terminal/terminal.ts';
import type { NamedVectors } from './named-vectors.ts';

/** The size of the sample of queries. `tune` chooses settings on one half of it and checks them on the other half. */
export const QUERIES = 500;

/** Settings of the index. */
export interface TunedIndexSettings<Q> {
  /** The query model, which turns raw features into vectors. */
  readonly queryModel?: QueryModel<Q> | undefined;
  /** Typical queries; default: 500 of the vectors. */
  readonly queries?: Queries<Q> | VectorsLike | undefined;
  readonly distanceMeasure: DistanceMeasure;
  readonly targetRecall: number;
  readonly k: number;
  readonly seed: number;
}

/** The index, and the recall of its default settings for the queries. */
export interface TunedIndex<Q> {
  readonly index: ScaNN<Q, string>;
  readonly recall: number;
  readonly isTargetReached: boolean;
}

/** Build and tune. @throws {AbortedError} when the signal is raised */
export async function tunedIndex<Q = ArrayLike<number>>(
  vectors: NamedVectors,
  { queryModel, queries = sampleOf(vectors), distanceMeasure, targetRecall, k, seed }: TunedIndexSettings<Q>,
  { signal }: Environment,
  terminal: Terminal,
): Promise<TunedIndex<Q>> {
  const { rows, dimensions, data, identifiers } = vectors;
  const candidates = { data, dimensions };
  const onProgress = ({ step, done, total }: { step: string; done: number; total: number }): void =>
    terminal.progress(done / total, step);
  const options = { ...sizedOptions({ rows, dimensions }, { distanceMeasure, k, seed }), queryModel };
  const first = new ScaNN<Q, string>(options);
  await first.indexAsync(candidates, identifiers, { signal, onProgress });
  const { chosen, isTargetReached } = await tune(first, { queries, targetRecall, k, signal, onProgress });
  // The tuned numbers belong to the codes of this build, so the second one does not choose a rotation again.
  const { codeErrors, isRotated, dimensionsPerBlock } = first.stats();
  terminal.clear();
  first.free();
  const index = new ScaNN<Q, string>({
    ...options,
    ...(codeErrors && { rotation: isRotated ? balancedPca.name : 'none', dimensionsPerBlock }),
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

/** The size of a set of vectors. */
type Sizes = Pick<NamedVectors, 'rows' | 'dimensions'>;
type BuildSettings = Pick<TunedIndexSettings<never>, 'distanceMeasure' | 'k' | 'seed'>;

/** Check that an index of this size fits into memory, before the vectors are read. @throws {MemoryError} */
export function checkIndexMemory(sizes: Sizes, settings: BuildSettings): void {
  new ScaNN(sizedOptions(sizes, settings)).checkMemory(sizes.rows, sizes.dimensions);
}

/** The options of an index of this size. */
export function sizedOptions(
  { rows, dimensions }: Sizes,
  { distanceMeasure, k, seed }: BuildSettings,
): ScannOptions<never> {
  // The build does not measure its recall, because `tune` measures it with more queries.
  const { targetRecall: _, ...sized } = autopilot(rows, dimensions, k);
  return { ...sized, distanceMeasure, k, seed };
}

/** A sample of rows at equal distances. */
function sampleOf({ rows, dimensions, data }: NamedVectors): { data: Float32Array; dimensions: number } {
  const sampled = Math.min(QUERIES, rows);
  const queries = new Float32Array(sampled * dimensions);
  for (let i = 0; i < sampled; i++) {
    const row = Math.floor((i * rows) / sampled);
    queries.set(data.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
  }
  return { data: queries, dimensions };
}
