/**
 * The steps of the tutorial after training: index the movies, evaluate the model, print a shortlist, save and load, and search
 * again.
 */
import { stat } from 'node:fs/promises';
import { BruteForce, type Evaluation, FactorizedTopK, type Identifier, type TopK, type TopKResult } from 'shortlist';
import type { TutorialSplit } from 'shortlist/datasets';
import type { SavableIndex } from 'shortlist/format';
import { loadBundle, saveBundle } from 'shortlist/node';
import type { Report } from '../terminal/reporter.ts';
import type { Environment } from '../terminal/terminal.ts';
import type { TutorialEvent } from './events.ts';
import { reportLatency } from './latency.ts';
import type { Trained } from './training.ts';

/** Titles in the shortlist that is shown. */
const SHOWN = 5;

/** Make an exact index of all movies, and evaluate the model on the test part. */
export async function evaluateModel(
  trained: Trained,
  split: TutorialSplit,
  environment: Environment,
  report: Report<TutorialEvent>,
): Promise<BruteForce<string, string>> {
  const { index, evaluation } = await evaluated(trained, split, environment);
  report({ event: 'evaluation', index: 'BruteForce', ...evaluation });
  const { now } = environment;
  reportLatency('BruteForce', index.size, (query) => index.call(query).identifiers(), split.test.userIds, now, report);
  return index;
}

/** The metrics of the model on the test part, with an exact index of all movies. */
export async function evaluateExactly(
  trained: Trained,
  split: TutorialSplit,
  environment: Environment,
): Promise<Evaluation> {
  return (await evaluated(trained, split, environment)).evaluation;
}

async function evaluated(
  { model }: Trained,
  { test, movies }: TutorialSplit,
  { now, signal }: Environment,
): Promise<{ index: BruteForce<string, string>; evaluation: Evaluation }> {
  const { queryTower, candidateTower } = model;
  const index = new BruteForce<string, string>({ queryModel: queryTower, k: SHOWN });
  index.index(candidateTower.embed(movies.titles), movies.titles);
  const dataset = { queries: test.userIds, candidates: test.titles };
  const metrics = new FactorizedTopK({ candidates: index });
  return { index, evaluation: await model.evaluate(dataset, { metrics, clock: now, signal }) };
}

/** An index, the user of the example query, and the titles of the results. */
export interface Shown<I extends Identifier> {
  name: string;
  index: TopK<string, I>;
  user: string;
  titleOf: (identifier: I) => string;
}

/** Search for a user and report the shortlist. */
export function recommend<I extends Identifier>(
  { name, index, user, titleOf }: Shown<I>,
  report: Report<TutorialEvent>,
): TopKResult<I> {
  const result = index.call(user, SHOWN);
  const hits = result.hits().map(({ identifier, score }) => ({ title: titleOf(identifier), score }));
  report({ event: 'shortlist', index: name, user, hits });
  return result;
}

/** Save an index with its towers, load it, and search the same query again. */
export async function saveAndLoad<I extends Identifier>(
  shown: Shown<I> & { index: SavableIndex<string, I> },
  { model }: Trained,
  path: string,
  { now }: Environment,
  report: Report<TutorialEvent>,
): Promise<void> {
  const { index, user } = shown;
  const before = index.call(user, SHOWN);
  let start = now();
  await saveBundle(path, { index, candidateTower: model.candidateTower });
  report({ event: 'saved', path, sizeBytes: (await stat(path)).size, seconds: (now() - start) / 1000 });
  start = now();
  const loaded = await loadBundle<string, I>(path);
  const seconds = (now() - start) / 1000;
  const after = recommend({ ...shown, index: loaded.index }, report);
  const identical =
    after.identifiers().join('\n') === before.identifiers().join('\n') &&
    after.scoresOf().every((score, i) => Object.is(score, before.scoresOf()[i]));
  report({ event: 'loaded', seconds, identical });
}
