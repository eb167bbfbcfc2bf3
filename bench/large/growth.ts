/**
 * The growth of time and memory with the number of candidates: N from 100 thousand on by factors of 10, at recall@10 ≥ .95.
 *
 *   npm run bench:growth [-- --to 100000000] [--continue] [--json]
 *
 * Each N is built with the settings of `hundred` (main.ts) and served from one thread with its vectors in the file. A row has the
 * exponent b of a · N^b that fits best in the logarithms. `--to` is the largest N; default 10 million. `--continue` uses the
 * bundles of earlier runs, also that of `bench:large -- --only hundred`. See main.ts for the time and the disk that the largest
 * ones need.
 */
import { parseArgs } from 'node:util';
import { finish, type Row, row } from '../harness/rows.ts';
import { build, gridOf, MIXTURE, orderOf, serve, truthOf } from './run.ts';
import type { VectorsOf } from './vectors.ts';

const FROM = 100_000;
const RECALL = 0.95;
const MIB = 2 ** 20;
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    to: { type: 'string', default: '10000000' },
    continue: { type: 'boolean', default: false },
  },
});

/** The measurements of one N. */
interface Step {
  rows: number;
  'p50 ms': number;
  'build s': number;
  'bundle MiB': number;
  'build peak MiB': number;
  'serving MiB': number;
  'load s': number;
  recall: number;
}

const steps: Step[] = [];
for (let rows = FROM; rows <= Number(values.to); rows *= 10) {
  console.error(`growth: ${rows}`);
  steps.push(await stepOf({ kind: 'mixture', rows, dimensions: 32 }));
}
const names = ['p50 ms', 'build s', 'bundle MiB', 'build peak MiB', 'serving MiB', 'load s'] as const;
const largest = steps.at(-1)!;
const measured: Row[] = names.map((name) =>
  row({
    work: `${name.slice(0, name.lastIndexOf(' '))}, N = ${steps.map(({ rows }) => rows).join(', ')}`,
    ours: largest[name],
    peer: null,
    unit: name.slice(name.lastIndexOf(' ') + 1),
    required: { none: true },
    quality: {
      exponent: steps.length > 1 ? exponentOf(steps.map((step) => [step.rows, step[name]])).toFixed(2) : 'one N only',
      values: steps.map((step) => Number(step[name].toPrecision(3))).join(', '),
      recall: steps.map(({ recall }) => recall.toFixed(3)).join(', '),
    },
  }),
);
finish('growth', measured);

async function stepOf(vectors: VectorsOf): Promise<Step> {
  const files = await truthOf(vectors);
  const order = orderOf(vectors, MIXTURE);
  const { path } = order;
  const built = await build(order, values.continue);
  const grid = gridOf(built.leaves);
  const served = await serve({ path, ...files, rows: 'file', rowCacheBytes: 2 ** 26, recall: RECALL, grid });
  const best = served.best ?? served.most;
  return {
    rows: vectors.rows,
    'p50 ms': best.p50Ms,
    'build s': built.seconds,
    'bundle MiB': built.fileBytes / MIB,
    'build peak MiB': built.peakBytes / MIB,
    'serving MiB': served.residentBytes / MIB,
    'load s': served.firstSeconds,
    recall: best.recall,
  };
}

/** The slope of the line of least squares through the logarithms. */
function exponentOf(points: readonly (readonly [number, number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (of: (point: readonly [number, number]) => number): number =>
    logs.reduce((sum, point) => sum + of(point), 0) / logs.length;
  const [x, y] = [mean((point) => point[0]), mean((point) => point[1])];
  const covariance = mean((point) => (point[0] - x) * (point[1] - y));
  return covariance / mean((point) => (point[0] - x) ** 2);
}
