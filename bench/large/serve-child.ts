/**
 * Loads a bundle on one thread and measures recall and latency of single queries at each setting of a grid, in a process of
 * its own. It takes a `ServeOrder` as JSON and prints a `ServeReport`.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Runtime, type ScaNN, type ScannCallOptions } from 'shortlist';
import { loadBundle } from 'shortlist/node';
import { quantile } from '../harness/interleave.ts';
import { readNpy } from '../harness/npy.ts';
import type { CallPoint, ServedPoint, ServeOrder, ServeReport } from './order.ts';

/** Queries whose recall and latency are measured for a setting. */
const K = 10;
const order = JSON.parse(process.argv[2]!) as ServeOrder;
const { data, shape } = readNpy(order.queries);
const truth = readNpy(order.truth).data as Int32Array;
const [count, d] = shape as [number, number];
const queries = Array.from({ length: count }, (_, i) => (data as Float32Array).subarray(i * d, (i + 1) * d));
const start = performance.now();
let scann = await load();
const [first] = order.grid;
scann.call(queries[0]!, { k: K, ...first! });
const firstSeconds = (performance.now() - start) / 1000;

const points = measured(order.grid);
const reached = points.filter(({ recall }) => recall >= order.recall).sort((a, b) => a.p50Ms - b.p50Ms);
const most = [...points].sort((a, b) => b.recall - a.recall)[0]!;
const report: ServeReport = {
  firstSeconds,
  residentBytes: residentBytes(),
  best: reached[0],
  most,
  cold: order.rows === 'file' ? await coldLatencies(reached[0] ?? most) : undefined,
};
console.log(JSON.stringify(report));

/**
 * The points of a grid whose numbers of candidates ascend for each number of leaves: after the first that reaches the recall,
 * more candidates would only be slower.
 */
function measured(grid: ServeOrder['grid']): ServedPoint[] {
  const points: ServedPoint[] = [];
  const done = new Set<string>();
  for (const point of grid) {
    const key = `${point.leavesToSearch} ${point.groupBound}`;
    if (done.has(key)) continue;
    const recall = recallOf(point);
    if (recall >= order.recall) done.add(key);
    const times = [latencies(point), latencies(point)];
    points.push({
      ...point,
      recall,
      p50Ms: Math.min(...times.map((each) => quantile(each, 0.5))),
      p99Ms: Math.min(...times.map((each) => quantile(each, 0.99))),
    });
  }
  return points;
}

async function load(): Promise<ScaNN<Float32Array, number>> {
  const { path, rows, rowCacheBytes } = order;
  const runtime = new Runtime({ threads: 1 });
  const { index } = await loadBundle<Float32Array, number>(path, { runtime, rows, rowCacheBytes });
  return index as ScaNN<Float32Array, number>;
}

/** The latencies of an index that was just loaded, after its file was removed from the cache of the system. */
async function coldLatencies(point: ServedPoint): Promise<NonNullable<ServeReport['cold']>> {
  scann.free();
  scann = await load();
  scann.call(queries[0]!, { k: K, leavesToSearch: 1, reorder: K });
  // dd drops the pages of a file by posix_fadvise and copies nothing.
  const dropped = spawnSync('dd', [`if=${order.path}`, 'iflag=nocache', 'count=0'], { encoding: 'utf8' });
  if (dropped.status !== 0) throw new Error(`dd: ${dropped.stderr}`);
  const before = pagesRead();
  const times = latencies(point);
  const pages = (pagesRead() - before) / queries.length;
  return { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), pagesPerQuery: pages };
}

/** Bytes that this process made the system read from the disk, in pages. */
function pagesRead(): number {
  return Number(/^read_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))![1]) / 4096;
}

function optionsOfCall({ leavesToSearch, reorder, groupBound }: CallPoint): ScannCallOptions<number> {
  return { k: K, leavesToSearch, reorder, ...(groupBound !== undefined && { groupBound }) };
}

function latencies(point: CallPoint): Float64Array {
  const options = optionsOfCall(point);
  return Float64Array.from(queries, (query) => {
    const begin = performance.now();
    scann.call(query, options);
    return performance.now() - begin;
  }).sort();
}

function recallOf(point: CallPoint): number {
  const options = optionsOfCall(point);
  let found = 0;
  queries.forEach((query, i) => {
    const best = truth.subarray(i * K, (i + 1) * K);
    for (const row of scann.call(query, options).rowsOf()) if (best.includes(row)) found++;
  });
  return found / (K * count);
}

/** Resident memory without the pages of files, which the system may take back. */
function residentBytes(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  const kibibytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return 1024 * (kibibytes('RssAnon') + kibibytes('RssShmem'));
}
