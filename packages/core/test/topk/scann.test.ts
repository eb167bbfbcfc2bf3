/** ScaNN: the cases of every index with all searched, and what only an approximate index can get wrong. */
import { Runtime } from '../../src/parallel/runtime.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import { runTopKCases } from '../conformance/top-k.case.ts';
import { VARIANTS } from '../kernels/variants.ts';

const EVERYTHING = { tree: 'always', numLeaves: 4, numLeavesToSearch: 1000, numReorderingCandidates: 100_000 } as const;

for (const { variant, runtime, skip } of VARIANTS.filter(({ variant }) => variant !== 'reference')) {
  runTopKCases({ name: `ScaNN flat, ${variant}`, make: (options) => new ScaNN({ ...options, runtime }), skip });
  runTopKCases({
    name: `ScaNN tree, ${variant}`,
    make: (options) => new ScaNN({ ...options, ...EVERYTHING, runtime }),
    skip,
  });
  // Threads start anew for each memory, and there are many indexes here.
  const single = skip || variant === 'reference' ? undefined : new Runtime({ variant, threads: 1 });
  runTopKCases({
    name: `ScaNN in segments, ${variant}`,
    make: (options) =>
      new ScaNN({ ...options, ...EVERYTHING, minLeafSize: 0, segments: segmentsOf(1), runtime: single ?? runtime }),
    skip,
  });
}
