/**
 * The ingest benchmark: reads a CSV of 20 million ratings into dictionary-encoded columns, and measures the quality of the data.
 *
 *   npm run bench:ingest [-- --json] [-- --rows 20000000]
 *
 * The speed is that of one core: rows divided by the processor time of all threads, so that other load on the machine has
 * little influence. There is no peer; docs/decisions/reading-files.md compares libraries.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { finish, row } from '../harness/rows.ts';
import { writeRatings } from './ratings-file.ts';

const ROWS = 20_000_000;

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rows: { type: 'string', default: String(ROWS) } },
});
const folder = mkdtempSync(join(tmpdir(), 'shortlist-ingest-'));
try {
  const rows = Number(values.rows);
  const path = join(folder, 'ratings.csv');
  console.error(`writing ${rows} ratings`);
  writeRatings(path, rows);
  console.error('reading them');
  const program = fileURLToPath(new URL('./read-child.js', import.meta.url));
  const text = execFileSync(process.execPath, [program, path], { encoding: 'utf8' });
  const read = JSON.parse(text) as Record<'rows' | 'users' | 'items' | 'broken' | 'coreSeconds' | 'peakBytes', number>;
  const work = `CSV of ${rows} ratings to columns`;
  const qualityHolds = read.rows === rows && read.broken === 0;
  const quality = { users: read.users, items: read.items, 'broken rows': read.broken };
  finish(
    'ingest',
    [
      row({
        ...{ work: `${work}: speed`, ours: read.rows / read.coreSeconds, peer: null, unit: 'rows/s of a core' },
        ...{ required: { atLeast: 250_000 }, qualityHolds, quality },
      }),
      row({
        ...{ work: `${work}: most memory of the process`, ours: read.peakBytes / 1e6, peer: null, unit: 'MB' },
        required: { atMost: 500 },
      }),
    ],
    rows !== ROWS,
  );
} finally {
  rmSync(folder, { recursive: true });
}
