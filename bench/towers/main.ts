/**
 * The quality of a history tower on data that was held out, beside published figures and a two-tower model of identifiers on
 * the same split.
 *
 *   npm run bench:towers [-- --json] [-- --only beauty,attention,movielens,newItems] [-- --seeds 3]
 *
 * Reads s3rec-beauty and movielens-latest-small-2016 below $SHORTLIST_DATA. The settings were chosen on validation parts
 * (docs/decisions/history-tower.md), and the number of epochs is chosen on a validation part of the training part by the first
 * seed. All items are ranked but those of the user's history. With `--only` the other rows of bench/results/towers.json stay.
 */
import { parseArgs } from 'node:util';
import { trainRecommender } from 'shortlist';
import { bootstrapDifference, bootstrapMean } from 'shortlist/metrics';
import { fitHistoryTower, type HistoryTowerOptions, type InteractionSplit } from 'shortlist/recommenders';
import { finish, keepRows, type Requirement, type Row, row } from '../harness/rows.ts';
import { beauty, movieLens } from '../recipes/datasets.ts';
import { attentionRuns } from './attention.ts';
import { newItemRows } from './new-items.ts';
import { evaluated, meanOfRuns, meansOf, type Run, shown } from './runs.ts';

const BEAUTY = 's3rec-beauty, leave-last-out, full catalogue';
const MOVIELENS = 'movielens-latest-small-2016, likes, the last two held out';
/** By validation, docs/decisions/history-tower.md. */
const SETTINGS: Readonly<Record<'beauty' | 'movielens', HistoryTowerOptions>> = {
  beauty: { dimensions: 64, recencyDecay: 0.6, learningRate: 0.002 },
  movielens: { dimensions: 64, recencyDecay: 0.8, learningRate: 0.002 },
};
/** SASRec on this data, as S3-Rec's paper reports it (Zhou et al. 2020, table 2). */
const SASREC = { recall: 0.0605, ndcg: 0.0318 };
const REQUIRED = { recall: 0.06, ndcg: 0.035 };

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    seeds: { type: 'string', default: '3' },
  },
});
const folder = process.env.SHORTLIST_DATA;
if (folder === undefined) throw new Error('SHORTLIST_DATA: expected the folder of the data sets, got none');

const works: Readonly<Record<string, (data: string, seeds: number) => Promise<Row[]>>> = {
  beauty: beautyRows,
  attention: attentionRows,
  movielens: movieLensRows,
  newItems: newItemRows,
};
const rows: Row[] = [];
for (const name of values.only?.split(',') ?? Object.keys(works)) {
  const work = works[name];
  if (!work) throw new Error(`--only: expected some of ${Object.keys(works).join(', ')}, got ${name}`);
  const measured = await work(folder, Number(values.seeds));
  keepRows('towers', measured);
  rows.push(...measured);
}
finish('towers', rows, values.only !== undefined);

async function beautyRows(data: string, seeds: number): Promise<Row[]> {
  const { runs, quality } = await historyRuns(BEAUTY, beauty(data), SETTINGS.beauty, seeds);
  return beautyRowsOf('a history tower', runs, quality, (metric) => ({ atLeast: REQUIRED[metric] }));
}

async function attentionRows(data: string, seeds: number): Promise<Row[]> {
  const { runs, quality } = await attentionRuns(beauty(data), seeds);
  return beautyRowsOf('a history tower with attention', runs, quality, () => ({ none: true }));
}

/** A row for each metric of runs on Beauty. */
function beautyRowsOf(
  model: string,
  runs: readonly Run[],
  quality: Readonly<Record<string, string | number>>,
  required: (metric: keyof Run) => Requirement,
): Row[] {
  return (['recall', 'ndcg'] as const).map((metric) => {
    const estimate = bootstrapMean(meanOfRuns(runs.map((run) => run[metric])));
    const unit = metric === 'recall' ? 'HR@10' : 'NDCG@10';
    return row({
      work: `${BEAUTY}: ${unit} of ${model}, mean of the seeds`,
      ours: estimate.mean,
      peer: SASREC[metric],
      unit,
      required: required(metric),
      quality: {
        interval: shown(estimate),
        seeds: runs.length,
        'each seed': meansOf(runs.map((run) => run[metric])),
        ...quality,
        peer: 'SASRec, published; trained without the last two items',
      },
    });
  });
}

async function movieLensRows(data: string, seeds: number): Promise<Row[]> {
  const split = movieLens(data);
  const { runs, quality } = await historyRuns(MOVIELENS, split, SETTINGS.movielens, seeds);
  const plain: Run[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const settings = { dimensions: 64, temperature: 0.1, unitLength: 1 };
    const { recommender } = await trainRecommender(split.train, { only: { model: 'two-tower', settings }, seed });
    plain.push(evaluated(recommender, split));
  }
  const [ours, theirs] = [runs, plain].map((each) => meanOfRuns(each.map(({ recall }) => recall)));
  const difference = bootstrapDifference(ours!, theirs!);
  return [
    row({
      work: `${MOVIELENS}: history tower above two towers of identifiers by more than the interval`,
      ours: bootstrapMean(ours!).mean,
      peer: bootstrapMean(theirs!).mean,
      unit: 'recall@10',
      required: { atLeast: Number(bootstrapMean(theirs!).mean.toFixed(4)) },
      qualityHolds: difference.low > 0,
      quality: {
        interval: shown(bootstrapMean(ours!)),
        difference: shown(difference),
        'each seed': meansOf(runs.map(({ recall }) => recall)),
        ...quality,
      },
    }),
  ];
}

/** Fit with each seed; the first chooses the epochs on a validation part. */
async function historyRuns(
  name: string,
  split: InteractionSplit,
  settings: HistoryTowerOptions,
  seeds: number,
): Promise<{ runs: Run[]; quality: Record<string, string | number> }> {
  const runs: Run[] = [];
  const seconds: number[] = [];
  let epochs: number | undefined;
  for (let seed = 1; seed <= seeds; seed++) {
    const start = performance.now();
    const fitted = await fitHistoryTower(split.train, { ...settings, seed, ...(epochs !== undefined && { epochs }) });
    epochs = fitted.epochs;
    seconds.push((performance.now() - start) / 1000);
    runs.push(evaluated(fitted.recommender, split));
    console.error(
      `${name}: seed ${seed}, ${epochs} epochs, ${seconds.at(-1)!.toFixed(0)} s, ${shown(bootstrapMean(runs.at(-1)!.recall))}`,
    );
  }
  return { runs, quality: { epochs: epochs!, seconds: seconds.map((s) => s.toFixed(0)).join(' ') } };
}
