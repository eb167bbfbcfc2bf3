/** `shortlist export BUNDLE --out FILE`: writes recommendations, neighbours, or the vectors of candidates or users to a file. */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import {
  identifiersPath,
  OUTPUT_ENDINGS,
  type OutputBatch,
  VECTOR_OUTPUT_ENDINGS,
  writeBatches,
} from '@shortlist/data';
import { AbortedError, DataError, FileError } from 'shortlist';
import { systemReason } from 'shortlist/node';
import { openBundle } from '../input/bundle.ts';
import type { Query } from '../query/search-request.ts';
import { checkOutput, wholeNumberOf, wordOf } from '../terminal/arguments.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { count } from '../terminal/format-numbers.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';
import { type Environment, Terminal } from '../terminal/terminal.ts';
import { CONTENTS, type Content, embeddings, neighbours, recommendations, users } from './contents.ts';
import { knownUsers } from './known-users.ts';

const OPTIONS = {
  what: { type: 'string', default: 'recommendations' },
  queries: { type: 'string' },
  out: { type: 'string' },
  k: { type: 'string' },
  'exclude-seen': { type: 'boolean' },
  force: { type: 'boolean', default: false },
} as const;
/** The default of --k. */
const DEFAULT_K = '10';
/** Queries or candidates of a batch, which share a scan; progress is shown after each batch. */
const SOURCES_A_BATCH = 256;
type Flag = 'queries' | 'k' | 'exclude-seen';
type Values = { readonly [F in Flag]?: string | boolean | undefined };

/** Export recommendations, neighbours or vectors. */
export const exportRows: Command = async (argv, environment) => {
  const { values, positionals } = parseArguments({
    args: [...argv],
    options: OPTIONS,
    allowPositionals: true,
    allowNegative: true,
  });
  const [path, ...more] = positionals;
  const { out } = values;
  if (path === undefined || more.length > 0)
    throw new UsageError(`export: expected one bundle, got ${positionals.length}`);
  if (out === undefined) throw new UsageError('export: expected --out FILE, got none');
  const what = wordOf('what', values.what, CONTENTS);
  const isRanked = what === 'recommendations' || what === 'neighbours';
  if (!isRanked) refuse(values, what, 'k');
  if (what !== 'recommendations') refuse(values, what, 'queries', 'exclude-seen');
  const k = wholeNumberOf('k', values.k ?? DEFAULT_K, 1);
  const endings = isRanked ? OUTPUT_ENDINGS : VECTOR_OUTPUT_ENDINGS;
  const ending = extname(out).toLowerCase();
  if (!endings.includes(ending))
    throw new UsageError(`--out: expected a name that ends with ${endings.join(', ')} for ${what}, got ${out}`);
  const outputs = ending === '.npy' ? [out, identifiersPath(out)] : [out];
  for (const output of outputs) checkOutput(output, values.force);
  const listed = values.queries === undefined ? undefined : await readLines(values.queries);
  const bundle = await openBundle<Query>(path);
  const terminal = new Terminal(environment);
  let suffix = '';
  let content: Content;
  if (what === 'recommendations') {
    if (bundle.index.queryModel === undefined)
      throw new DataError(`${path}: expected a bundle that takes users, got one of vectors`);
    content = recommendations(bundle, listed ?? knownUsers(path, bundle), k, values);
    const isLeftOut = values['exclude-seen'] ?? bundle.seenItems?.excludeSeen ?? false;
    suffix = `, items that users have seen ${isLeftOut ? 'left out' : 'not left out'}`;
  } else if (what === 'neighbours') content = neighbours(path, bundle, k);
  else content = what === 'users' ? users(path, bundle) : embeddings(path, bundle);
  const written = { rows: 0 };
  await writeBatches(out, content.columns, content.sources, batchesOf(content, terminal, environment, written));
  const { sources, sourceName } = content;
  terminal.line(`${outputs.join(', ')}: ${count(written.rows)} rows for ${count(sources)} ${sourceName}${suffix}`);
  return 0;
};

/** Refuses options that do not apply to a content. @throws {UsageError} naming the first of them */
function refuse(values: Values, what: string, ...flags: Flag[]): void {
  const flag = flags.find((name) => values[name] !== undefined);
  if (flag !== undefined) throw new UsageError(`--${flag}: not allowed with --what ${what}`);
}

/** The batches of a content. @throws {AbortedError} at Ctrl-C */
async function* batchesOf(
  { sources, sourceName, rowsOf }: Content,
  terminal: Terminal,
  { signal }: Environment,
  written: { rows: number },
): AsyncGenerator<OutputBatch> {
  for (let first = 0; first < sources; first += SOURCES_A_BATCH) {
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) throw new AbortedError('export: interrupted, nothing was written');
    const end = Math.min(first + SOURCES_A_BATCH, sources);
    const batch = rowsOf(first, end);
    written.rows += batch[0]!.length;
    yield batch;
    terminal.progress(end / sources, sourceName);
  }
  if (signal.aborted) throw new AbortedError('export: interrupted, nothing was written');
}

/** The lines of a file that are not empty. @throws {FileError} when the file cannot be read */
async function readLines(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new FileError(`${path}: cannot be read: ${systemReason(error)}`, { cause: error });
  });
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '');
}
