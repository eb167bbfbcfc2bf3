/**
 * `shortlist index VECTORS --out BUNDLE`: builds an index of vectors that another program computed, tunes it to a recall, and
 * saves it as a bundle with identifiers and with attributes from a table.
 */
import { rm, stat } from 'node:fs/promises';
import { distinctIdentifiers, openVectors, ReadLog, readIdentifiers, type VectorFile } from '@shortlist/data';
import type { DistanceMeasure } from 'shortlist';
import type { JsonObject } from 'shortlist/format';
import { saveBundle } from 'shortlist/node';
import { attributeMetadata, ITEM_OPTIONS, readItemTable } from '../input/attributes.ts';
import { checkOutput, numberOf, wholeNumberOf, wordOf } from '../terminal/arguments.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { bytes, count, duration } from '../terminal/format-numbers.ts';
import { whenInterrupted } from '../terminal/interrupted.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';
import { type Environment, Terminal } from '../terminal/terminal.ts';
import { countNamed, namesOf, readNamedVectors } from './named-vectors.ts';
import { streamedIndex, unfinishedFiles, untunedPath } from './streamed-index.ts';
import { checkIndexMemory, type TunedIndexSettings, tunedIndex } from './tuned-index.ts';

const OPTIONS = {
  out: { type: 'string' },
  ids: { type: 'string' },
  'vector-column': { type: 'string' },
  'vector-id-column': { type: 'string' },
  ...ITEM_OPTIONS,
  'memory-bytes': { type: 'string' },
  measure: { type: 'string', default: 'cosine' },
  recall: { type: 'string', default: '0.95' },
  k: { type: 'string', default: '10' },
  seed: { type: 'string', default: '42' },
  strict: { type: 'boolean', default: false },
  force: { type: 'boolean', default: false },
} as const;

/** More than any machine has. */
const MEMORY_BYTES_MAX = 2 ** 48;
const MEASURES = ['cosine', 'dot_product', 'squared_l2'] as const;

/** Index vectors. */
export const index: Command = async (argv, environment) => {
  const { values, positionals } = parse(argv);
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) {
    throw new UsageError(`index: expected one file of vectors, got ${positionals.length}`);
  }
  const { out } = values;
  if (out === undefined) throw new UsageError('index: expected --out FILE, got none');
  const distanceMeasure = wordOf('measure', values.measure, MEASURES);
  const settings = {
    distanceMeasure,
    targetRecall: numberOf('recall', values.recall, 0.01, 1),
    k: wholeNumberOf('k', values.k, 1),
    seed: wholeNumberOf('seed', values.seed, 0),
  };
  const memoryBytes = memoryBytesOf(values['memory-bytes']);
  checkOutput(out, values.force);
  const given = { path, out, memoryBytes, settings, values };
  const kept = (): string =>
    memoryBytes !== undefined && unfinishedFiles(out).length > 0 ? 'the same command continues' : 'nothing was written';
  return indexFile(given, environment).catch(whenInterrupted('index', kept));
};

/** The arguments, of which those that need it are checked. */
interface Given {
  readonly path: string;
  readonly out: string;
  readonly memoryBytes: number | undefined;
  readonly settings: Pick<TunedIndexSettings<never>, 'distanceMeasure' | 'targetRecall' | 'k' | 'seed'>;
  readonly values: ReturnType<typeof parse>['values'];
}

const parse = (argv: readonly string[]) =>
  parseArguments({ args: [...argv], options: OPTIONS, allowPositionals: true });

async function indexFile(
  { path, out, memoryBytes, settings, values }: Given,
  environment: Environment,
): Promise<number> {
  const terminal = new Terminal(environment);
  const started = environment.now();
  const columns = { vectorColumn: values['vector-column'], identifierColumn: values['vector-id-column'] };
  const file = await openVectors(path, columns);
  terminal.note(`${path}: ${file.description}, ${count(file.rows)} vectors of ${file.dimensions} dimensions`);
  const log = new ReadLog(values.ids ?? path, { strict: values.strict });
  const identifiers = await identifiersOf(file, values.ids, log, environment.signal);
  for (const { line, reason } of log.firstBroken) terminal.note(`${log.path}:${line}: vector left out: ${reason}`);
  if (log.broken > log.firstBroken.length) terminal.note(`${count(log.broken)} vectors are left out in total`);
  const rows = countNamed(file, identifiers);
  if (memoryBytes === undefined) {
    noteUnfinished(out, terminal);
    checkIndexMemory({ rows, dimensions: file.dimensions }, settings);
  }
  const untuned = untunedPath(out);
  const sources = [path, ...(values.ids === undefined ? [] : [values.ids])];
  const source = memoryBytes === undefined ? undefined : { file, sources, identifiers, memoryBytes, untuned };
  const streamed = source && (await streamedIndex(source, settings, environment, terminal));
  const vectors = streamed ? undefined : await readNamedVectors(file, identifiers, environment.signal, terminal);
  let attributes: JsonObject | undefined;
  const { items } = values;
  if (items !== undefined) {
    const names = vectors?.identifiers ?? namesOf(file, identifiers);
    const table = await readItemTable(names, { ...values, items }, environment.signal, terminal);
    attributes = attributeMetadata(table, names);
  }
  noteZeros((streamed ?? vectors!).zeros, rows, settings.distanceMeasure, terminal);
  const built = streamed ?? (await tunedIndex(vectors!, settings, environment, terminal));
  const metadata: JsonObject = {
    ...attributes,
    index: { vectors: file.description, measure: settings.distanceMeasure, recall: built.recall, k: settings.k },
  };
  await saveBundle(out, { index: built.index, metadata });
  const { reorder, rowLoss } = built.index.stats();
  if (streamed) {
    streamed.index.free();
    await rm(untuned, { force: true });
  }
  terminal.line(
    `${out}: ${count(rows)} candidates, ${settings.distanceMeasure}, recall@${settings.k} ${built.recall.toFixed(3)} ` +
      `(${built.isTargetReached ? 'target' : 'the highest that was found; target'} ${settings.targetRecall}), ` +
      `${bytes((await stat(out)).size)}, ${duration(environment.now() - started)}`,
  );
  if (rowLoss) {
    const lost = `int8 loses ${rowLoss.int8.toFixed(4)}, bfloat16 ${rowLoss.bfloat16.toFixed(4)}`;
    terminal.line(`Vectors are kept as ${reorder}: of recall@${rowLoss.k}, ${lost}`);
  }
  terminal.line(`Next: shortlist serve ${out}`);
  return 0;
}

/** Without --memory-bytes nothing would use these files, and nothing else would ever name them. */
function noteUnfinished(out: string, terminal: Terminal): void {
  for (const path of unfinishedFiles(out)) {
    terminal.note(
      `${path}: left by a build with --memory-bytes that did not finish; remove it, or run that command again`,
    );
  }
}

/** By cosine a vector of zeros scores 0 for every query, so it is never near to one. */
function noteZeros(zeros: number, rows: number, measure: DistanceMeasure, terminal: Terminal): void {
  if (zeros === 0 || measure !== 'cosine') return;
  terminal.note(
    `${count(zeros)} of ${count(rows)} vectors are zeros alone: by cosine they have no direction, and score 0`,
  );
}

function memoryBytesOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : wholeNumberOf('memory-bytes', text, 1, MEMORY_BYTES_MAX);
}

/** The identifiers of a file of their own, or else those that the file of vectors has; undefined for row numbers. */
async function identifiersOf(
  file: VectorFile,
  ids: string | undefined,
  log: ReadLog,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  if (ids !== undefined) return readIdentifiers(ids, file.rows, log);
  if (!file.identifiers) return undefined;
  return distinctIdentifiers(file.path, await file.identifiers(signal), file.rows, log);
}
