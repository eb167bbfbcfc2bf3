/** Measures the latency of single queries. */
import type { Report } from '../terminal/reporter.ts';
import type { TutorialEvent } from './events.ts';

/** Queries that are timed, enough for a 99th percentile. */
const TIMED_QUERIES = 2_000;
/** Queries that are not timed, during which V8 compiles the code. */
const WARMUP_QUERIES = 500;
/** The longest time of one measurement. */
const TIME_MAX_MS = 2_000;

/** Time single queries, from the identifier of a user to the results, and report the median and the 99th percentile. */
export function reportLatency(
  index: string,
  candidates: number,
  search: (user: string) => unknown,
  users: readonly string[],
  now: () => number,
  report: Report<TutorialEvent>,
): void {
  const latencies: number[] = [];
  const begin = now();
  for (let i = -WARMUP_QUERIES; i < TIMED_QUERIES; i++) {
    const user = users[(i + WARMUP_QUERIES) % users.length]!;
    const start = now();
    search(user);
    const end = now();
    const spent = end - begin;
    if (i >= 0 || spent > TIME_MAX_MS / 2) latencies.push(end - start);
    if (spent > TIME_MAX_MS && latencies.length > 0) break;
  }
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))]!;
  report({ event: 'latency', index, candidates, queries: latencies.length, p50Ms: at(0.5), p99Ms: at(0.99) });
}
