/**
 * The compression table: the speed, memory and quality of embedding tables at several budgets.
 *
 *   npm run bench:tables [-- --json] [-- --only speed,growth,memory,robe,access,clicks,columns,retrieval]
 *
 * Speed, growth, memory, robe and access need no data. The other rows read MovieLens-100K and Gowalla from $SHORTLIST_DATA; if it is unset they are
 * left out with a message. `--only` measures some rows and keeps the others of bench/results/tables.json. The whole table takes
 * half an hour on two cores; an interrupted run is continued. No peer has such tables, so ours are compared with each other.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { finish, keepRows, type Row, row } from '../harness/rows.ts';
import { access } from './access-rows.ts';
import { clicks, moreOfEach, retrieval } from './quality.ts';
import { againstRobe } from './robe-rows.ts';
import { clustering, clusteringGrowth, lookup, trainingStep } from './speed.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const data = process.env.SHORTLIST_DATA;

const PARTS: Readonly<Record<string, () => Row[] | Promise<Row[]>>> = {
  speed: async () => [await trainingStep(), await lookup(), await clustering()],
  growth: async () => [await clusteringGrowth()],
  memory,
  robe: againstRobe,
  access,
  clicks: () => withData(clicks),
  columns: () => withData(moreOfEach),
  retrieval: () => withData(retrieval),
};

const rows: Row[] = [];
for (const name of values.only?.split(',') ?? Object.keys(PARTS)) {
  const part = PARTS[name];
  if (!part) throw new Error(`--only: expected some of ${Object.keys(PARTS).join(', ')}, got ${name}`);
  console.error(`measuring: ${name}`);
  const measured = await part();
  keepRows('tables', measured);
  rows.push(...measured);
}
finish('tables', rows, values.only !== undefined);

function withData(measure: (folder: string) => Row[]): Row[] {
  if (data !== undefined) return measure(data);
  console.error('SHORTLIST_DATA is not set: the rows of quality are left out');
  return [];
}

function memory(): Row[] {
  const program = fileURLToPath(new URL('./large-table.js', import.meta.url));
  const figures = JSON.parse(execFileSync(process.execPath, [program], { encoding: 'utf8' })) as Record<string, number>;
  const { peakBytes, clusterSeconds, before, after, parameters, tableBytes } = figures as Required<typeof figures>;
  const work = '10,000,000 ids, d = 64 at 1/1000 of the parameters with one cluster()';
  const quality = {
    parameters: parameters!,
    'table MB': (tableBytes! / 1e6).toFixed(1),
    'loss before': before!.toFixed(4),
    'loss after': after!.toFixed(4),
  };
  return [
    row({
      work: `${work}: peak memory`,
      ours: peakBytes! / 1e6,
      peer: null,
      unit: 'MB',
      required: { atMost: 400 },
      quality,
    }),
    row({ work: `${work}: the clustering`, ours: clusterSeconds!, peer: null, unit: 's', required: { atMost: 300 } }),
  ];
}
