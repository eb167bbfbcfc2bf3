/**
 * The serving table: `shortlist serve` on 1,683,682 candidates, asked over loopback by a load generator of its own.
 *
 *   npm run bench:serve [-- --json] [-- --minutes 10] [-- --only loading,memory] [-- --keep FOLDER] [-- --processes 2]
 *
 * Every row is of one server, whose processes are as many as there are cores, at most two; the throughput of a single
 * process stands beside. `--only` measures some rows and leaves the others in bench/results/serve.json as they were;
 * `--keep` leaves the bundle in a folder and takes the one that lies there.
 *
 * Answers are checked against exact ones before anything is timed. Server, load and this script share the machine's
 * cores, as the figures do.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { finish, type Row } from '../harness/rows.ts';
import { keptBundle } from './bundle.ts';
import { compaction, loading, memory, type Setup, steadyRate, throughput, upserts, versionSwitch } from './measures.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    keep: { type: 'string' },
    processes: { type: 'string', default: String(Math.min(2, availableParallelism())) },
  },
});

const MEASURES: Readonly<Record<string, (work: Setup) => Promise<Row | Row[]>>> = {
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
const processes = Number(values.processes);
const work: Setup = { ...(await keptBundle(folder)), processes };
console.error(`data: ${work.line}; ${work.candidates} candidates`);
const rows: ServeRow[] = [];
for (const [measure, run] of Object.entries(MEASURES)) {
  if (!only.includes(measure)) {
    rows.push(...kept.filter((row) => row.measure === measure));
    continue;
  }
  console.error(`measuring: ${measure}`);
  const measured = [await run(work)].flat();
  for (const row of measured) {
    // A row may be of another number of processes, and says so.
    const quality = { processes, ...(typeof row.quality === 'object' ? row.quality : {}) };
    rows.push({ ...row, quality, measure, date: new Date().toISOString() });
  }
}
if (values.keep === undefined) rmSync(folder, { recursive: true });
finish('serve', rows);
