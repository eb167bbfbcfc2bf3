/**
 * Builds an index and saves it, in a process of its own, so that the peak of its memory is that of the build alone. It takes a
 * `BuildOrder` as JSON and prints a `BuildReport`. The process is started again by main.ts.
 */
import { rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { indexStreamed, ScaNN } from 'shortlist';
import { fileRuns, saveBundle } from 'shortlist/node';
import { type BuildOrder, type BuildReport, optionsOf } from './order.ts';
import { blocksOf } from './vectors.ts';

const order = JSON.parse(process.argv[2]!) as BuildOrder;
const index = new ScaNN<Float32Array, number>(optionsOf(order));
const runs = `${order.path}.runs`;
const start = performance.now();
let shown = 0;
await indexStreamed(index, () => blocksOf(order.vectors, dirname(order.path)), {
  runs: fileRuns(runs),
  memoryBytes: order.memoryBytes,
  onProgress: ({ step, done, total }) => {
    if (performance.now() - shown < 10_000) return;
    shown = performance.now();
    console.error(`  ${step}: ${done} of ${total}, ${Math.round((shown - start) / 1000)} s`);
  },
});
const seconds = (performance.now() - start) / 1000;
await saveBundle(order.path, { index });
rmSync(runs, { recursive: true, force: true });
const report: BuildReport = {
  seconds,
  savedSeconds: (performance.now() - start) / 1000 - seconds,
  // maxRSS is in kibibytes.
  peakBytes: process.resourceUsage().maxRSS * 1024,
  fileBytes: statSync(order.path).size,
  indexBytes: index.sizeBytes,
  segments: index.stats().segments,
  leaves: index.stats().leaves,
};
console.log(JSON.stringify(report));
