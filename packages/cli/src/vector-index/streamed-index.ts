/**
 * Builds an index of a file of vectors without holding them as float32 (`indexStreamed`), and tunes it with a sample of its
 * vectors. The finished part of the build is kept in a folder beside the bundle, so that a build that was interrupted
 * continues.
 */
import type { VectorFile } from '@shortlist/data';
import { indexStreamed, ScaNN, tune } from 'shortlist';
import { recallOf } from 'shortlist/metrics';
import { fileRuns } from 'shortlist/node';
import type { Progress } from 'shortlist/quantization';
import { count, duration } from '../terminal/format-numbers.ts';
import type { Environment, Terminal } from '../terminal/terminal.ts';
import { countNamed, namedBatches } from './named-vectors.ts';
import { QUERIES, sizedOptions, type TunedIndex, type TunedIndexSettings } from './tuned-index.ts';

/** The input of a streamed build, and the memory and the folder that it uses. */
export interface StreamedInput {
  readonly file: VectorFile;
  /** One per row of the file, '' for rows to leave out; undefined for row numbers. */
  readonly identifiers: readonly string[] | undefined;
  readonly memoryBytes: number;
  readonly runsFolder: string;
}

/**
 * Build and tune.
 *
 * @throws {DataError} when all rows are left out, or a number is not finite
 * @throws {MemoryError} when `memoryBytes` is too small, naming the least that would do
 * @throws {AbortedError} when the signal is raised
 */
export async function streamedIndex(
  { file, identifiers, memoryBytes, runsFolder }: StreamedInput,
  settings: Pick<TunedIndexSettings<never>, 'distanceMeasure' | 'targetRecall' | 'k' | 'seed'>,
  environment: Environment,
  terminal: Terminal,
): Promise<TunedIndex<ArrayLike<number>>> {
  const { signal } = environment;
  const { targetRecall, k } = settings;
  const rows = countNamed(file, identifiers);
  const { dimensions } = file;
  const { soar: _, ...options } = sizedOptions({ rows, dimensions }, settings);
  const index = new ScaNN<ArrayLike<number>, string>({ ...options });
  const queries = new SampledQueries(rows, dimensions);
  const passes = async function* (): AsyncGenerator<readonly [string[], { data: Float32Array; dimensions: number }]> {
    let first = 0;
    for await (const { data, names } of namedBatches(file, identifiers, signal)) {
      queries.take(first, data);
      first += names.length;
      yield [names, { data, dimensions }];
    }
  };
  await indexStreamed(index, passes, {
    runs: fileRuns(runsFolder),
    memoryBytes,
    signal,
    onProgress: progressOf(rows, environment, terminal),
  });
  terminal.clear();
  const onProgress = ({ step, done, total }: Progress): void => terminal.progress(done / total, step);
  const { chosen, isTargetReached } = await tune(index, {
    queries: queries.vectors,
    targetRecall,
    k,
    signal,
    onProgress,
  });
  terminal.clear();
  index.setSearchSettings({
    numLeavesToSearch: chosen.leavesToSearch,
    numReorderingCandidates: Math.max(k, chosen.reorder),
    tunedK: k,
    groupBound: chosen.groupBound === 0 ? false : chosen.groupBound,
  });
  const recall = recallOf(index.call(queries.vectors, k), index.callExactly(queries.vectors, k));
  return { index, recall, isTargetReached };
}

/** Rows at equal distances, taken from the batches that pass by. */
class SampledQueries {
  readonly vectors: { data: Float32Array; dimensions: number };
  readonly #rows: number;
  readonly #count: number;

  constructor(rows: number, dimensions: number) {
    this.#rows = rows;
    this.#count = Math.min(QUERIES, rows);
    this.vectors = { data: new Float32Array(this.#count * dimensions), dimensions };
  }

  /** Take those of a batch that begins with row `first`. */
  take(first: number, batch: Float32Array): void {
    const { data, dimensions: d } = this.vectors;
    const end = first + batch.length / d;
    for (let i = Math.floor((first * this.#count) / this.#rows); i < this.#count; i++) {
      const row = Math.floor((i * this.#rows) / this.#count);
      if (row >= end) break;
      if (row >= first) data.set(batch.subarray((row - first) * d, (row - first + 1) * d), i * d);
    }
  }
}

/** Shows the steps of a build, those that read the vectors with rows a second and the time that is left. */
function progressOf(rows: number, { now }: Environment, terminal: Terminal): (progress: Progress) => void {
  let current = '';
  let startedAt = 0;
  let startedWith = 0;
  return ({ step, done, total }) => {
    if (step !== current) {
      current = step;
      startedAt = now();
      startedWith = done;
    }
    const isReading = step === 'sample' || step === 'partition';
    // The first pass does not know how many candidates there are.
    const all = isReading ? rows : total;
    const perSecond = (1_000 * (done - startedWith)) / (now() - startedAt);
    const isKnown = isReading && Number.isFinite(perSecond) && perSecond > 0;
    const left = isKnown ? `, ${count(perSecond)} rows/s, ${duration((1_000 * (all - done)) / perSecond)} left` : '';
    terminal.progress(done / all, `${step}${left}`);
  };
}
