/**
 * The serving table: `shortlist serve` with 1,683,682 candidates, measured over loopback by a load generator.
 *
 *   npm run bench:serve [-- --json] [-- --minutes 10] [-- --only loading,memory] [-- --keep FOLDER] [-- --processes 2]
 *
 * The server has one process for each core, at most two; throughput is also measured with a single process. `--only` measures
 * some rows and keeps the others of bench/results/serve.json. `--keep` stores the bundle in a folder, or uses the bundle that is
 * already there.
 *
 * Results are compared with exact ones before the measurements. The server, the load generator and this script share the
 * cores of the machine.
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

/** A row with the name of its measurement, so that another run can keep it. */
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
    // A row may have another number of processes, which is part of its name.
    const quality = { processes, ...(typeof row.quality === 'object' ? row.quality : {}) };
    rows.push({ ...row, quality, measure, date: new Date().toISOString() });
  }
}
if (values.keep === undefined) rmSync(folder, { recursive: true });
finish('serve', rows);
