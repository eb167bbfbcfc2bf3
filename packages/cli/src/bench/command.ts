/** `shortlist bench BUNDLE`: latency of single queries, throughput of batches, and recall against the exact answer. */

import { AbortedError, Matrix, type VectorsLike } from 'shortlist';
import { recallOf } from 'shortlist/metrics';
import { isApproximate } from 'shortlist/topk';
import { openBundle } from '../input/bundle.ts';
import { sampledQueries } from '../input/sampled-queries.ts';
import { numberOf, wholeNumberOf } from '../terminal/arguments.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { count } from '../terminal/format-numbers.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';
import { Terminal } from '../terminal/terminal.ts';

const OPTIONS = {
  k: { type: 'string', default: '10' },
  queries: { type: 'string' },
  seconds: { type: 'string', default: '2' },
  json: { type: 'boolean', default: false },
} as const;
/** Queries that are not timed, during which V8 compiles the code. */
const WARMUP_QUERIES = 200;
const SECONDS_MAX = 3600;

/** Measure a bundle. */
export const bench: Command = async (argv, environment) => {
  const { values, positionals } = parseArguments({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) {
    throw new UsageError(`bench: expected one bundle, got ${positionals.length}`);
  }
  const k = wholeNumberOf('k', values.k, 1);
  const timeMs = 1000 * numberOf('seconds', values.seconds, 0.01, SECONDS_MAX);
  const terminal = new Terminal(environment);
  const bundle = await openBundle<string>(path);
  const { index } = bundle;
  const { queries, count: queryCount, description } = await sampledQueries(path, bundle, values.queries);
  const single = singles(queries, queryCount);
  const { now, signal } = environment;
  const latencies: number[] = [];
  const begin = now();
  for (let i = 0; now() - begin < timeMs || latencies.length === 0; i++) {
    if (signal.aborted) throw new AbortedError('bench: interrupted');
    const start = now();
    index.call(single[i % queryCount]!, { k });
    if (i >= WARMUP_QUERIES || now() - begin > timeMs / 2) latencies.push(now() - start);
    terminal.progress((now() - begin) / timeMs, 'single queries');
  }
  const batches = { done: 0, start: now() };
  while (batches.done === 0 || now() - batches.start < timeMs) {
    if (signal.aborted) throw new AbortedError('bench: interrupted');
    index.call(queries, { k });
    batches.done += queryCount;
    terminal.progress((now() - batches.start) / timeMs, 'batches');
  }
  const queriesPerSecond = batches.done / ((now() - batches.start) / 1000);
  terminal.clear();
  const recall = isApproximate(index) ? recallOf(index.call(queries, { k }), index.callExactly(queries, k)) : 1;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))]!;
  const results = {
    k,
    candidates: index.size,
    queries: queryCount,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    queriesPerSecond,
    recall,
  };
  if (values.json) {
    terminal.line(JSON.stringify({ event: 'bench', path, description, ...results }));
    return 0;
  }
  terminal.line(`${path}: ${count(index.size)} candidates; measured with ${count(queryCount)} ${description}, k ${k}`);
  terminal.line(`one query at a time: p50 ${results.p50Ms.toFixed(4)} ms, p99 ${results.p99Ms.toFixed(4)} ms`);
  terminal.line(`in batches of ${count(queryCount)}: ${count(Math.round(queriesPerSecond))} queries a second`);
  terminal.line(`recall@${k} against an exact search: ${recall.toFixed(4)}`);
  return 0;
};

/** Each query as a batch of its own. */
function singles(
  queries: readonly string[] | VectorsLike | unknown,
  queryCount: number,
): (readonly string[] | Matrix)[] {
  if (Array.isArray(queries)) return (queries as string[]).map((query) => [query]);
  const rows = Matrix.from('queries', queries as VectorsLike);
  return Array.from({ length: queryCount }, (_, i) =>
    Matrix.from('query', { data: rows.row(i).slice(), dimensions: rows.dimensions }),
  );
}
