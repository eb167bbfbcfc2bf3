/**
 * Reads the identifiers of vectors from a text file with one identifier in each line, or from a `.npy` of whole numbers.
 * Identifiers are text: 007 is not 7.
 *
 * An empty line and a repeated identifier are broken rows. Their vectors are left out, so that every candidate has an
 * identifier of its own.
 */
import { DataError } from 'shortlist';
import { checkArgument, checkInteger, instanceOf, STRING, WORDS } from 'shortlist/options';
import { openBytes, readHead } from '../bytes/file-bytes.ts';
import { ReadLog } from '../bytes/read-log.ts';
import { lineBlocks } from '../bytes/text-chunks.ts';
import { NPY_MAGIC, npyIntegers } from './npy.ts';

const LOG = instanceOf('a ReadLog', () => ReadLog);

/**
 * Reads identifiers, one per row of the vectors.
 *
 * @param rows the required number of identifiers
 * @param log records the rows that are left out, whose identifiers in the result are ''
 * @throws {DataError} when there are more or fewer, or at the first empty or repeated identifier if the log is strict
 */
export async function readIdentifiers(path: string, rows: number, log: ReadLog = new ReadLog(path)): Promise<string[]> {
  checkArgument('path', path, STRING);
  checkInteger('rows', rows, 0);
  checkArgument('log', log, LOG);
  const head = Buffer.from(await readHead(path, NPY_MAGIC.length)).toString('latin1');
  const identifiers = head === NPY_MAGIC ? await npyIntegers(path) : await readLines(path, log);
  // A line end at the end of the file does not begin another line.
  if (identifiers.length === rows + 1 && identifiers[rows] === '') identifiers.pop();
  return distinctIdentifiers(path, identifiers, rows, log);
}

/**
 * The identifiers that the file of the vectors has, checked as those of `readIdentifiers`.
 *
 * @throws as `readIdentifiers`
 */
export function distinctIdentifiers(
  path: string,
  identifiers: readonly string[],
  rows: number,
  log: ReadLog,
): string[] {
  checkArgument('path', path, STRING);
  checkArgument('identifiers', identifiers, WORDS);
  checkInteger('rows', rows, 0);
  checkArgument('log', log, LOG);
  if (identifiers.length !== rows) {
    throw new DataError(`${path}: expected ${rows} identifiers, as many as vectors, got ${identifiers.length}`);
  }
  const firstRows = new Map<string, number>();
  return identifiers.map((identifier, row) => {
    const earlier = firstRows.get(identifier);
    if (identifier === '') log.reject(row + 1, 'expected an identifier, got nothing');
    else if (earlier === undefined) firstRows.set(identifier, row);
    else
      log.reject(row + 1, `expected a new identifier, got ${JSON.stringify(identifier)} of line ${earlier + 1} again`);
    return earlier === undefined ? identifier : '';
  });
}

async function readLines(path: string, log: ReadLog): Promise<string[]> {
  const lines: string[] = [];
  for await (const block of lineBlocks(await openBytes(path), log)) {
    for (const line of block) lines.push(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
  return lines;
}
