/** Draws candidates of a built index, with which the build measures the index as if they were queries. */
import { Generator as Random } from '../../../random/generator.ts';
import type { Identifier } from '../../contract.ts';
import type { VectorSource } from '../../vector-source.ts';
import type { LeafSet } from '../leaf-set.ts';
import { GROUP_SLOTS } from '../leaves.ts';
import { rowReader } from '../update/kept-rows.ts';
import type { LiveIndex } from '../update/live-index.ts';

/** A candidate that is used as a query. */
export interface SampledCandidate {
  row: number;
  slot: number;
}

/** `count` distinct candidates, in random order. */
export function sampleCandidates({ leaves }: LiveIndex<Identifier>, count: number, seed: number): SampledCandidate[] {
  const { shape } = leaves;
  const random = new Random(seed).fork('calibration');
  const sampled = new Map<number, number>();
  while (sampled.size < count) {
    const slot = leaves.slotAt(random.below(shape.groups * GROUP_SLOTS));
    const row = leaves.rowOf(slot);
    if (row >= 0 && !sampled.has(row)) sampled.set(row, slot);
  }
  return Array.from(sampled, ([row, slot]) => ({ row, slot }));
}

/** The vectors of sampled candidates, in the precision in which the index keeps them. */
export function vectorsOf(leaves: LeafSet, sampled: readonly SampledCandidate[]): VectorSource {
  const { dimensions } = leaves.shape;
  const read = rowReader(leaves);
  const rows = new Float32Array(sampled.length * dimensions);
  sampled.forEach(({ slot }, i) => {
    read(slot, rows.subarray(i * dimensions, (i + 1) * dimensions));
  });
  return {
    rows: sampled.length,
    dimensions,
    copy: (begin, end, to) => to.set(rows.subarray(begin * dimensions, end * dimensions)),
  };
}
