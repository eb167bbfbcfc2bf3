/** The bundle that is served: the tutorial's query tower over all movies and 1,000 shrunk copies, and the exact answers. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BruteForce } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { prepare, shrunkCopies } from '../tutorial/work.ts';

/** Users whose answers are checked before anything is timed. */
const CHECKED_USERS = 200;
const K = 10;

/** What the benchmark serves. */
export interface ServedWork {
  basePath: string;
  line: string;
  candidates: number;
  dimensions: number;
  users: readonly string[];
  /** Rows of the true top 10 of the first users. */
  truth: readonly (readonly number[])[];
}

/** Train, index, save as version 1 below `folder`. */
export async function buildBundle(folder: string): Promise<ServedWork> {
  const { line, model, titles, test } = await prepare();
  const vectors = shrunkCopies(model.candidateTower.embed([...titles]));
  const users = [...new Set(test.queries)];
  const exact = new BruteForce<string, number>({ queryModel: model.queryTower, k: K }).index(vectors);
  const basePath = join(folder, 'movies');
  await saveVersion(basePath, 1, exact);
  const checked = users.slice(0, CHECKED_USERS);
  const answer = exact.call(checked, K);
  const truth = checked.map((_, i) => [...answer.identifiers(i)]);
  return { basePath, line, candidates: exact.size, dimensions: exact.dimensions, users, truth };
}

/** Save an index as a version. */
export async function saveVersion(basePath: string, version: number, index: BruteForce<string, number>): Promise<void> {
  const path = join(basePath, String(version));
  mkdirSync(path, { recursive: true });
  await saveBundle(join(path, 'model.shortlist'), { index });
}
