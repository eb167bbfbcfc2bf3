/**
 * `shortlist index VECTORS --out BUNDLE`: an index of vectors that were made elsewhere, tuned to a recall, with identifiers
 * and with attributes from any table, saved as a bundle that a server serves.
 */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { coverageOf, joinItems, openVectors, ReadLog, readIdentifiers, readItems } from '@shortlist/data';
import { FileError, type Json, type JsonObject } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { type Command, UsageError } from '../terminal/command.ts';
import { bytes, count, duration } from '../terminal/figures.ts';
import { Terminal } from '../terminal/terminal.ts';
import { readNamedVectors } from './named-vectors.ts';
import { tunedIndex } from './tuned-index.ts';

const OPTIONS = {
  out: { type: 'string' },
  ids: { type: 'string' },
  items: { type: 'string' },
  'id-column': { type: 'string' },
  'title-column': { type: 'string' },
  measure: { type: 'string', default: 'cosine' },
  recall: { type: 'string', default: '0.95' },
  k: { type: 'string', default: '10' },
  seed: { type: 'string', default: '42' },
  strict: { type: 'boolean', default: false },
  force: { type: 'boolean', default: false },
} as const;

const MEASURES = ['cosine', 'dot_product', 'squared_l2'] as const;

/** Index vectors. */
export const index: Command = async (argv, environment) => {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) {
    throw new UsageError(`index: expected one file of vectors, got ${positionals.length}`);
  }
  const { out, strict } = values;
  if (out === undefined) throw new UsageError('--out: expected where the bundle is written, got nothing');
  const distanceMeasure = MEASURES.find((measure) => measure === values.measure);
  if (distanceMeasure === undefined) {
    throw new UsageError(`--measure: expected ${MEASURES.join(', ')}, got ${JSON.stringify(values.measure)}`);
  }
  const settings = {
    distanceMeasure,
    targetRecall: numberOf('recall', values.recall, 0.01, 1),
    k: wholeNumberOf('k', values.k, 1),
    seed: wholeNumberOf('seed', values.seed, 0),
  };
  // Before an hour of work, not after it.
  if (existsSync(out) && !values.force) throw new FileError(`${out}: exists already; --force replaces it`);
  const folder = dirname(out);
  if (!existsSync(folder)) throw new FileError(`${out}: expected a folder ${folder}, there is none`);
  const terminal = new Terminal(environment);
  const started = environment.now();
  const file = await openVectors(path);
  terminal.note(`${path}: ${file.description}, ${count(file.rows)} vectors of ${file.dimensions} dimensions`);
  const log = new ReadLog(values.ids ?? path, { strict });
  const identifiers = values.ids === undefined ? undefined : await readIdentifiers(values.ids, file.rows, log);
  for (const { line, reason } of log.firstBroken) terminal.note(`${log.path}:${line}: vector left out: ${reason}`);
  if (log.broken > log.firstBroken.length) terminal.note(`${count(log.broken)} vectors are left out altogether`);
  const vectors = await readNamedVectors(file, identifiers, environment.signal, terminal);
  const attributes = values.items === undefined ? undefined : await attributesOf(vectors.identifiers, values, terminal);
  const built = await tunedIndex(vectors, settings, environment, terminal);
  const metadata: JsonObject = {
    ...(attributes && { attributes }),
    index: { vectors: file.description, measure: distanceMeasure, recall: built.recall, k: settings.k },
  };
  await saveBundle(out, { index: built.index, metadata });
  terminal.line(
    `${out}: ${count(vectors.rows)} candidates, ${distanceMeasure}, recall@${settings.k} ${built.recall.toFixed(3)} ` +
      `(${built.isTargetReached ? 'asked for' : 'best found; asked for'} ${settings.targetRecall}), ` +
      `${bytes((await stat(out)).size)}, ${duration(environment.now() - started)}`,
  );
  terminal.line(`Serve it: shortlist serve ${out}`);
  return 0;
};

/** Columns of a table in the order of the candidates, as a server takes them. */
async function attributesOf(
  identifiers: readonly string[],
  values: { items?: string; 'id-column'?: string; 'title-column'?: string; strict?: boolean },
  terminal: Terminal,
): Promise<JsonObject> {
  const path = values.items!;
  const { items, description, identifierColumn, log } = await readItems(path, {
    known: identifiers,
    identifierColumn: values['id-column'],
    titleColumn: values['title-column'],
    strict: values.strict,
  });
  const coverage = coverageOf(items, identifiers);
  const columns = joinItems(items, identifiers);
  const shown = columns.map(({ name, kind }) => `${name} (${kind})`).join(', ');
  terminal.note(`${path}: ${description}, ${count(items.identifiers.length)} items by ${identifierColumn}: ${shown}`);
  for (const note of log.notes) terminal.note(note);
  for (const { line, reason } of log.firstBroken) terminal.note(`${path}:${line}: left out: ${reason}`);
  if (coverage.withoutMetadata > 0) {
    terminal.note(`${count(coverage.withoutMetadata)} candidates have no row there, such as ${coverage.examples[0]}`);
  }
  const lists = columns.filter(({ kind }) => kind === 'list').map(({ name }) => name);
  if (lists.length > 0) terminal.note(`lists are kept as text with bars between their words: ${lists.join(', ')}`);
  return Object.fromEntries(
    columns.map(({ name, values: cells }) => [
      name,
      cells.map((cell): Json => (Array.isArray(cell) ? cell.join('|') : (cell as Json))),
    ]),
  );
}

function numberOf(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max)) {
    throw new UsageError(`--${name}: expected a number from ${min} to ${max}, got ${JSON.stringify(text)}`);
  }
  return value;
}

function wholeNumberOf(name: string, text: string, min: number): number {
  const value = numberOf(name, text, min, 2 ** 31 - 1);
  if (!Number.isInteger(value)) throw new UsageError(`--${name}: expected a whole number, got ${JSON.stringify(text)}`);
  return value;
}
