/** Builds one segment of an index from its run in a memory of its own. */
import { Matrix } from '../../../vectors/matrix.ts';
import type { Leaves } from '../leaves.ts';
import { packSegment, type SegmentPacking, type SegmentRecords } from './pack-segment.ts';
import { recordBytesOf, recordHeadOf, runName } from './partition-runs.ts';
import type { RunStore } from './run-store.ts';

/** Records read at a time. */
const RECORDS_AT_ONCE = 8_192;

/** The input of the build of a segment. */
export interface SegmentBuild extends SegmentPacking {
  segment: number;
  runs: RunStore;
}

/**
 * Build a segment. Memory that the segment does not keep is freed.
 *
 * @throws {StateError} when the run does not have the records from which the shape was computed
 */
export async function buildSegment(build: SegmentBuild): Promise<Leaves> {
  return packSegment(build, await readRecords(build));
}

async function readRecords({ head, segment, runs, runtime }: SegmentBuild): Promise<SegmentRecords> {
  const d = head.shape.dimensions;
  const name = runName(segment);
  const width = recordBytesOf(head.shape) / 4;
  const begins = recordHeadOf(head.shape);
  const n = (await runs.sizeOf(name)) / (4 * width);
  const rows = new Matrix(n, d, runtime);
  const [numbers, leaves] = [new Int32Array(n), new Int32Array(n)];
  const seconds = head.shape.copies > 1 ? new Int32Array(n) : undefined;
  for (let begin = 0; begin < n; begin += RECORDS_AT_ONCE) {
    const count = Math.min(RECORDS_AT_ONCE, n - begin);
    const floats = new Float32Array(count * width);
    await runs.read(name, 4 * width * begin, new Uint8Array(floats.buffer));
    const integers = new Int32Array(floats.buffer);
    const { data } = rows;
    for (let i = 0; i < count; i++) {
      numbers[begin + i] = integers[i * width]!;
      leaves[begin + i] = integers[i * width + 1]!;
      if (seconds) seconds[begin + i] = integers[i * width + 2]!;
      data.set(floats.subarray(i * width + begins, (i + 1) * width), (begin + i) * d);
    }
  }
  return { rows, numbers, leaves, seconds };
}
