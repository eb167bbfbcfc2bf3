/** The inputs of the tutorial's benchmark: the data, our trained model, and the files for a peer. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BruteForce, FactorizedTopK, type Matrix, StringLookup, Tower, TwoTowerModel } from 'shortlist';
import { tutorialSplit } from 'shortlist/datasets';
import { loadMovieLens } from 'shortlist/node';
import { Generator } from 'shortlist/random';

/** The tutorial makes 1,000 shrunk copies of every movie: 1,683,682 candidates in total. */
const COPIES = 1000;

/** Columns of features. */
export interface Columns {
  queries: readonly string[];
  candidates: readonly string[];
}

/** The tutorial's data and model. */
export interface Work {
  line: string;
  train: Columns;
  test: Columns;
  titles: readonly string[];
  model: TwoTowerModel;
  exact: BruteForce<string, string>;
}

/** Read the data and train three epochs. */
export async function prepare(): Promise<Work> {
  const { data, line } = await loadMovieLens();
  const split = tutorialSplit(data);
  const seeds = new Generator(42);
  const tower = (side: string, words: readonly string[]): Tower =>
    Tower.create({ vocabulary: StringLookup.adapt(words).vocabulary, seed: seeds.fork(side).uint32() });
  const queryTower = tower('user', data.interactions.userIds);
  const candidateTower = tower('title', data.movies.titles);
  const model = new TwoTowerModel({ queryTower, candidateTower });
  const train = { queries: split.train.userIds, candidates: split.train.titles };
  await model.fit(train, { epochs: 3, shuffle: false, samplingCorrection: false });
  const titles = split.movies.titles;
  const exact = new BruteForce<string, string>({ queryModel: queryTower }).index(candidateTower.embed(titles), titles);
  return { line, train, test: { queries: split.test.userIds, candidates: split.test.titles }, titles, model, exact };
}

/** Write the text files that the TFRS peer loads, and return their paths by field. */
export function writeForPeer({ train, test, titles }: Work, folder: string): Record<string, string> {
  mkdirSync(folder, { recursive: true });
  const files = {
    trainUsers: train.queries,
    trainTitles: train.candidates,
    testUsers: test.queries,
    testTitles: test.candidates,
    titles,
  };
  return Object.fromEntries(
    Object.entries(files).map(([name, lines]) => {
      const path = join(folder, `${name}.txt`);
      writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
      return [name, path];
    }),
  );
}

/** All movies and their shrunk copies, row r of copy c at (c + 1) · movies + r. */
export function shrunkCopies(base: Matrix, copies: number = COPIES): { data: Float32Array; dimensions: number } {
  const generator = new Generator(0).fork('shrunk copies');
  const rows = base.data;
  const data = new Float32Array(rows.length * (copies + 1));
  data.set(rows);
  for (let i = rows.length; i < data.length; i++) data[i] = rows[i % rows.length]! * generator.uniform();
  return { data, dimensions: base.dimensions };
}

/**
 * Evaluate the test part with an exact index of the movies, whose embedding and indexing is included; or with another index,
 * whose first rows are the movies.
 */
export async function evaluate(
  { model, test, titles, exact }: Work,
  over?: BruteForce<number[], number>,
): Promise<{ seconds: number; top100: number }> {
  const start = performance.now();
  if (!over) exact.index(model.candidateTower.embed(titles), titles);
  const rowOf = new Map(titles.map((title, row) => [title, row] as const).reverse());
  const dataset = over ? { ...test, candidateIds: test.candidates.map((title) => rowOf.get(title)!) } : test;
  const metrics = over ? new FactorizedTopK({ candidates: over }) : new FactorizedTopK({ candidates: exact });
  const { metrics: values } = await model.evaluate(dataset, { metrics });
  const seconds = (performance.now() - start) / 1000;
  return { seconds, top100: values['factorized_top_k/top_100_categorical_accuracy']! };
}
