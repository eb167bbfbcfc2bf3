/**
 * The serving table: `shortlist serve` on 1,683,682 candidates, asked over loopback by a load generator of its own.
 *
 *   npm run bench:serve [-- --json] [-- --minutes 10] [-- --only loading,memory] [-- --keep FOLDER]
 *
 * `--only` measures some rows and leaves the others in bench/results/serve.json as they were; `--keep` leaves the bundle
 * in a folder and takes the one that lies there.
 *
 * Answers are checked against exact ones before anything is timed. Server, load and this script share the machine's
 * cores, as the figures do.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { finish, type Row } from '../harness/rows.ts';
import { keptBundle, type ServedWork } from './bundle.ts';
import { compaction, loading, memory, steadyRate, throughput, upserts, versionSwitch } from './measures.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    keep: { type: 'string' },
  },
});

const MEASURES: Readonly<Record<string, (work: ServedWork) => Promise<Row>>> = {
  loading,
  throughput,
  steadyRate,
  upserts,
  compaction,
  versionSwitch,
  memory: (work) => memory(work, Math.min(10, Number(values.minutes))),
};
const RESULTS = fileURLToPath(new URL('../../results/serve.json', import.meta.url));

/** A row that knows which measurement it came from, so that another run can leave it as it is. */
interface ServeRow extends Row {
  measure: string;
  date: string;
}

const only = values.only?.split(',') ?? Object.keys(MEASURES);
for (const name of only) {
  if (!MEASURES[name]) throw new Error(`--only: expected some of ${Object.keys(MEASURES).join(', ')}, got ${name}`);
}
const kept = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as { rows: ServeRow[] }).rows : [];
const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'shortlist-bench-serve-'));
const work = await keptBundle(folder);
console.error(`data: ${work.line}; ${work.candidates} candidates`);
const rows: ServeRow[] = [];
for (const [measure, run] of Object.entries(MEASURES)) {
  if (!only.includes(measure)) {
    rows.push(...kept.filter((row) => row.measure === measure));
    continue;
  }
  console.error(`measuring: ${measure}`);
  rows.push({ ...(await run(work)), measure, date: new Date().toISOString() });
}
if (values.keep === undefined) rmSync(folder, { recursive: true });
finish('serve', rows);
