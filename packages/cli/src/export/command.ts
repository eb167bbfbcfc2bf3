/** `shortlist export BUNDLE --out FILE`: the recommendations of all users, or of chosen queries, as a table. */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { parseArgs } from 'node:util';
import { OUTPUT_ENDINGS, writeColumns } from '@shortlist/data';
import { AbortedError, DataError, FileError } from 'shortlist';
import { systemReason } from 'shortlist/node';
import { openBundle } from '../input/bundle.ts';
import type { Query } from '../query/question.ts';
import { checkOutput, wholeNumberOf } from '../terminal/arguments.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { count } from '../terminal/figures.ts';
import { Terminal } from '../terminal/terminal.ts';
import { knownUsers } from './known-users.ts';
import { recommend } from './recommendations.ts';

const OPTIONS = {
  queries: { type: 'string' },
  out: { type: 'string' },
  k: { type: 'string', default: '10' },
  'exclude-seen': { type: 'boolean' },
  force: { type: 'boolean', default: false },
} as const;
/** Queries of a call: they share a scan, and progress is seen. */
const QUERIES_A_CALL = 256;

/** Export recommendations. */
export const exportRows: Command = async (argv, environment) => {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: OPTIONS,
    allowPositionals: true,
    allowNegative: true,
  });
  const [path, ...more] = positionals;
  const { out, queries: queriesPath } = values;
  if (path === undefined || more.length > 0)
    throw new UsageError(`export: expected one bundle, got ${positionals.length}`);
  if (out === undefined) throw new UsageError('export: expected --out');
  const k = wholeNumberOf('k', values.k, 1);
  if (!OUTPUT_ENDINGS.includes(extname(out).toLowerCase())) {
    throw new UsageError(`--out: expected a name that ends with ${OUTPUT_ENDINGS.join(', ')}, got ${out}`);
  }
  checkOutput(out, values.force);
  const listed = queriesPath === undefined ? undefined : await readLines(queriesPath);
  const bundle = await openBundle<Query>(path);
  if (bundle.index.queryModel === undefined)
    throw new DataError(`${path}: expected a bundle that takes users, got one of vectors`);
  const queries = listed ?? knownUsers(path, bundle);
  const terminal = new Terminal(environment);
  const rows = { query: [] as string[], rank: [] as number[], identifier: [] as string[], score: [] as number[] };
  for (let first = 0; first < queries.length; first += QUERIES_A_CALL) {
    if (environment.signal.aborted) throw new AbortedError('export: interrupted, nothing was written');
    const part = queries.slice(first, first + QUERIES_A_CALL);
    const found = recommend(bundle, part, k, { 'exclude-seen': values['exclude-seen'] });
    found.query.forEach((query, i) => {
      rows.query.push(query);
      rows.rank.push(found.rank[i]!);
      rows.identifier.push(found.identifier[i]!);
      rows.score.push(found.score[i]!);
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
  const isLeftOut = values['exclude-seen'] ?? bundle.seenItems?.excludeSeen ?? false;
  terminal.line(
    `${out}: ${count(rows.query.length)} recommendations for ${count(queries.length)} queries, ` +
      `items that users have seen ${isLeftOut ? 'left out' : 'not left out'}`,
  );
  return 0;
};

/** The lines of a file that are not empty. @throws {FileError} when the system refuses */
async function readLines(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new FileError(`${path}: cannot be read: ${systemReason(error)}`, { cause: error });
  });
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '');
}
