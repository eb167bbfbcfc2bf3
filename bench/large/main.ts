/**
 * Indexes that one memory does not hold: build, size, load, recall and latency.
 *
 *   npm run bench:large -- --only hundred|twenty|wide|segments|exact [--rows 1000000] [--reorder bfloat16] [--leaves N] [--block N] [--continue] [--json]
 *
 * `hundred`: 100 million × 32, vectors in the file. `twenty`: 20 million × 64, vectors in memory as int8. `wide`: 1 million ×
 * 768 by cosine. `segments`: 1.68 million × 32 in eight segments and in one memory, `exact`: the same for an
 * exact index. `--rows` makes a set smaller; its rows have
 * no requirement then. `--reorder` is the format of the vectors, float32, bfloat16 or int8, `--leaves` the number of leaves, `--block` the dimensions per
 * block of the codes. `--continue` uses a finished bundle of an earlier run, or
 * continues an unfinished one. Builds run on all threads, queries on one. Files are kept in $SHORTLIST_BENCH: the largest set needs 30
 * GB there during its build. Each build and each measurement is a process of its own.
 */
import { parseArgs } from 'node:util';
import type { ReorderRows } from 'shortlist';
import { finish, keepRows, type Requirement, type Row, row } from '../harness/rows.ts';
import { exactSegmentsRows } from './exact-segments-rows.ts';
import { type BuildSettings, build, gridOf, MIXTURE, orderOf, serve, timed, truthOf } from './run.ts';
import { segmentsRows } from './segments-rows.ts';
import type { VectorsOf } from './vectors.ts';

const GIB = 2 ** 30;

/** A set, its build, and what is required of it. */
interface Part extends BuildSettings {
  vectors: VectorsOf;
  rows: 'memory' | 'file';
  required: { buildSeconds: number; peakBytes?: number; p50Ms: number; firstSeconds?: number; residentBytes?: number };
}

const PARTS: Readonly<Record<string, Part>> = {
  hundred: {
    vectors: { kind: 'mixture', rows: 100_000_000, dimensions: 32 },
    ...MIXTURE,
    rows: 'file',
    required: { buildSeconds: 5_400, peakBytes: 6 * GIB, p50Ms: 1.5, firstSeconds: 10, residentBytes: 4 * GIB },
  },
  twenty: {
    vectors: { kind: 'mixture', rows: 20_000_000, dimensions: 64 },
    reorder: 'int8',
    dimensionsPerBlock: 2,
    isRotated: false,
    soar: false,
    memoryBytes: 4 * GIB,
    rows: 'memory',
    required: { buildSeconds: Number.POSITIVE_INFINITY, p50Ms: 0.5 },
  },
  wide: {
    vectors: { kind: 'text', rows: 1_000_000, dimensions: 768 },
    reorder: 'int8',
    // docs/decisions/rotation-of-wide-vectors.md compares codes of these vectors.
    dimensionsPerBlock: 16,
    isRotated: true,
    soar: 1,
    memoryBytes: 6 * GIB,
    rows: 'memory',
    required: { buildSeconds: 600, p50Ms: 0.5 },
  },
};

/** The other parts, which take the number of rows. */
const OTHERS: Readonly<Record<string, (rows: string | undefined) => Promise<Row[]>>> = {
  segments: segmentsRows,
  exact: exactSegmentsRows,
};

const RECALL = 0.95;
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: [...Object.keys(PARTS), ...Object.keys(OTHERS)].join() },
    rows: { type: 'string' },
    reorder: { type: 'string' },
    leaves: { type: 'string' },
    block: { type: 'string' },
    continue: { type: 'boolean', default: false },
  },
});
const measured: Row[] = [];
for (const name of values.only.split(',')) {
  const part = PARTS[name];
  const other = OTHERS[name];
  if (!part && !other) {
    const names = [...Object.keys(PARTS), ...Object.keys(OTHERS)].join(', ');
    throw new Error(`--only: expected some of ${names}, got ${name}`);
  }
  const rows = part ? await partRows(name, part) : await other!(values.rows);
  keepRows('large', rows);
  measured.push(...rows);
}
finish('large', measured, true);

async function partRows(name: string, part: Part): Promise<Row[]> {
  const isWhole = values.rows === undefined;
  const vectors = { ...part.vectors, rows: isWhole ? part.vectors.rows : Number(values.rows) };
  const reorder = (values.reorder ?? part.reorder) as ReorderRows;
  const dimensionsPerBlock = Number(values.block ?? part.dimensionsPerBlock);
  const order = orderOf(
    vectors,
    { ...part, reorder, dimensionsPerBlock },
    values.leaves ? Number(values.leaves) : undefined,
  );
  const size = `${vectors.rows} × ${vectors.dimensions}`;
  const files = await timed(`${name}: exact results of ${size}`, () => truthOf(vectors));
  const built = await timed(`${name}: build`, () => build(order, values.continue));
  const grid = gridOf(built.leaves);
  const serving = { path: order.path, ...files, rows: part.rows, rowCacheBytes: 2 ** 26, recall: RECALL, grid };
  const served = await timed(`${name}: queries`, () => serve(serving));
  const { required } = part;
  const bound = (most: number | undefined): Requirement =>
    isWhole && most !== undefined && Number.isFinite(most) ? { atMost: most } : { none: true };
  const set = `${vectors.rows} × ${vectors.dimensions}, ${reorder} rows in ${part.rows === 'file' ? 'the file' : 'memory'}`;
  const line = (work: string, ours: number, unit: string, most: number | undefined, quality: Row['quality']): Row =>
    row({ work: `${set}: ${work}`, ours, peer: null, unit, required: bound(most), ...(quality && { quality }) });
  const best = served.best ?? served.most;
  const { segments, leaves } = built;
  return [
    line('build', built.seconds, 's', required.buildSeconds, {
      leaves,
      segments,
      'dimensions per block': dimensionsPerBlock,
    }),
    line('peak memory of the build', built.peakBytes / GIB, 'GiB', required.peakBytes && required.peakBytes / GIB, {
      'bundle GiB': (built.fileBytes / GIB).toFixed(2),
    }),
    row({
      ...{ work: `${set}: p50 at recall@10 ≥ ${RECALL}, one thread`, ours: best.p50Ms, peer: null, unit: 'ms' },
      ...{ required: bound(required.p50Ms), qualityHolds: served.best !== undefined },
      quality: {
        ...(best.groupBound !== undefined && { 'group bound': best.groupBound || 'none' }),
        ...{ leaves: best.leavesToSearch, reorder: best.reorder, recall: best.recall, 'p99 ms': best.p99Ms.toFixed(3) },
        ...(served.cold && {
          'cold p50 ms': served.cold.p50Ms.toFixed(3),
          'cold p99 ms': served.cold.p99Ms.toFixed(3),
          'cold pages a query': served.cold.pagesPerQuery.toFixed(1),
        }),
      },
    }),
    line('load to the first result', served.firstSeconds, 's', required.firstSeconds, undefined),
    line(
      'resident memory',
      served.residentBytes / GIB,
      'GiB',
      required.residentBytes && required.residentBytes / GIB,
      undefined,
    ),
  ];
}
