/**
 * Builds the bundle of an index in a process of its own, so that the peak of its memory is that of the build alone. It takes a
 * `BuildOrder` as JSON and prints a `BuildReport`. The process is started again by main.ts. A build that was killed
 * continues when it is started again.
 */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Runtime, ScaNN } from 'shortlist';
import { buildBundle, loadBundle } from 'shortlist/node';
import { type BuildOrder, type BuildReport, optionsOf } from './order.ts';
import { blocksOf } from './vectors.ts';

const GIB = 2 ** 30;
const SHOWN_EVERY_MS = 10_000;
const order = JSON.parse(process.argv[2]!) as BuildOrder;
const index = new ScaNN<Float32Array, number>(optionsOf(order));
const start = performance.now();
/** The step under way: its begin, and what was done then. */
let current = { step: '', begin: start, done: 0 };
let shown = start;

/** Bytes of resident memory at its peak; maxRSS is in kibibytes. */
const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;
const seconds = (since: number): number => (performance.now() - since) / 1000;

function show(done: number, total: number): void {
  const perSecond = (done - current.done) / seconds(current.begin);
  // The first pass does not know how many vectors there are.
  const all = current.step === 'sample' ? order.vectors.rows : total;
  const left =
    perSecond > 0 ? `, ${Math.round(perSecond)} a second, ${Math.round((all - done) / perSecond)} s left` : '';
  const memory = `${(process.memoryUsage.rss() / GIB).toFixed(2)} GiB, peak ${(peakBytes() / GIB).toFixed(2)} GiB`;
  const { user, system } = process.cpuUsage();
  const cpu = `CPU ${((user + system) / 1e6).toFixed(1)} s`;
  console.error(`  ${Math.round(seconds(start))} s, ${cpu}: ${current.step}: ${done} of ${all}${left}; ${memory}`);
}

await buildBundle(order.path, { index }, () => blocksOf(order.vectors, dirname(order.path)), {
  memoryBytes: order.memoryBytes,
  onProgress: ({ step, done, total }) => {
    const isNew = step !== current.step;
    if (isNew) current = { step, begin: performance.now(), done };
    if (!isNew && performance.now() - shown < SHOWN_EVERY_MS) return;
    shown = performance.now();
    show(done, total);
  },
});
const built = { seconds: seconds(start), peakBytes: peakBytes() };
const runtime = new Runtime({ threads: 1 });
const { index: loaded } = await loadBundle<Float32Array, number>(order.path, { runtime, rows: 'file' });
const { segments, leaves } = (loaded as ScaNN<Float32Array, number>).stats();
const report: BuildReport = { ...built, fileBytes: statSync(order.path).size, segments, leaves };
console.log(JSON.stringify(report));
