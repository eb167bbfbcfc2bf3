/**
 * Chooses where a light scan runs: on the thread of the event loop, or on the worker threads, which leave the event loop
 * free.
 *
 *   expected time = n · t,   t = median time per query of the last scans of that place,   n = queries of the scan
 *
 * The median and not the mean, because a thread may be held up but never hurried. The first scan, of code that is not
 * compiled yet, or a scan during which the system ran another process, takes a hundred times as long as the others; by
 * a mean it would send scans of 0.05 ms to the worker threads. There the handing over alone takes 20 ms on a machine whose
 * processors are busy, and nothing would show that the scan itself had become short again. Therefore one scan in
 * `TRIED_EVERY` also goes to the other place.
 */

/** The thread of the event loop, or the worker threads. */
export type ScanPlace = 'here' | 'workers';

/** A scan that is expected to take no longer blocks the event loop so briefly that handing it over would not pay. */
const SHORT_MS = 2;
/** Scans of which the median counts: four of eight are hardly held up, and a change shows after four. */
const KEPT = 8;
/** A scan of the dearer place takes some milliseconds more; one in so many is not felt. */
const TRIED_EVERY = 32;

/** The times of the light scans of one index. */
export class ScanTimes {
  readonly #queryMs: Readonly<Record<ScanPlace, number[]>> = { here: [], workers: [] };
  #choices = 0;

  /** The place of a scan of some queries. */
  placeOf(queries: number): ScanPlace {
    const { here, workers } = this.#queryMs;
    if (here.length < KEPT || median(here) * queries <= SHORT_MS) return 'here';
    const isTried = ++this.#choices % TRIED_EVERY === 0;
    const isLess = workers.length < KEPT || median(workers) <= median(here);
    return isLess === isTried ? 'here' : 'workers';
  }

  /** Count the time of a scan. */
  took(place: ScanPlace, queries: number, tookMs: number): void {
    const kept = this.#queryMs[place];
    kept.push(tookMs / queries);
    if (kept.length > KEPT) kept.shift();
  }
}

/** The lower median. */
function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[(numbers.length - 1) >> 1]!;
}
