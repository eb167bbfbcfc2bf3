/** Where light scans run: by the times of earlier ones, of which those that were held up do not count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScanTimes } from '../../src/servable/scan-times.ts';

/** Run scans of one query, each with the time that it takes at its place; how many of them ran on the workers. */
function onWorkers(
  times: ScanTimes,
  scans: number,
  tookMs: { here: (scan: number) => number; workers: number },
): number {
  let count = 0;
  for (let scan = 0; scan < scans; scan++) {
    const place = times.placeOf(1);
    if (place === 'workers') count++;
    times.took(place, 1, place === 'workers' ? tookMs.workers : tookMs.here(scan));
  }
  return count;
}

test('short scans stay on this thread, however long the first of them and some others took', () => {
  const times = new ScanTimes();
  // Every third scan is held up; handing over is slow on such a machine.
  assert.equal(onWorkers(times, 1000, { here: (scan) => (scan % 3 === 0 ? 38 : 0.05), workers: 20 }), 0);
  assert.deepEqual([times.placeOf(40), times.placeOf(41)], ['here', 'workers']);
});

test('long scans go to the worker threads where that is faster, and stay here where it is not', () => {
  assert.ok(onWorkers(new ScanTimes(), 1000, { here: () => 6, workers: 3 }) > 950);
  const onBusyMachine = onWorkers(new ScanTimes(), 1000, { here: () => 6, workers: 20 });
  assert.ok(onBusyMachine < 50, `${onBusyMachine}`);
});

test('scans return from the worker threads when they have become short, and go there again when they are long', () => {
  const times = new ScanTimes();
  assert.ok(onWorkers(times, 200, { here: () => 6, workers: 3 }) > 180);
  // One scan in 32 tries the other place, and the median needs four.
  assert.ok(onWorkers(times, 128, { here: () => 0.05, workers: 3 }) >= 100);
  assert.equal(onWorkers(times, 100, { here: () => 0.05, workers: 3 }), 0);
  assert.ok(onWorkers(times, 200, { here: () => 6, workers: 3 }) > 180);
});
