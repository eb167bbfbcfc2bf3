/**
 * Builds a ScaNN index from a data set that is read twice and writes it to a bundle segment by segment, so that neither the
 * candidates nor the finished index are in memory as a whole (docs/decisions/segments.md).
 *
 * The runs are in the folder `<path>.runs`, the unfinished bundle is `<path>.partial`. After each segment the checksums of
 * its sections are kept beside the runs, so that a build which was killed continues with the next segment.
 */
import { rmdir } from 'node:fs/promises';
import { checkArgument, PATH } from '../checks/arguments.ts';
import { FUNCTION, NUMBER, optionsCheck } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import { PlacedContainer } from '../format/placed-container.ts';
import { containerSections, type Saved } from '../format/saved.ts';
import { writeContainer } from '../format/writer.ts';
import { Runtime } from '../parallel/runtime.ts';
import { LONG_CHANGE } from '../topk/call-options.ts';
import type { CandidateSequence, Identifier } from '../topk/contract.ts';
import { savedLive } from '../topk/scann/saved.ts';
import { ScaNN } from '../topk/scann/scann.ts';
import { segmentPartName } from '../topk/scann/segments/saved-segments.ts';
import {
  type PartitionedBuild,
  partitionDataset,
  type StreamedBuild,
} from '../topk/scann/streamed/partition-dataset.ts';
import type { RunStore } from '../topk/scann/streamed/run-store.ts';
import { savedPartitioned, writeSegments } from '../topk/scann/streamed/write-segments.ts';
import { type BundleContents, savedBundle } from './bundle.ts';
import { replaceFile } from './file.ts';
import { fileRuns } from './file-runs.ts';
import { PartialFile, removePartial, targetOf } from './partial-file.ts';

/** The options of `buildBundle`. */
export type BundleBuild = Omit<StreamedBuild, 'runs'>;

/** The run with the finished segments, as JSON. */
const FINISHED = 'finished';

/** The segments in the partial file: for each, the checksums of its sections by name, as decimal numbers. */
interface Finished {
  build: string;
  segments: (Record<string, string> | null)[];
}

const checkOptions = optionsCheck<BundleBuild>('buildBundle', { ...LONG_CHANGE, memoryBytes: NUMBER });

/**
 * Build an index with the settings of `contents.index` from a data set that is read twice, and save it as a bundle at `path`.
 * The file has the bytes that `indexStreamed` and `saveBundle` would write, but the finished segments are written while the
 * build goes on: memory holds one segment at a time, the identifiers, and at the end what else the bundle has. The index of
 * `contents` itself does not change and may have no candidates; `loadBundle` reads the one that was built.
 *
 * Runs are kept in the folder `<path>.runs`, and the unfinished bundle in `<path>.partial`. A build that was killed, or
 * stopped by its signal or by an error such as a full disk, continues there when it is started again, and ends in the same
 * bytes; both are removed at the end. Until then an older file at `path` stays as it was.
 *
 * @param dataset called once for each pass; its candidates are the same each time
 * @throws {OptionError} when the index is not a ScaNN index, or asks a query model that is not the bundle's query tower;
 * when an option is unknown or out of range
 * @throws {StateError} while another process builds a bundle at this path; when the second pass reads other candidates
 * than the first, and then runs and partial file are removed
 * @throws {FileError} when the system refuses, for example because the disk is full
 * @throws {MemoryError} when `memoryBytes` is too small for the sample, naming the least that would do
 * @throws {ShapeError} when rows differ in width, or there are none
 * @throws {NotFiniteError} naming row and column of a NaN or an infinity
 * @throws {AbortedError} when the signal is raised
 */
export async function buildBundle<Q, I extends Identifier>(
  path: string,
  contents: BundleContents<Q, I>,
  dataset: () => CandidateSequence<I> | Promise<CandidateSequence<I>>,
  options: BundleBuild = {},
): Promise<void> {
  checkArgument('path', path, PATH);
  checkArgument('dataset', dataset, FUNCTION);
  const checked = checkOptions(options);
  const folder = `${targetOf(path)}.runs`;
  try {
    await buildInFolder(path, contents, dataset, checked, fileRuns(folder));
  } finally {
    // The folder may be that of an earlier build, which this one continued. It stays while there is something in it.
    await rmdir(folder).catch(() => undefined);
  }
}

/** `buildBundle` with another store of runs, which a test can make fail. */
export async function buildInFolder<Q, I extends Identifier>(
  path: string,
  contents: BundleContents<Q, I>,
  dataset: () => CandidateSequence<I> | Promise<CandidateSequence<I>>,
  options: BundleBuild,
  runs: RunStore,
): Promise<void> {
  // Contents that cannot be saved are refused before the work.
  containerSections(
    savedBundle(contents, { saved: { kind: 'scann', settings: {}, sections: [] }, identifiers: undefined }),
  );
  const { index } = contents;
  if (!(index instanceof ScaNN)) throw new OptionError('index: expected a ScaNN index, got another one');
  const release = await runs.lock();
  try {
    const { settings, runtime } = index;
    const read = await partitionDataset(async () => dataset(), settings, { ...options, runs }, runtime);
    if ('whole' in read) {
      const { whole } = read;
      try {
        const saved = savedBundle(contents, { saved: savedLive(settings, whole), identifiers: whole.identifiers });
        await replaceFile(path, (sink) => writeContainer(containerSections(saved), sink, runtime));
      } finally {
        whole.free();
      }
    } else {
      try {
        const { partitioned } = read;
        const { identifiers } = partitioned;
        const saved = savedBundle(contents, { saved: savedPartitioned(settings, partitioned), identifiers });
        await writePartitioned(path, saved, partitioned, { ...options, runs }, runtime);
      } finally {
        read.partitioned.head.free();
      }
    }
    await runs.clear();
  } catch (error) {
    // Without a manifest nothing can continue.
    if ((await runs.sizeOf('manifest').catch(() => 1)) === 0) await removePartial(path);
    throw error;
  } finally {
    await release();
  }
}

async function writePartitioned<I extends Identifier>(
  path: string,
  saved: Saved,
  partitioned: PartitionedBuild<I>,
  options: StreamedBuild,
  main: Runtime,
): Promise<void> {
  const { runs } = options;
  const runtime = new Runtime({}, main);
  const sections = containerSections(saved);
  let file: PartialFile | undefined;
  try {
    const container = new PlacedContainer(sections, { writeAt: (...given) => file!.writeAt(...given) }, runtime);
    const opened = await PartialFile.open(path, container.sizeBytes);
    file = opened;
    const finished = await readFinished(runs, partitioned, opened.isContinued);
    for (const [segment, checksums] of finished.segments.entries()) {
      if (!checksums) continue;
      const accepted = Object.entries(checksums).map(([name, digits]) => [sectionName(segment, name), BigInt(digits)]);
      container.accept(Object.fromEntries(accepted));
    }
    const write = async (segment: number, parts: Record<string, Uint8Array>): Promise<void> => {
      const checksums: Record<string, string> = {};
      for (const [name, bytes] of Object.entries(parts)) {
        checksums[name] = String(await container.write(sectionName(segment, name), bytes));
      }
      await opened.flush();
      finished.segments[segment] = checksums;
      await runs.replace(FINISHED, new TextEncoder().encode(JSON.stringify(finished)));
    };
    await writeSegments(partitioned, options, (segment) => Boolean(finished.segments[segment]), write, runtime);
    await container.finish();
    await opened.complete();
  } finally {
    await file?.close();
    runtime.pool.leave();
  }
}

/** The finished segments of this build, where the partial file has them. */
async function readFinished<I extends Identifier>(
  runs: RunStore,
  { build, shapes }: PartitionedBuild<I>,
  isContinued: boolean,
): Promise<Finished> {
  const none: Finished = { build, segments: shapes.map(() => null) };
  const size = await runs.sizeOf(FINISHED);
  if (!isContinued || size === 0) return none;
  const bytes = new Uint8Array(size);
  await runs.read(FINISHED, 0, bytes);
  const found = JSON.parse(new TextDecoder().decode(bytes)) as Finished;
  return found.build === build ? found : none;
}

function sectionName(segment: number, part: string): string {
  return `index/${segmentPartName(segment)}/${part}`;
}
