/**
 * Builds an index from a data set that is read twice, so that the candidates are never all in memory as float32:
 * the candidates are written to runs (partition-dataset.ts), and the segments are built one after another
 * (build-segment.ts). If the sample holds all candidates, the result is the same as that of `index`.
 */
import { throwIfAborted } from '../../../checks/abort.ts';
import { Runtime } from '../../../parallel/runtime.ts';
import type { CandidateDataset, Identifier } from '../../contract.ts';
import type { Leaves } from '../leaves.ts';
import { SegmentedLeaves } from '../segments/segmented-leaves.ts';
import type { ScannSettings } from '../settings.ts';
import { LiveIndex } from '../update/live-index.ts';
import { buildSegment } from './build-segment.ts';
import { type PartitionedBuild, partitionDataset, type StreamedBuild } from './partition-dataset.ts';
import { SEGMENTED_CODE } from './segmented-code.ts';

/** Build an index. @throws as `ScaNN.indexStreamed` */
export async function buildStreamed<I extends Identifier>(
  dataset: CandidateDataset<I>,
  settings: ScannSettings,
  options: StreamedBuild,
  runtime: Runtime,
): Promise<LiveIndex<I>> {
  const read = await partitionDataset(dataset, settings, options, runtime);
  if ('whole' in read) return read.whole;
  const { head, firstLeaves, rows, identifiers } = read.partitioned;
  const segments = await buildSegments(read.partitioned, options);
  const set = new SegmentedLeaves(head, segments, firstLeaves);
  const live = new LiveIndex(set, identifiers, rows, settings.distanceMeasure === 'cosine', SEGMENTED_CODE);
  await options.runs.clear();
  return live;
}

/** Build each segment in a memory of its own. After an error all memory is freed, that of the head too. */
async function buildSegments<I extends Identifier>(
  { head, sizes, shapes, magnitudes }: PartitionedBuild<I>,
  { runs, signal, onProgress = () => undefined }: StreamedBuild,
): Promise<Leaves[]> {
  const made: Leaves[] = [];
  try {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    let done = 0;
    for (const [s, shape] of shapes.entries()) {
      throwIfAborted('indexStreamed', signal);
      const runtime = new Runtime({}, head.runtime);
      try {
        made.push(await buildSegment({ head, segment: s, shape, magnitudes, runs, runtime }));
      } catch (error) {
        runtime.pool.leave();
        throw error;
      }
      done += sizes[s]!;
      onProgress({ step: 'segments', done, total });
    }
    return made;
  } catch (error) {
    head.free();
    for (const leaves of made) {
      leaves.free();
      leaves.runtime.pool.leave();
    }
    throw error;
  }
}
