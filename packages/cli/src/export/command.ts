/** `shortlist export BUNDLE --queries FILE --out FILE`: the recommendations for many queries as Parquet, CSV or JSON Lines. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { parseArgs } from 'node:util';
import { OUTPUT_ENDINGS, writeColumns } from '@shortlist/data';
import { AbortedError, DataError, FileError } from 'shortlist';
import { systemReason } from 'shortlist/node';
import { openBundle } from '../input/bundle.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { count } from '../terminal/figures.ts';
import { Terminal } from '../terminal/terminal.ts';

const OPTIONS = {
  queries: { type: 'string' },
  out: { type: 'string' },
  k: { type: 'string', default: '10' },
  force: { type: 'boolean', default: false },
} as const;
/** Queries of a call: they share a scan, and progress is seen. */
const QUERIES_A_CALL = 256;

/** Export recommendations. */
export const exportRows: Command = async (argv, environment) => {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const [path, ...more] = positionals;
  const { out, queries: queriesPath } = values;
  if (path === undefined || more.length > 0)
    throw new UsageError(`export: expected one bundle, got ${positionals.length}`);
  if (out === undefined || queriesPath === undefined) throw new UsageError('export: expected --queries and --out');
  const k = Number(values.k);
  if (!Number.isInteger(k) || k < 1)
    throw new UsageError(`--k: expected a whole number, got ${JSON.stringify(values.k)}`);
  if (!OUTPUT_ENDINGS.includes(extname(out).toLowerCase())) {
    throw new UsageError(`--out: expected a name that ends with ${OUTPUT_ENDINGS.join(', ')}, got ${out}`);
  }
  if (existsSync(out) && !values.force) throw new FileError(`${out}: exists already; --force replaces it`);
  const text = await readFile(queriesPath, 'utf8').catch((error: Error) => {
    throw new FileError(`${queriesPath}: cannot be read: ${systemReason(error)}`, { cause: error });
  });
  const queries = text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '');
  const { index } = await openBundle<string>(path);
  if (index.queryModel === undefined)
    throw new DataError(`${path}: expected a bundle that takes users, got one of vectors`);
  const terminal = new Terminal(environment);
  const rows = { query: [] as string[], rank: [] as number[], identifier: [] as string[], score: [] as number[] };
  for (let first = 0; first < queries.length; first += QUERIES_A_CALL) {
    if (environment.signal.aborted) throw new AbortedError('export: interrupted, nothing was written');
    const part = queries.slice(first, first + QUERIES_A_CALL);
    const result = index.call(part, { k });
    part.forEach((query, i) => {
      for (const [rank, { identifier, score }] of result.hits(i).entries()) {
        rows.query.push(query);
        rows.rank.push(rank + 1);
        rows.identifier.push(String(identifier));
        rows.score.push(score);
      }
    });
    terminal.progress((first + part.length) / queries.length, 'queries');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writeColumns(out, [
    { name: 'query', type: 'text', values: rows.query },
    { name: 'rank', type: 'integer', values: rows.rank },
    { name: 'identifier', type: 'text', values: rows.identifier },
    { name: 'score', type: 'number', values: rows.score },
  ]);
  terminal.line(`${out}: ${count(rows.query.length)} recommendations for ${count(queries.length)} queries`);
  return 0;
};
