/**
 * The queries with which `bench` and `tune` measure a bundle: the lines of a file; without a file a sample of the users whom
 * the model knows or, for a bundle of vectors, of its candidates.
 */
import { readFile } from 'node:fs/promises';
import {
  type Bundle,
  DataError,
  type Features,
  FileError,
  historyVectors,
  type Identifier,
  type Queries,
  type Tower,
  type VectorsLike,
} from 'shortlist';
import { systemReason } from 'shortlist/node';
import { itemsByUser, listOf, splitHistory } from 'shortlist/recommenders';
import { isUpdatable } from 'shortlist/topk';

/** The size of a sample. `tune` chooses settings on one half of it and checks them on the other half. */
export const SAMPLED_QUERIES = 500;

/** Queries, and a description of them for messages. */
export interface SampledQueries {
  readonly queries: Queries<string> | VectorsLike;
  readonly count: number;
  readonly description: string;
}

/**
 * The queries for a bundle.
 *
 * @param file a text file with one query a line; only for a bundle whose queries are users
 * @throws {FileError} when the file cannot be read
 * @throws {DataError} when the bundle has no users and no candidates to sample from
 */
export async function sampledQueries(
  path: string,
  bundle: Bundle<string, Identifier>,
  file: string | undefined,
): Promise<SampledQueries> {
  const { index, foldIn, seenItems } = bundle;
  const queryTower = bundle.queryTower as Tower | Tower<Features> | undefined;
  if (file !== undefined) {
    if (index.queryModel === undefined) {
      throw new DataError(`${path}: --queries needs a bundle whose queries are users, got a bundle of vectors`);
    }
    const text = await readFile(file, 'utf8').catch((error: Error) => {
      throw new FileError(`${file}: cannot be read: ${systemReason(error)}`, { cause: error });
    });
    const queries = text.split(/\r?\n/).filter((line) => line !== '');
    if (queries.length === 0) throw new DataError(`${file}: expected one query a line, got none`);
    if (queryTower?.features) {
      const vectors = vectorsOf(
        queryTower,
        queries.map((line, i) => featuresOf(line, file, i + 1)),
      );
      return { queries: vectors, count: queries.length, description: `queries from ${file}` };
    }
    return { queries, count: queries.length, description: `queries from ${file}` };
  }
  if (queryTower?.features && seenItems?.seenAsHistory === 'always') {
    const { users, items, ...rows } = seenItems.toInteractions();
    const lists = itemsByUser({ users, items, ...rows });
    const all = [...users.vocabulary.keys()].map((user) =>
      Array.from(listOf(lists, user), (i) => items.vocabulary[i]!),
    );
    const known = everySoMany(all.filter((list) => splitHistory(index, list).known.length > 0));
    const { vectors } = historyVectors(index, known);
    return { queries: vectors, count: known.length, description: 'histories of users' };
  }
  const inputs = queryTower?.inputs ?? [];
  const lookup = inputs.length === 1 ? inputs[0]!.lookup : undefined;
  // The first entry of a vocabulary stands for unknown words.
  const users = foldIn?.parts.users.vocabulary ?? lookup?.vocabulary.slice(1) ?? [];
  if (users.length > 0) {
    const queries = everySoMany(users);
    return { queries, count: queries.length, description: 'users whom the model knows' };
  }
  const identifiers = isUpdatable(index) && index.queryModel === undefined ? index.identifiers : undefined;
  if (identifiers === undefined || index.size === 0 || !isUpdatable(index)) {
    throw new DataError(`${path}: expected --queries FILE, because the bundle has no list of users`);
  }
  const rows = everySoMany(Array.from({ length: identifiers.size }, (_, row) => row));
  const sampled = [...new Set(rows.map((row) => identifiers.of(row)))].filter((each) => index.hasCandidate(each));
  const { data, dimensions } = index.candidateVectors(sampled);
  return { queries: { data, dimensions }, count: sampled.length, description: 'candidates as queries' };
}

/** The features of a line: JSON, or one value alone. */
function featuresOf(line: string, file: string, number: number): Features {
  if (!/^\s*[[{]/.test(line)) return line;
  try {
    return JSON.parse(line) as Features;
  } catch (error) {
    throw new DataError(`${file}:${number}: expected features as JSON, got ${(error as Error).message}`);
  }
}

function vectorsOf(tower: Tower | Tower<Features>, rows: readonly Features[]): VectorsLike {
  return (tower as Tower<Features>).embed(rows);
}

function everySoMany<T>(all: readonly T[]): T[] {
  const count = Math.min(SAMPLED_QUERIES, all.length);
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);
}
