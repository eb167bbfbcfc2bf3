/**
 * The identifiers of vectors: a text file of one a line, or a `.npy` of whole numbers. They stay text: 007 is not 7.
 *
 * A line with nothing on it, and an identifier that an earlier line has, are broken rows: their vectors are left out, so
 * that every candidate can be named and none is returned twice.
 */
import { DataError } from 'shortlist';
import { openBytes, readHead } from '../bytes/file-bytes.ts';
import { ReadLog } from '../bytes/read-log.ts';
import { lineBlocks } from '../bytes/text-chunks.ts';
import { NPY_MAGIC, npyIntegers } from './npy.ts';

/**
 * Reads identifiers, one per row of the vectors.
 *
 * @param rows how many there must be
 * @param log hears of the rows that are left out; they are '' in what is returned
 * @throws {DataError} when there are more or fewer, or, where the log is strict, at the first that is empty or repeated
 */
export async function readIdentifiers(path: string, rows: number, log: ReadLog = new ReadLog(path)): Promise<string[]> {
  const head = Buffer.from(await readHead(path, NPY_MAGIC.length)).toString('latin1');
  const identifiers = head === NPY_MAGIC ? await npyIntegers(path) : await readLines(path, log);
  // Most files end with a line end; one that does not may have an empty last line that counts.
  if (identifiers.length === rows + 1 && identifiers[rows] === '') identifiers.pop();
  if (identifiers.length !== rows) {
    throw new DataError(`${path}: expected ${rows} identifiers, one a vector, got ${identifiers.length}`);
  }
  const firstRows = new Map<string, number>();
  return identifiers.map((identifier, row) => {
    const earlier = firstRows.get(identifier);
    if (identifier === '') log.reject(row + 1, 'expected an identifier, got nothing');
    else if (earlier === undefined) firstRows.set(identifier, row);
    else
      log.reject(
        row + 1,
        `expected an identifier of its own, got ${JSON.stringify(identifier)} of line ${earlier + 1}`,
      );
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
