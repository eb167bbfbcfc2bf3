/**
 * Measures the quality of the bundles of `shortlist train` with its defaults on held-out data, and of the baselines on the same
 * split.
 *
 *   npm run bench:recipes [-- --json] [-- --only movielens,beauty,gowalla] [-- --seeds 3]
 *
 * Reads movielens-latest-small-2016, gowalla and s3rec-beauty in $SHORTLIST_DATA. The training part is written as a CSV, the
 * command runs on it in a separate process, and its bundle ranks all items for the users of the test part. The command chooses
 * the model and its settings on a validation part that it cuts from the training part. The ALS of `implicit` is fitted with the
 * same settings as ours. `--only` measures some rows and keeps the others of bench/results/recipes.json.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootstrapDifference, type Estimate, evaluateRecommender, type RecommenderEvaluation } from 'shortlist/metrics';
import { baselines, type InteractionSplit } from 'shortlist/recommenders';
import { finish, keepRows, type Row, row } from '../harness/rows.ts';
import { beauty, gowalla, movieLens } from './datasets.ts';
import { alsRows } from './implicit-als.ts';
import { servedRecommender } from './served.ts';
import { type TrainedBundle, trainCommand, writeCsv } from './train-command.ts';

interface Work {
  readonly name: string;
  readonly read: (folder: string) => InteractionSplit;
  readonly k: number;
  /** Least recall of the mean over seeds; absent where the baselines are what counts. */
  readonly atLeast?: number;
  /** The baselines that the mean must not be below: by more than the interval, or at all. */
  readonly above: readonly string[];
  readonly byInterval: boolean;
  /** The settings of the comparison of ALS with a peer: those with which a search begins on these data. */
  readonly unobservedWeight: number;
}

const WORKS: Readonly<Record<string, Work>> = {
  movielens: {
    name: 'movielens-latest-small-2016, likes, the last two held out',
    read: movieLens,
    k: 10,
    atLeast: 0.082,
    above: ['item-kNN'],
    byInterval: true,
    unobservedWeight: 0.3,
  },
  beauty: {
    name: 's3rec-beauty, leave-last-out',
    read: beauty,
    k: 10,
    above: ['popularity', 'item-kNN'],
    byInterval: false,
    unobservedWeight: 0.01,
  },
  gowalla: {
    name: 'gowalla, its own split',
    read: gowalla,
    k: 20,
    atLeast: 0.155,
    above: [],
    byInterval: false,
    unobservedWeight: 0.01,
  },
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

/** A bundle of one seed, evaluated. */
interface Run extends TrainedBundle {
  readonly found: RecommenderEvaluation;
}

const rows: Row[] = [];
for (const name of values.only?.split(',') ?? Object.keys(WORKS)) {
  const work = WORKS[name];
  if (!work) throw new Error(`--only: expected some of ${Object.keys(WORKS).join(', ')}, got ${name}`);
  const measured = await measure(work, data, Number(values.seeds));
  keepRows('recipes', measured);
  rows.push(...measured);
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
  const runs: Run[] = [];
  const peerRows: Row[] = [];
  const files = mkdtempSync(join(tmpdir(), 'shortlist-recipes-'));
  try {
    const csv = join(files, 'train.csv');
    peerRows.push(...(await alsRows({ ...work, split }, files)));
    await writeCsv(csv, split.train);
    for (let seed = 1; seed <= seeds; seed++) {
      const bundle = join(files, `${seed}.shortlist`);
      const trained = await trainCommand(csv, bundle, seed);
      console.error(`${name}: seed ${seed} took ${trained.seconds.toFixed(1)} s, chose ${trained.chosen}`);
      runs.push({ ...trained, found: evaluate(await servedRecommender(bundle, split.train)) });
    }
  } finally {
    rmSync(files, { recursive: true });
  }
  return [...plain.map((found) => baselineRow(work, found)), ...trainedRows(work, runs, plain), ...peerRows];
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

function trainedRows(work: Work, runs: readonly Run[], plain: readonly RecommenderEvaluation[]): Row[] {
  const { name, k, atLeast, above, byInterval } = work;
  const mean = runs.reduce((sum, { found }) => sum + found.metrics[0]!.recall.mean, 0) / runs.length;
  const each = runs.map(({ found }) => found.metrics[0]!.recall.mean.toFixed(4)).join(' ');
  const title = `${name}: shortlist train, mean of the seeds`;
  const quality = {
    ...qualityOf(runs[0]!.found),
    'each seed': each,
    'seconds of each': runs.map(({ seconds }) => seconds.toFixed(0)).join(' '),
    bytes: runs[0]!.sizeBytes,
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
      work: `${name}: shortlist train, the longest from start to end`,
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

function meanPerUser(runs: readonly Run[]): Float64Array {
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
