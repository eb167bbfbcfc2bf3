/** Runs the jobs of a plan that have no result yet, one after the other. */
import { OptionError } from 'shortlist';
import { quantizeProduct, quantizeResidual } from 'shortlist/embeddings';
import type { ClusterSchedule } from 'shortlist/training';
import type { Experiment, Tables, Trained } from './experiment.ts';
import { type Job, RECIPES, type Recipe, shareOf } from './plan.ts';
import type { Result, ResultsFile } from './results.ts';
import { splitOf } from './split.ts';

/** The progress of the work. */
export interface JobProgress {
  job: Job;
  /** Jobs of the plan before this one. */
  done: number;
  /** Jobs of the whole plan. */
  jobs: number;
  /** The share of this job that is done, in [0, 1]. */
  share: number;
}

/** Options of a run. */
export interface RunOptions {
  columns: number;
  /** The most clusterings of methods that cluster more than once; undefined for as many as their schedule has. */
  clusterings?: number | undefined;
  signal: AbortSignal;
  onProgress: (progress: JobProgress) => void;
  onResult: (result: Result) => void;
  onWarning: (warning: string) => void;
}

/** Run the jobs without a result. If a method cannot meet a budget, that is its result. */
export async function runJobs(
  experiment: Experiment,
  jobs: readonly Job[],
  file: ResultsFile,
  options: RunOptions,
): Promise<void> {
  // The full tables of the present seed, from which every quantization with this seed starts.
  let full: { seed: number; trained: Trained } | undefined;
  for (const [done, job] of jobs.entries()) {
    if (file.find(job)) continue;
    const recipe = RECIPES[job.method]!;
    const report = (share: number): void => options.onProgress({ job, done, jobs: jobs.length, share });
    report(0);
    let result: Result;
    try {
      if (recipe.kind === 'quantize' || job.method === 'full') {
        if (full?.seed !== job.seed) {
          full = {
            seed: job.seed,
            trained: await train(experiment, RECIPES.full!, { ...job, budget: '1' }, options, report),
          };
        }
        result =
          recipe.kind === 'quantize'
            ? await quantize(experiment, full.trained.tables, recipe.how, job, options)
            : resultOf(job, full.trained);
      } else {
        result = resultOf(job, await train(experiment, recipe, job, options, report));
      }
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      result = { ...job, refused: error.message };
    }
    await file.add(result);
    options.onResult(result);
  }
}

function train(
  { dimensions, train: trainTables }: Experiment,
  recipe: Recipe,
  { budget, seed }: Job,
  { columns, clusterings, signal, onWarning }: RunOptions,
  report: (share: number) => void,
): Promise<Trained> {
  if (recipe.kind !== 'train') throw new TypeError('expected a recipe that trains');
  const share = shareOf(budget);
  return trainTables({
    embedding: (vocabularySize) => recipe.embedding(Math.floor(vocabularySize * dimensions * share), columns),
    clusterings: clusterings === undefined ? recipe.clusterings : withTimes(recipe.clusterings, clusterings),
    firstPointers: recipe.firstPointers ?? 'hashes',
    seed,
    signal,
    onEpoch: (epoch, epochs) => report(epoch / epochs),
    onWarning,
  });
}

function withTimes(schedule: ClusterSchedule | undefined, times: number): ClusterSchedule | undefined {
  return schedule && { times, ...schedule };
}

async function quantize(
  { dimensions, evaluate }: Experiment,
  { queries, candidates }: Tables,
  how: 'product' | 'residual',
  job: Job,
  { columns, signal }: RunOptions,
): Promise<Result> {
  const of = (table: Tables['queries']): Promise<Tables['queries']> => {
    const parameters = Math.floor(table.vocabularySize * dimensions * shareOf(job.budget));
    const options = { parameters, seed: job.seed, signal };
    return how === 'product' ? quantizeProduct(table, { ...options, columns }) : quantizeResidual(table, options);
  };
  const tables = { queries: await of(queries), candidates: await of(candidates) };
  return { ...job, ...sizesOf(tables), figures: evaluate(tables) };
}

function resultOf(job: Job, { tables, figures, bestEpoch, secondsPerEpoch, clusterings }: Trained): Result {
  const health = clusterings.at(-1)?.health;
  const clusterSeconds = clusterings.reduce((sum, { seconds }) => sum + seconds, 0);
  const result: Result = { ...job, ...sizesOf(tables), figures, bestEpoch, secondsPerEpoch };
  return health ? { ...result, clusterSeconds, h1: health.h1, h2: health.h2 } : result;
}

function sizesOf({ queries, candidates }: Tables): Required<Pick<Result, 'parameters' | 'bytes' | 'split'>> {
  return {
    split: [queries, candidates].map(splitOf),
    parameters: queries.parameters + candidates.parameters,
    bytes: queries.sizeBytes() + candidates.sizeBytes(),
  };
}
