/** The tutorial's second part: index the movies, judge the model, ask for a shortlist, save, load and ask again. */
import { stat } from 'node:fs/promises';
import { BruteForce, FactorizedTopK, type TopK, type TopKResult, type TutorialSplit } from 'shortlist';
import { loadBundle, saveBundle } from 'shortlist/node';
import type { Report } from '../terminal/reporter.ts';
import type { Environment } from '../terminal/terminal.ts';
import type { TutorialSettings } from './command.ts';
import type { TutorialEvent } from './events.ts';
import { reportLatency } from './latency.ts';
import type { Trained } from './training.ts';

/** Titles in the shortlist that is shown. */
const SHOWN = 5;
/** Index every movie exactly, and judge the model on the test part. */
export async function judge(
  { model }: Trained,
  { test, movies }: TutorialSplit,
  { now, signal }: Environment,
  report: Report<TutorialEvent>,
): Promise<BruteForce<string, string>> {
  const { queryTower, candidateTower } = model;
  const index = new BruteForce<string, string>({ queryModel: queryTower, k: SHOWN });
  index.index(candidateTower.embed(movies.titles), movies.titles);
  const dataset = { queries: test.userIds, candidates: test.titles };
  const metrics = new FactorizedTopK({ candidates: index });
  report({
    event: 'evaluation',
    index: 'BruteForce',
    ...(await model.evaluate(dataset, { metrics, clock: now, signal })),
  });
  reportLatency('BruteForce', index.size, (query) => index.call(query).identifiers(), test.userIds, now, report);
  return index;
}

/** A user's shortlist, reported. */
export function recommend(
  index: TopK<string, string>,
  user: string,
  report: Report<TutorialEvent>,
): TopKResult<string> {
  const result = index.call(user);
  const hits = result.hits().map(({ identifier, score }) => ({ title: identifier, score }));
  report({ event: 'shortlist', index: 'BruteForce', user, hits });
  return result;
}

/** What is saved, and what the answer was before. */
interface Serving {
  index: BruteForce<string, string>;
  before: TopKResult<string>;
  trained: Trained;
  settings: TutorialSettings;
  path: string;
}

/** Save the bundle, load it, ask the same. */
export async function saveAndLoad(
  { index, before, trained, settings, path }: Serving,
  { now }: Environment,
  report: Report<TutorialEvent>,
): Promise<void> {
  let start = now();
  await saveBundle(path, { index, candidateTower: trained.model.candidateTower });
  report({ event: 'saved', path, sizeBytes: (await stat(path)).size, seconds: (now() - start) / 1000 });
  start = now();
  const loaded = await loadBundle<string, string>(path);
  const seconds = (now() - start) / 1000;
  const after = recommend(loaded.index, settings.user, report);
  const identical =
    after.identifiers().join('\n') === before.identifiers().join('\n') &&
    after.scoresOf().every((score, i) => Object.is(score, before.scoresOf()[i]));
  report({ event: 'loaded', seconds, identical });
}
