/**
 * `shortlist inspect FILE…`: describes a file. Of interactions it prints the recognised format and columns, and the quality of
 * the data; of vectors their number, dimensions and type; of a bundle its parts with their sizes and settings, and its metadata.
 */
import type { parseArgs } from 'node:util';
import {
  coverageOf,
  describeFindings,
  describeInteractions,
  describeLeaks,
  findLeaks,
  openVectors,
  type ReadInteractions,
  type ReadInteractionsOptions,
  readInteractions,
  readItems,
} from '@shortlist/data';
import { INTERACTION_OPTIONS, readOptions } from '../input/interactions.ts';
import { bundleAt } from '../input/versions.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { count } from '../terminal/format-numbers.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';
import { type Environment, Terminal } from '../terminal/terminal.ts';
import { inspectBundle } from './bundle.ts';
import { kindOfFile } from './kind-of-file.ts';

const OPTIONS = {
  items: { type: 'string' },
  test: { type: 'string' },
  ...INTERACTION_OPTIONS,
  json: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/** Inspect files. */
export const inspect: Command = async (argv, environment) => {
  const { values, positionals } = parseArguments({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const [path, ...more] = positionals;
  if (path === undefined) throw new UsageError('inspect: expected a file, got none');
  const first = await bundleAt(path);
  const kind = await kindOfFile(first);
  if (kind !== 'interactions' && more.length > 0) {
    throw new UsageError(`inspect: expected one ${kind} file, got ${positionals.length} files`);
  }
  if (kind === 'bundle') await inspectBundle(first, values.json ?? false, environment);
  else if (kind === 'vectors') await inspectVectors(first, values.json ?? false, environment);
  else await inspectInteractions(positionals, values, environment);
  return 0;
};

async function inspectVectors(path: string, isJson: boolean, { stdout }: Environment): Promise<void> {
  const { description, rows, dimensions } = await openVectors(path);
  if (isJson) stdout.write(`${JSON.stringify({ event: 'vectors', path, description, rows, dimensions })}\n`);
  else stdout.write(`${path}: ${description}, ${count(rows)} vectors of ${dimensions} dimensions\n`);
}

async function inspectInteractions(paths: readonly string[], values: Values, environment: Environment): Promise<void> {
  const terminal = new Terminal(environment);
  const options = readOptions(values, terminal, environment.signal);
  const read = await readInteractions(paths, options);
  terminal.clear();
  const { inferred, quality } = read;
  const vocabulary = read.table.itemVocabulary.texts();
  const items =
    values.items === undefined ? undefined : await itemsReport(values.items, vocabulary, values.strict ?? false);
  const leaks = values.test === undefined ? undefined : await leaksOf(read, values.test, options);
  if (values.json) {
    const { files, counts, ...rest } = inferred;
    const described = files.map(({ path, description, roles }) => ({ path, description, roles }));
    const timeUnits = Object.fromEntries(counts.timeUnits);
    const event = { event: 'interactions', files: described, ...rest, timeUnits, quality, items: items?.facts, leaks };
    environment.stdout.write(`${JSON.stringify(event)}\n`);
    return;
  }
  for (const line of describeInteractions(read)) terminal.line(line);
  for (const line of describeFindings(read)) terminal.line(line);
  for (const line of items?.lines ?? []) terminal.line(line);
  if (leaks !== undefined) {
    const lines = describeLeaks(leaks);
    for (const line of lines.length > 0 ? lines : ['the training part and the test part share no rows'])
      terminal.line(line);
  }
}

/** Describes the table of items, and compares it with the items of the interactions. */
async function itemsReport(
  path: string,
  known: readonly string[],
  strict: boolean,
): Promise<{ lines: string[]; facts: Record<string, unknown> }> {
  const { items, description, identifierColumn, log } = await readItems(path, { known, strict });
  const coverage = coverageOf(items, known);
  const columns = items.columns.map(({ name, kind }) => `${name} (${kind})`).join(', ');
  const without =
    coverage.withoutMetadata === 0
      ? 'every item has metadata'
      : `items without metadata: ${count(coverage.withoutMetadata)}, for example ${coverage.examples.join(', ')}`;
  return {
    lines: [
      `${path}: ${description}, ${count(items.identifiers.length)} items by ${identifierColumn}: ${columns}`,
      `${without}; rows of items without interactions: ${count(coverage.unused)}`,
      ...log.notes,
      ...log.firstBroken.map(({ line, reason }) => `${path}:${line}: left out: ${reason}`),
    ],
    facts: { path, description, identifierColumn, title: items.title?.name, ...coverage, broken: log.broken },
  };
}

async function leaksOf(train: ReadInteractions, path: string, options: ReadInteractionsOptions) {
  const test = await readInteractions(path, options);
  return findLeaks(train.table.select(), test.table.select());
}
