/**
 * The quality of `trainRecommender` with its defaults on data that was held out, beside the baselines on the same split.
 *
 *   npm run bench:recipes [-- --json] [-- --only movielens,beauty,gowalla] [-- --seeds 3]
 *
 * Reads movielens-latest-small-2016, gowalla and s3rec-beauty below $SHORTLIST_DATA. Settings and the choice of the model
 * are by a validation part cut from the training part; each run has five minutes. With `--only` the other rows of
 * bench/results/recipes.json stay.
 */
import { parseArgs } from 'node:util';
import { trainRecommender } from 'shortlist';
import { bootstrapDifference, type Estimate, evaluateRecommender, type RecommenderEvaluation } from 'shortlist/metrics';
import { baselines, type InteractionSplit } from 'shortlist/recommenders';
import { finish, type Row, row } from '../harness/rows.ts';
import { beauty, gowalla, movieLens } from './datasets.ts';

interface Work {
  readonly name: string;
  readonly read: (folder: string) => InteractionSplit;
  readonly k: number;
  /** Least recall of the mean over seeds; absent where the baselines are what counts. */
  readonly atLeast?: number;
  /** The baselines that the mean must not be below: by more than the interval, or at all. */
  readonly above: readonly string[];
  readonly byInterval: boolean;
}

const WORKS: Readonly<Record<string, Work>> = {
  movielens: {
    name: 'movielens-latest-small-2016, likes, the last two held out',
    read: movieLens,
    k: 10,
    atLeast: 0.082,
    above: ['item-kNN'],
    byInterval: true,
  },
  beauty: {
    name: 's3rec-beauty, leave-last-out',
    read: beauty,
    k: 10,
    above: ['popularity', 'item-kNN'],
    byInterval: false,
  },
  gowalla: { name: 'gowalla, its own split', read: gowalla, k: 20, atLeast: 0.155, above: [], byInterval: false },
};

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    seeds: { type: 'string', default: '3' },
  },
});
const data = process.env.SHORTLIST_DATA;
if (data === undefined) throw new Error('SHORTLIST_DATA: expected the folder of the data sets, got none');

const rows: Row[] = [];
for (const name of values.only?.split(',') ?? Object.keys(WORKS)) {
  const work = WORKS[name];
  if (!work) throw new Error(`--only: expected some of ${Object.keys(WORKS).join(', ')}, got ${name}`);
  rows.push(...(await measure(work, data, Number(values.seeds))));
}
finish('recipes', rows, values.only !== undefined);

async function measure(work: Work, folder: string, seeds: number): Promise<Row[]> {
  const { name, k } = work;
  const split = work.read(folder);
  const evaluate = (recommender: Parameters<typeof evaluateRecommender>[0]): RecommenderEvaluation => {
    const found = evaluateRecommender(recommender, split, { ks: [k] });
    console.error(`${name}: ${found.name} recall@${k} ${shown(found.metrics[0]!.recall)}`);
    return found;
  };
  const plain = baselines(split.train).map(evaluate);
  const runs: { found: RecommenderEvaluation; seconds: number; chosen: string }[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const onTrial = ({
      model,
      settings,
      recall,
      seconds,
    }: {
      model: string;
      settings: object;
      recall: number;
      seconds: number;
    }) => console.error(`  ${model} ${JSON.stringify(settings)}: ${recall.toFixed(4)} (${seconds.toFixed(1)} s)`);
    const { recommender, best, seconds } = await trainRecommender(split.train, { k, seed, onTrial });
    const { epochs: _, ...settings } = best.settings;
    runs.push({ found: evaluate(recommender), seconds, chosen: `${best.model} ${JSON.stringify(settings)}` });
  }
  return [...plain.map((found) => baselineRow(work, found)), ...trainedRows(work, runs, plain)];
}

function baselineRow({ name, k }: Work, found: RecommenderEvaluation): Row {
  const { recall } = found.metrics[0]!;
  return row({
    work: `${name}: ${found.name}`,
    ours: recall.mean,
    peer: null,
    unit: `recall@${k}`,
    required: { none: true },
    quality: qualityOf(found),
  });
}

function trainedRows(
  work: Work,
  runs: readonly { found: RecommenderEvaluation; seconds: number; chosen: string }[],
  plain: readonly RecommenderEvaluation[],
): Row[] {
  const { name, k, atLeast, above, byInterval } = work;
  const mean = runs.reduce((sum, { found }) => sum + found.metrics[0]!.recall.mean, 0) / runs.length;
  const each = runs.map(({ found }) => found.metrics[0]!.recall.mean.toFixed(4)).join(' ');
  const title = `${name}: trainRecommender, mean of ${runs.length} seeds`;
  const quality = {
    ...qualityOf(runs[0]!.found),
    'each seed': each,
    chosen: runs.map(({ chosen }) => chosen).join('; '),
  };
  const rows = [
    row({
      work: title,
      ours: mean,
      peer: null,
      unit: `recall@${k}`,
      required: atLeast === undefined ? { none: true } : { atLeast },
      quality,
    }),
    row({
      work: `${name}: the longest search and fit`,
      ours: Math.max(...runs.map(({ seconds }) => seconds)),
      peer: null,
      unit: 's',
      required: { atMost: 300 },
    }),
  ];
  for (const baseline of above) {
    const found = plain.find((one) => one.name === baseline)!;
    const peer = found.metrics[0]!.recall.mean;
    const difference = bootstrapDifference(meanPerUser(runs), found.perUser[0]!.recall);
    const reach = byInterval ? (difference.high - difference.low) / 2 : 0;
    rows.push(
      row({
        work: `${title}, above ${baseline}${byInterval ? ', or not below by more than the interval' : ''}`,
        ours: mean,
        peer,
        unit: `recall@${k}`,
        required: { atLeast: Number((peer - reach).toFixed(4)) },
        quality: { difference: shown(difference) },
      }),
    );
  }
  return rows;
}

function meanPerUser(runs: readonly { found: RecommenderEvaluation }[]): Float64Array {
  const columns = runs.map(({ found }) => found.perUser[0]!.recall);
  return columns[0]!.map((_, user) => columns.reduce((sum, column) => sum + column[user]!, 0) / columns.length);
}

function qualityOf(found: RecommenderEvaluation): Record<string, string> {
  const { recall, ndcg, reciprocalRank, coverage, longTailShare } = found.metrics[0]!;
  const segments = found.segments
    .filter(({ metrics }) => metrics.length > 0)
    .map((segment) => [segment.name, shown(segment.metrics[0]!.recall)]);
  return {
    recall: shown(recall),
    nDCG: shown(ndcg),
    MRR: shown(reciprocalRank),
    coverage: shown(coverage),
    'long tail': shown(longTailShare),
    ...Object.fromEntries(segments),
  };
}

function shown({ mean, low, high }: Estimate): string {
  return `${mean.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`;
}
