/**
 * The command from its start to its answer, and rules and seen items of a query, over 1,683,682 candidates of 32 dimensions.
 *
 *   npm run bench:command [-- --json] [-- --only start,rules] [-- --keep FOLDER]
 *
 * `start`: `shortlist --help` and `shortlist query` as processes, the fastest of some runs, because other work may
 * share the machine. `rules`: the median of single queries with rules or seen items, and of the same queries without
 * them. `--keep` keeps the bundle in a folder, and uses the bundle that an earlier run left there. Reads movielens-100k
 * below $SHORTLIST_DATA, or a synthetic set of its shape.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { finish, type Row } from '../harness/rows.ts';
import { keptBundle, type ServedWork } from '../serve/bundle.ts';
import { ruleRows } from './rules.ts';
import { startRows } from './start.ts';

const MEASURES: Readonly<Record<string, (work: ServedWork) => Row[] | Promise<Row[]>>> = {
  start: startRows,
  rules: ruleRows,
};

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, only: { type: 'string' }, keep: { type: 'string' } },
});
const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'shortlist-bench-command-'));
const rows: Row[] = [];
try {
  const work = await keptBundle(folder);
  for (const name of values.only?.split(',') ?? Object.keys(MEASURES)) {
    const measure = MEASURES[name];
    if (!measure) throw new Error(`--only: expected some of ${Object.keys(MEASURES).join(', ')}, got ${name}`);
    rows.push(...(await measure(work)));
  }
} finally {
  if (values.keep === undefined) rmSync(folder, { recursive: true });
}
finish('command', rows, values.only !== undefined);
