/**
 * Queries by which a bundle is measured: the lines of a file, else users that the model knows, else, in a bundle of vectors,
 * candidates as queries.
 */
import { readFile } from 'node:fs/promises';
import { type Bundle, DataError, FileError, type Identifier, type Queries, type VectorsLike } from 'shortlist';
import { isUpdatable } from 'shortlist/topk';

/** Queries that are taken where nothing says how many: `tune` chooses on one half of them and checks on the other. */
export const SAMPLED_QUERIES = 500;

/** Queries, and in words what they are. */
export interface SampledQueries {
  readonly queries: Queries<string> | VectorsLike;
  readonly count: number;
  readonly description: string;
}

/**
 * Queries for a bundle.
 *
 * @param file a query in each line; only for a bundle that takes users
 * @throws {FileError} when the file cannot be read
 * @throws {DataError} when the bundle has nothing to take queries from
 */
export async function sampledQueries(
  path: string,
  bundle: Bundle<string, Identifier>,
  file: string | undefined,
): Promise<SampledQueries> {
  const { index, foldIn, queryTower } = bundle;
  if (file !== undefined) {
    if (index.queryModel === undefined) {
      throw new DataError(`${path}: expected a bundle that takes users beside --queries, got one of vectors`);
    }
    const text = await readFile(file, 'utf8').catch((error: Error) => {
      throw new FileError(`${file}: cannot be read: ${error.message}`, { cause: error });
    });
    const queries = text.split(/\r?\n/).filter((line) => line !== '');
    if (queries.length === 0) throw new DataError(`${file}: expected a query in each line, got none`);
    return { queries, count: queries.length, description: `queries of ${file}` };
  }
  const inputs = queryTower?.inputs ?? [];
  // The first word of a vocabulary stands for those that are not in it.
  const users = foldIn?.parts.users.vocabulary ?? (inputs.length === 1 ? inputs[0]!.lookup.vocabulary.slice(1) : []);
  if (users.length > 0) {
    const queries = everySoMany(users);
    return { queries, count: queries.length, description: 'users that the model knows' };
  }
  const identifiers = isUpdatable(index) && index.queryModel === undefined ? index.identifiers : undefined;
  if (identifiers === undefined || index.size === 0 || !isUpdatable(index)) {
    throw new DataError(`${path}: expected --queries FILE, as the bundle does not say what it is asked with`);
  }
  const rows = everySoMany(Array.from({ length: identifiers.size }, (_, row) => row));
  const sampled = [...new Set(rows.map((row) => identifiers.of(row)))].filter((each) => index.hasCandidate(each));
  const { data, dimensions } = index.candidateVectors(sampled);
  return { queries: { data, dimensions }, count: sampled.length, description: 'candidates as queries' };
}

function everySoMany<T>(all: readonly T[]): T[] {
  const count = Math.min(SAMPLED_QUERIES, all.length);
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);
}
