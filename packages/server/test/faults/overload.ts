/**
 * Twice as many requests as a queue can answer. The servable is busy a set time a query, by the CPU time of the process
 * or by a clock that only counts; capacity is what a closed loop gets through just before. What other processes of the
 * machine do changes neither clock.
 */
import { Batcher } from '../../src/queue/batcher.ts';
import type { Query, QueryResult } from '../../src/servable/contract.ts';
import { ServingError } from '../../src/status/serving-error.ts';

/** Time a query takes. */
const QUERY_MS = 0.5;
const DEADLINE_MS = 500;

/** A clock in milliseconds, and a function that is busy for some of them. */
export interface Clock {
  now: () => number;
  busyFor: (ms: number) => void;
}

/** CPU time of this process: all its work counts, not only that of the scans, and no work of others. */
export const CPU_CLOCK: Clock = {
  now: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  busyFor: (ms) => {
    for (const end = CPU_CLOCK.now() + ms; CPU_CLOCK.now() < end; );
  },
};

/**
 * A clock that is the same on every machine: being busy takes the given time, reading it a microsecond, all else
 * nothing.
 */
export function countedClock(): Clock {
  let now = 0;
  return {
    now: () => (now += 0.001),
    busyFor: (ms) => {
      now += ms;
    },
  };
}

/** Answers a second when nobody sends a query before there is room. */
async function closedLoop(batcher: Batcher, query: Query, durationMs: number, { now }: Clock): Promise<number> {
  const started = now();
  let answered = 0;
  const asker = async (): Promise<void> => {
    while (now() - started < durationMs) {
      await batcher.submit([query]);
      answered++;
    }
  };
  await Promise.all(Array.from({ length: 128 }, asker));
  return (answered / (now() - started)) * 1000;
}

/** The requests that were answered in `durationMs`, per second, and the number of those that never ended. */
export async function overload(
  durationMs: number,
  clock: Clock,
): Promise<{ goodput: number; capacity: number; shed: number; hung: number }> {
  const answer = (queries: readonly Query[]): QueryResult[] => {
    clock.busyFor(QUERY_MS * queries.length);
    return queries.map(() => ({ identifiers: [], scores: new Float32Array(0), rows: new Int32Array(0) }));
  };
  const batcher = new Batcher(answer, { queued: 256, now: clock.now });
  const query: Query = { k: 1, embedding: Float32Array.of(1) };
  const capacity = await closedLoop(batcher, query, durationMs / 4, clock);
  let answered = 0;
  let shed = 0;
  let open = 0;
  let sent = 0;
  const started = clock.now();
  for (let now = started; now < started + durationMs; now = clock.now()) {
    for (const due = ((now - started) / 1000) * 2 * capacity; sent < due; sent++) {
      open++;
      batcher
        .submit([query], { deadline: now + DEADLINE_MS })
        .then(
          () => answered++,
          (error) => {
            if (!(error instanceof ServingError)) throw error;
            shed++;
          },
        )
        .finally(() => open--);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const tookMs = clock.now() - started;
  const goodput = (answered / tookMs) * 1000;
  await batcher.idle();
  await new Promise((resolve) => setImmediate(resolve));
  return { goodput, capacity, shed, hung: open };
}
