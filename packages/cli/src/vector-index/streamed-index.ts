/**
 * Builds a bundle of a file of vectors without holding them (`buildBundle`), and tunes its index with a sample of the vectors.
 *
 * The bundle is built as `<out>.untuned`; the caller saves the tuned index as `<out>` and removes the other. A build that was
 * interrupted continues, and one that was interrupted while it was tuned is not repeated: the metadata of the untuned bundle
 * say from which files, with which settings, it was built.
 */
import { existsSync } from 'node:fs';
import { rmdir, stat } from 'node:fs/promises';
import { type Identifier, ScaNN, ShortlistError, StateError, tune } from 'shortlist';
import { recallOf } from 'shortlist/metrics';
import { buildBundle, fileRuns, loadBundle } from 'shortlist/node';
import type { Environment, Terminal } from '../terminal/terminal.ts';
import { type ExactInput, exactResults, type Rows } from './exact-results.ts';
import { type CountedZeros, countNamed, namedBatches } from './named-vectors.ts';
import { rateProgress } from './rate-progress.ts';
import { QUERIES, sizedOptions, type TunedIndex, type TunedIndexSettings } from './tuned-index.ts';

/** The share of the bound on memory that vectors may take after the build; where they take more, they stay in the file. */
const HELD_SHARE = 1 / 2;

/**
 * Candidates in a leaf, where there are many. Among 2 million vectors of 32 dimensions a query with a recall of .95 takes 26 µs
 * with 500 and 96 µs with 2,000 (docs/decisions/segments.md).
 */
const ROWS_PER_LEAF = 500;
/** The rows that train a leaf, and how often these are in memory: the sample, that of k-means, and as they are collected. */
const SAMPLE_PER_LEAF = 50;
const SAMPLE_COPIES = 4;

/** The input of a streamed build. */
export interface StreamedInput extends Omit<ExactInput, 'queries'> {
  /** The files of vectors and identifiers. */
  readonly sources: readonly string[];
  readonly memoryBytes: number;
  /** The bundle before it is tuned. */
  readonly untuned: string;
}

type Settings = Pick<TunedIndexSettings<never>, 'distanceMeasure' | 'targetRecall' | 'k' | 'seed'>;
type Index = ScaNN<ArrayLike<number>, string>;

/** The bundle before it is tuned, beside the one that is written at `out`. */
export function untunedPath(out: string): string {
  return `${out}.untuned`;
}

/** The files of an unfinished build, with which the same command continues. */
export function unfinishedFiles(out: string): string[] {
  const untuned = untunedPath(out);
  return [untuned, `${untuned}.partial`, `${untuned}.runs`].filter((made) => existsSync(made));
}

/**
 * Build and tune. The vectors of the index stay in the file where they take more than half of `memoryBytes`.
 *
 * @throws {DataError} when all rows are left out, or a number is not finite
 * @throws {MemoryError} when `memoryBytes` is too small, naming the least that would do
 * @throws {StateError} when a file changes between the passes, or another process builds the same bundle
 * @throws {FileError} when the system refuses, for example because the disk is full
 * @throws {AbortedError} when the signal is raised
 */
export async function streamedIndex(
  input: StreamedInput,
  settings: Settings,
  environment: Environment,
  terminal: Terminal,
): Promise<TunedIndex<ArrayLike<number>> & CountedZeros> {
  const { signal } = environment;
  const { file, identifiers, untuned, memoryBytes } = input;
  const { targetRecall, k } = settings;
  const rows = countNamed(file, identifiers);
  const queries = new SampledQueries(rows, file.dimensions);
  const onProgress = rateProgress(rows, environment, terminal);
  const description = await describe(input, settings);
  let index = await loadUntuned(input, rows, description);
  if (index) {
    terminal.note(`${untuned}: continues with the bundle that was built before`);
    await removeRuns(untuned);
  } else {
    const sized = sizedOptions({ rows, dimensions: file.dimensions }, settings);
    const numLeaves = streamedLeaves(rows, file.dimensions, memoryBytes, sized.numLeaves!);
    const contents = {
      index: new ScaNN<ArrayLike<number>, string>({ ...sized, numLeaves }),
      metadata: { description },
    };
    const dataset = () => sampledBatches(input, queries, signal);
    await buildBundle(untuned, contents, dataset, { memoryBytes, signal, onProgress });
    index = await loadUntuned(input, rows, description);
  }
  if (!queries.isWhole) for await (const _ of sampledBatches(input, queries, signal));
  const exact = { file, identifiers, queries: queries.vectors };
  const { truth, zeros } = await exactResults(exact, settings, signal, onProgress);
  if ((await describe(input, settings)) !== description) {
    throw new StateError(`${file.path}: expected a file that stays as it is during the build, got one that changed`);
  }
  const tuned = { queries: queries.vectors, truth, targetRecall, k, signal, onProgress };
  const { chosen, isTargetReached } = await tune(index!, tuned);
  terminal.clear();
  index!.setSearchSettings({
    numLeavesToSearch: chosen.leavesToSearch,
    numReorderingCandidates: Math.max(k, chosen.reorder),
    tunedK: k,
    groupBound: chosen.groupBound === 0 ? false : chosen.groupBound,
  });
  return { index: index!, recall: recallOf(index!.call(queries.vectors, k), truth), isTargetReached, zeros };
}

/** The number of leaves of 500 candidates each, or as many as can be trained within the bound on memory; at least `least`. */
export function streamedLeaves(rows: number, dimensions: number, memoryBytes: number, least: number): number {
  const most = memoryBytes / (4 * dimensions * SAMPLE_PER_LEAF * SAMPLE_COPIES);
  return Math.max(least, Math.floor(Math.min(rows / ROWS_PER_LEAF, most)));
}

/** The settings of a build, and the files that it reads with their sizes and times. */
async function describe({ sources, file }: StreamedInput, settings: Settings): Promise<string> {
  const files = await Promise.all(
    sources.map(async (path) => {
      const { size, mtimeMs } = await stat(path);
      return { path, size, mtimeMs };
    }),
  );
  return JSON.stringify({ files, rows: file.rows, dimensions: file.dimensions, settings });
}

/** The untuned bundle of this build, if it is there. */
async function loadUntuned(
  { untuned, memoryBytes, file }: StreamedInput,
  rows: number,
  description: string,
): Promise<Index | undefined> {
  if (!(await stat(untuned).catch(() => undefined))) return undefined;
  const isHeld = 4 * rows * file.dimensions <= HELD_SHARE * memoryBytes;
  try {
    const { index, metadata } = await loadBundle<ArrayLike<number>, Identifier>(untuned, {
      rows: isHeld ? 'memory' : 'file',
    });
    if (index instanceof ScaNN && metadata.description === description) return index as Index;
    (index as Partial<Index>).free?.();
  } catch (error) {
    // What is there is no bundle of this build, whatever it is.
    if (!(error instanceof ShortlistError)) throw error;
  }
  return undefined;
}

/** Remove the runs of a bundle that is complete: a build that is killed at its very end leaves them. */
async function removeRuns(untuned: string): Promise<void> {
  const folder = `${untuned}.runs`;
  if (!(await stat(folder).catch(() => undefined))) return;
  const runs = fileRuns(folder);
  const release = await runs.lock();
  await runs.clear();
  await release();
  // Other files there are not ours.
  await rmdir(folder).catch(() => undefined);
}

/** The rows that are not left out, of which the queries are taken as they pass by. */
async function* sampledBatches(
  { file, identifiers }: StreamedInput,
  queries: SampledQueries,
  signal: AbortSignal,
): AsyncGenerator<readonly [string[], Rows]> {
  let first = 0;
  for await (const { data, names } of namedBatches(file, identifiers, signal)) {
    queries.take(first, data);
    first += names.length;
    yield [names, { data, dimensions: file.dimensions }];
  }
}

/** Rows at equal distances, taken from the batches that pass by. */
class SampledQueries {
  readonly vectors: Rows;
  readonly #rows: number;
  readonly #count: number;
  #taken = 0;

  constructor(rows: number, dimensions: number) {
    this.#rows = rows;
    this.#count = Math.min(QUERIES, rows);
    this.vectors = { data: new Float32Array(this.#count * dimensions), dimensions };
  }

  /** True after a whole pass. */
  get isWhole(): boolean {
    return this.#taken === this.#count;
  }

  /** Take those of a batch that begins with row `first`. */
  take(first: number, batch: Float32Array): void {
    const { data, dimensions: d } = this.vectors;
    const end = first + batch.length / d;
    for (let i = Math.floor((first * this.#count) / this.#rows); i < this.#count; i++) {
      const row = Math.floor((i * this.#rows) / this.#count);
      if (row >= end) break;
      if (row < first) continue;
      data.set(batch.subarray((row - first) * d, (row - first + 1) * d), i * d);
      this.#taken = i + 1;
    }
  }
}
