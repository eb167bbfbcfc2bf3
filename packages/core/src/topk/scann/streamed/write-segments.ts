/**
 * Builds the segments of a build that streams in one memory, one after another, and hands each over when it is finished, so
 * that no finished segment stays in memory.
 */

import { throwIfAborted } from '../../../checks/abort.ts';
import type { Saved } from '../../../format/saved.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import type { Identifier } from '../../contract.ts';
import { segmentPartBytes } from '../leaves.ts';
import { savedScann } from '../saved.ts';
import { sectionsOf } from '../saved-leaves.ts';
import type { ScannSettings } from '../settings.ts';
import { buildSegment } from './build-segment.ts';
import type { PartitionedBuild, StreamedBuild } from './partition-dataset.ts';

/** The saved form of the index; the sections of its segments are written later. */
export function savedPartitioned<I extends Identifier>(
  settings: ScannSettings,
  { head, firstLeaves, shapes, rows, identifiers }: PartitionedBuild<I>,
): Saved {
  const groups = shapes.reduce((sum, shape) => sum + shape.groups, 0);
  Object.assign(head.shape, { groups, capacity: groups, builtGroups: groups });
  const segments = shapes.map((shape, s) => ({
    firstLeaf: firstLeaves[s]!,
    shape,
    sections: Object.entries(segmentPartBytes(shape)).map(([name, laterBytes]) => ({
      ...{ name, bytes: [], laterBytes },
      kind: 'memory' as const,
    })),
  }));
  return savedScann(settings, {
    ...{ head, sections: sectionsOf(head), segments, identifiers },
    ...{ size: rows, calibration: undefined },
  });
}

/**
 * Build the segments that `isWritten` does not have.
 *
 * @param write gets the parts of a segment as bytes, by name; they are valid until the promise resolves
 * @param runtime has the memory of the builds
 */
export async function writeSegments<I extends Identifier>(
  { head, sizes, shapes, magnitudes }: PartitionedBuild<I>,
  { runs, signal, onProgress = () => undefined }: StreamedBuild,
  isWritten: (segment: number) => boolean,
  write: (segment: number, parts: Record<string, Uint8Array>) => Promise<void>,
  runtime: Runtime,
): Promise<void> {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  for (const [segment, shape] of shapes.entries()) {
    throwIfAborted('buildBundle', signal);
    if (!isWritten(segment)) {
      const leaves = await buildSegment({ head, segment, shape, magnitudes, runs, runtime });
      try {
        await write(segment, leaves.bytes());
      } finally {
        leaves.free();
      }
    }
    done += sizes[segment]!;
    onProgress({ step: 'segments', done, total });
  }
}
