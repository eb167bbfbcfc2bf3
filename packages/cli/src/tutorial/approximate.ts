/**
 * The second half of the tutorial, "efficient serving". The candidates are all movies and 1,000 randomly shrunk copies of
 * each. An exact index and ScaNN indexes are compared by latency, shortlists, evaluation and recall, with the settings of the
 * TFRS tutorial and with tuned settings.
 */
import { BruteForce, FactorizedTopK, type Matrix, ScaNN, type TopK, tune } from 'shortlist';
import type { TutorialSplit } from 'shortlist/datasets';
import { recallOf } from 'shortlist/metrics';
import { Generator } from 'shortlist/random';
import type { Report } from '../terminal/reporter.ts';
import type { Environment } from '../terminal/terminal.ts';
import type { TutorialEvent } from './events.ts';
import { reportLatency } from './latency.ts';
import { recommend, type Shown } from './serving.ts';
import type { TutorialSettings } from './settings.ts';
import type { Trained } from './training.ts';

/** Settings of ScaNN: leaves, and pairs of leaves searched and candidates reordered. The last is ours, the others TFRS's. */
const BUILDS = [
  { numLeaves: 100, points: [[10, 100]] },
  {
    numLeaves: 1000,
    points: [
      [100, 1000],
      [70, 400],
    ],
  },
  { numLeaves: 2000, points: [[25, 100]] },
] as const;
/** The k of the measured recall. */
const RECALL_AT = 10;
/** The recall that the last index is tuned for. Tuning uses counted work, so that its result is the same on every machine. */
const TARGET_RECALL = 0.99;

/** Run the second half; returns the index with the last settings. */
export async function serveEfficiently(
  { model }: Trained,
  { test, movies }: TutorialSplit,
  { user, seed, copies }: TutorialSettings,
  { now, signal }: Environment,
  report: Report<TutorialEvent>,
): Promise<Shown<number> & { index: ScaNN<string, number> }> {
  const { queryTower, candidateTower } = model;
  const { titles } = movies;
  const corpus = shrunkCopies(candidateTower.embed(titles), copies, seed);
  report({ event: 'corpus', candidates: corpus.data.length / corpus.dimensions, copies });
  const rowOf = new Map(titles.map((title, row) => [title, row] as const).reverse());
  const candidateIds = test.titles.map((title) => rowOf.get(title)!);
  const dataset = { queries: test.userIds, candidates: test.titles, candidateIds };
  const titleOf = (row: number): string =>
    `${titles[row % titles.length]}${row < titles.length ? '' : ' (a shrunk copy)'}`;
  const evaluateIndex = async (name: string, index: TopK<string, number>): Promise<void> => {
    recommend({ name, index, user, titleOf }, report);
    const metrics = new FactorizedTopK({ candidates: index });
    report({ event: 'evaluation', index: name, ...(await model.evaluate(dataset, { metrics, clock: now, signal })) });
  };
  const exact = new BruteForce<string, number>({ queryModel: queryTower }).index(corpus);
  reportLatency('BruteForce', exact.size, (query) => exact.call(query), test.userIds, now, report);
  await evaluateIndex('BruteForce', exact);
  const users = [...new Set(test.userIds)];
  const truth = exact.call(users, RECALL_AT);
  let index!: ScaNN<string, number>;
  let name = '';
  for (const { numLeaves, points } of BUILDS) {
    index?.free();
    const [[numLeavesToSearch, numReorderingCandidates]] = points;
    index = new ScaNN({ queryModel: queryTower, numLeaves, numLeavesToSearch, numReorderingCandidates, seed });
    const start = now();
    await index.indexAsync(corpus, undefined, {
      signal,
      onProgress: ({ step, done, total }) =>
        report({ event: 'building', leaves: numLeaves, step, share: done / total }),
    });
    report({ event: 'built', leaves: numLeaves, seconds: (now() - start) / 1000, sizeBytes: index.sizeBytes });
    for (const [leavesToSearch, reorder] of points) {
      name = `ScaNN ${numLeaves}/${leavesToSearch}/${reorder}`;
      const options = { leavesToSearch, reorder };
      const found = index.call(users, { ...options, k: RECALL_AT });
      report({ event: 'recall', index: name, k: RECALL_AT, recall: recallOf(found, truth) });
      const search = (query: string): unknown => index.call(query, options);
      reportLatency(name, index.size, search, test.userIds, now, report);
    }
    await evaluateIndex(`ScaNN ${numLeaves}/${numLeavesToSearch}/${numReorderingCandidates}`, index);
  }
  const { numLeaves } = index.settings;
  const tuned = await tune(index, {
    queries: queryTower.embed(users),
    targetRecall: TARGET_RECALL,
    k: RECALL_AT,
    signal,
  });
  const { leavesToSearch, reorder, groupBound } = tuned.chosen;
  report({ event: 'tuned', targetRecall: TARGET_RECALL, k: RECALL_AT, tried: tuned.tried, ...tuned.chosen });
  const search = (query: string): unknown => index.call(query, { leavesToSearch, reorder, groupBound });
  reportLatency(`ScaNN ${numLeaves}/${leavesToSearch}/${reorder}`, index.size, search, test.userIds, now, report);
  return { name, index, user, titleOf };
}

/** The rows of `base` and `copies` copies of them; every number of a copy is multiplied by a uniform random number from [0, 1). */
function shrunkCopies(base: Matrix, copies: number, seed: number): { data: Float32Array; dimensions: number } {
  const generator = new Generator(seed).fork('shrunk copies');
  const rows = base.data;
  const data = new Float32Array(rows.length * (copies + 1));
  data.set(rows);
  for (let i = rows.length; i < data.length; i++) data[i] = rows[i % rows.length]! * generator.uniform();
  return { data, dimensions: base.dimensions };
}
