/** Runs a build and the measurements of the saved index in processes of their own. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Streaming } from 'shortlist';
import { writeNpy } from '../harness/npy.ts';
import type { BuildOrder, BuildReport, CallPoint, ServeOrder, ServeReport } from './order.ts';
import { blocksOf, queriesOf, type VectorsOf } from './vectors.ts';

const K = 10;
/** Standard errors of a bound that skips few of the best candidates. */
const WIDE_BOUND = 6;
/** Queries of a measurement: with more, the exact results of the largest set would take as long as its build. */
const QUERIES = 500;

/**
 * Candidates in a leaf: a query then reads few codes, and these are fine, because residuals are short
 * (docs/decisions/segments.md).
 */
const ROWS_PER_LEAF = 500;

/** The settings of a build. */
export type BuildSettings = Required<
  Pick<BuildOrder, 'reorder' | 'dimensionsPerBlock' | 'isRotated' | 'soar' | 'memoryBytes'>
>;

/**
 * The settings for mixtures of 32 dimensions. Their best scores are so close that rounded rows are too coarse: at 5 million,
 * bfloat16 loses some .02 of recall@10.
 */
export const MIXTURE: BuildSettings = {
  reorder: 'float32',
  dimensionsPerBlock: 1,
  isRotated: false,
  soar: false,
  memoryBytes: 4 * 2 ** 30,
};

/** The number of leaves for a set. */
function leavesOf({ rows }: VectorsOf): number {
  return Math.round(rows / ROWS_PER_LEAF);
}

/** The build of a set; the keys are in the same order each time, as orders are compared as JSON. */
export function orderOf(
  vectors: VectorsOf,
  settings: BuildSettings,
  numLeaves: number = leavesOf(vectors),
): BuildOrder {
  const { reorder, dimensionsPerBlock, isRotated, soar, memoryBytes } = settings;
  const path = bundlePath(vectors);
  return { vectors, path, numLeaves, reorder, dimensionsPerBlock, isRotated, soar, memoryBytes };
}

/** The bundle of a set. */
function bundlePath({ kind, rows, dimensions }: VectorsOf): string {
  return join(FOLDER, `${kind}-${rows}x${dimensions}.bundle`);
}

/** The folder of all files; they are kept for another run. */
export const FOLDER: string = join(process.env.SHORTLIST_BENCH ?? tmpdir(), 'shortlist-bench-large');

/** Run a program of this folder with an order; its only line of output is the report. */
async function run<R>(program: string, order: object): Promise<R> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [path, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${program}: expected exit code 0, got ${code}`);
  return JSON.parse(text) as R;
}

/**
 * Build a bundle, from the beginning.
 *
 * @param isContinued use the bundle of an earlier run, or continue an unfinished one; the seconds are then those of the last
 * start
 */
export async function build(order: BuildOrder, isContinued: boolean): Promise<BuildReport> {
  mkdirSync(FOLDER, { recursive: true });
  const { path } = order;
  const reportPath = `${path}.report.json`;
  if (isContinued && existsSync(path) && existsSync(reportPath)) {
    const earlier = JSON.parse(readFileSync(reportPath, 'utf8')) as { order: BuildOrder; report: BuildReport };
    if (JSON.stringify(earlier.order) === JSON.stringify(order)) {
      console.error(`  uses the bundle of ${statSync(path).mtime.toISOString()}`);
      return earlier.report;
    }
    console.error('  the bundle of an earlier run has other settings and is built again');
  }
  if (!isContinued)
    for (const old of [`${path}.runs`, `${path}.partial`]) rmSync(old, { recursive: true, force: true });
  rmSync(reportPath, { force: true });
  const report = await run<BuildReport>('./build-child.js', order);
  writeFileSync(reportPath, JSON.stringify({ order, report }));
  return report;
}

/** Run a step and print its seconds. */
export async function timed<T>(name: string, step: () => Promise<T>): Promise<T> {
  const start = performance.now();
  console.error(`${name}: begins`);
  const result = await step();
  const memory = `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at the peak in this process`;
  console.error(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s, ${memory}`);
  return result;
}

export function serve(order: ServeOrder): Promise<ServeReport> {
  return run<ServeReport>('./serve-child.js', order);
}

/** The files of queries and of their exact 10 best, which are computed once. */
export async function truthOf(vectors: VectorsOf): Promise<{ queries: string; truth: string }> {
  mkdirSync(FOLDER, { recursive: true });
  const { kind, rows, dimensions } = vectors;
  const name = join(FOLDER, `${kind}-${rows}x${dimensions}`);
  const files = { queries: `${name}.queries.npy`, truth: `${name}.truth.npy` };
  if (existsSync(files.truth)) return files;
  const queries = queriesOf(vectors, QUERIES);
  const exact = new Streaming<Float32Array, number>({ dataset: () => blocksOf(vectors, FOLDER) });
  const truth = exact.call({ data: queries, dimensions }, K);
  writeNpy(files.queries, queries, [QUERIES, dimensions]);
  const best = Array.from({ length: QUERIES }, (_, query) => [...truth.rowsOf(query)]);
  writeNpy(files.truth, Int32Array.from(best.flat()), [QUERIES, K]);
  return files;
}

/**
 * The grid of bounds, leaves and candidates, from one number of leaves to the next larger one by a factor of 1.25. The bound
 * of the build is for the k best scores of the codes, so with many candidates for each result it skips too much; where few
 * groups can be skipped, none is faster.
 */
export function gridOf(numLeaves: number): CallPoint[] {
  const grid: CallPoint[] = [];
  for (let leaves = 4; leaves <= Math.min(numLeaves, 400); leaves = Math.ceil(1.25 * leaves)) {
    for (const reorder of [50, 100, 200, 350, 500, 1_000, 2_000]) {
      grid.push({ leavesToSearch: leaves, reorder });
      for (const groupBound of [WIDE_BOUND, false] as const) grid.push({ leavesToSearch: leaves, reorder, groupBound });
    }
  }
  return grid;
}
