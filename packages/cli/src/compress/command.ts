/**
 * `shortlist compress`: trains every embedding method at every budget on the user's data, and reports quality and size. It
 * is the experiment of the CCE paper as a command. It can be stopped at any time; the next run continues it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadMovieLens } from 'shortlist/node';
import { type Command, UsageError } from '../terminal/command.ts';
import { duration } from '../terminal/format-numbers.ts';
import { whenInterrupted } from '../terminal/interrupted.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';
import { type Report, reporter } from '../terminal/reporter.ts';
import type { Environment } from '../terminal/terminal.ts';
import { replaceText } from '../terminal/text-file.ts';
import { clickExperiment, clicksOfRatings, plantedClicks } from './clicks.ts';
import type { Experiment } from './experiment.ts';
import { figure } from './figure.ts';
import { methodsOf, plan, shareOf } from './plan.ts';
import { csv, markdown } from './report.ts';
import { type Result, ResultsFile } from './results.ts';
import { readLists, retrievalExperiment } from './retrieval.ts';
import { runJobs } from './run-jobs.ts';
import { type Summary, summarize } from './summary.ts';

/** Default epochs: 15 as in the CCE paper; 6 were best on the validation part of Gowalla. */
const EPOCHS = { clicks: 15, retrieval: 6 } as const;

/** Events of the command. */
export type CompressEvent =
  | { event: 'data'; task: string; line: string; jobs: number; known: number }
  | { event: 'progress'; share: number; text: string }
  | { event: 'warning'; text: string }
  | ({ event: 'result'; main: string } & Result)
  | { event: 'summary'; markdown: string; files: string[]; summaries: Summary[] };

/** Run the experiment. */
export const compress: Command = async (argv, environment) => {
  const { values } = parseArguments({
    args: [...argv],
    options: {
      data: { type: 'string' },
      budgets: { type: 'string', default: '1/4,1/10,1/16,1/40,1/64,1/250,1/1000' },
      methods: { type: 'string', default: 'all' },
      seeds: { type: 'string', default: '3' },
      columns: { type: 'string', default: '8' },
      clusterings: { type: 'string' },
      epochs: { type: 'string' },
      out: { type: 'string', default: 'compress' },
      json: { type: 'boolean', default: false },
    },
  });
  const budgets = values.budgets.split(',');
  for (const budget of budgets) shareOf(budget);
  const methods = methodsOf(values.methods);
  const [seeds, columns] = [wholeNumber('seeds', values.seeds), wholeNumber('columns', values.columns)];
  const epochs = values.epochs === undefined ? undefined : wholeNumber('epochs', values.epochs);
  const clusterings = values.clusterings === undefined ? undefined : wholeNumber('clusterings', values.clusterings);
  const report = reporter<CompressEvent>(environment, values.json, (event, terminal) => {
    if (event.event === 'data') {
      terminal.line(`Task: ${event.task}; ${event.line}`);
      terminal.line(`  ${event.jobs} jobs, ${event.known} of them already done`);
    } else if (event.event === 'progress') terminal.progress(event.share, event.text);
    else if (event.event === 'warning') terminal.note(event.text);
    else if (event.event === 'result') terminal.line(`  ${resultLine(event)}`);
    else {
      terminal.line(`\n${event.markdown}`);
      terminal.line(`Written: ${event.files.join(', ')}`);
    }
  });
  const onWarning = (text: string): void => report({ event: 'warning', text });
  const experiment = await open(values.data, epochs, environment, onWarning);
  const jobs = plan(methods, budgets, seeds);
  const { name: task, line } = experiment;
  const settings = { task, line, epochs: epochs ?? EPOCHS[task as keyof typeof EPOCHS], columns };
  const identity = clusterings === undefined ? settings : { ...settings, clusterings };
  const file = await ResultsFile.open(values.out, identity);
  report({ event: 'data', task, line, jobs: jobs.length, known: jobs.filter((job) => file.find(job)).length });
  const [main] = experiment.figures as [string];
  await runJobs(experiment, jobs, file, {
    columns,
    clusterings,
    signal: environment.signal,
    onProgress: ({ job, done, jobs: all, share }) => {
      const text = `${done + 1} of ${all}: ${job.method}, ${job.budget}, seed ${job.seed}`;
      report({ event: 'progress', share: (done + share) / all, text });
    },
    onResult: (result) => report({ event: 'result', main, ...result }),
    onWarning,
  }).catch(
    whenInterrupted(
      'compress',
      () => `the same command continues from the ${file.results.length} results in ${values.out}`,
    ),
  );
  await write(experiment, file, methods, budgets, report);
  return 0;
};

async function open(
  folder: string | undefined,
  epochs: number | undefined,
  { variables, signal }: Environment,
  onWarning: (text: string) => void,
): Promise<Experiment> {
  if (folder === 'planted') return clickExperiment(plantedClicks(1), epochs ?? EPOCHS.clicks);
  if (folder !== undefined && existsSync(join(folder, 'train.txt'))) {
    return retrievalExperiment(await readLists(folder), epochs ?? EPOCHS.retrieval);
  }
  const loaded = await loadMovieLens({ folder, env: variables, signal });
  const { interactions, users, movies } = loaded.data;
  const clicks = clicksOfRatings(interactions, users.ids, movies.ids);
  const [rows, kept] = [clicks.train.labels.length, clicks.validation.labels.length];
  // The line has no path: results are published, and a path says nothing about the data.
  const name = loaded.source === 'synthetic' ? 'synthetic data of the shape of MovieLens-100K' : 'MovieLens-100K';
  if (loaded.source === 'synthetic') onWarning(`MovieLens-100K was not found: ${loaded.line}`);
  const line = `${name}: ${users.ids.length} users, ${movies.ids.length} movies, ${rows} ratings to train on, ${kept} to validate`;
  return clickExperiment({ line, ...clicks }, epochs ?? EPOCHS.clicks);
}

async function write(
  { name, line, figures, isLowerBetter }: Experiment,
  { folder, results }: ResultsFile,
  methods: readonly string[],
  budgets: readonly string[],
  report: Report<CompressEvent>,
): Promise<void> {
  const main = figures[0]!;
  const summaries = summarize(results, methods, budgets, main);
  const title = `Embedding tables under compression: ${name}`;
  const text = markdown(summaries, { title, line, main, isLowerBetter });
  const contents = {
    'table.md': text,
    'table.csv': csv(summaries),
    'table.json': `${JSON.stringify({ title, line, main, isLowerBetter, summaries }, null, 2)}\n`,
    'figure.svg': figure(summaries, main, title),
  };
  const files: string[] = [];
  for (const [file, content] of Object.entries(contents)) {
    files.push(join(folder, file));
    await replaceText(files.at(-1)!, content);
  }
  report({ event: 'summary', markdown: text, files, summaries });
}

function resultLine({
  method,
  budget,
  seed,
  figures,
  main,
  secondsPerEpoch,
  split = [],
  refused,
}: Result & { main: string }): string {
  const head = `${method.padEnd(18)} ${budget.padStart(6)}  seed ${seed}`;
  if (refused !== undefined) return `${head}  refused: ${refused}`;
  const time = secondsPerEpoch === undefined ? '' : `, ${duration(1000 * secondsPerEpoch)} an epoch`;
  return `${head}  ${main} ${figures![main]!.toFixed(4)}${time}  (${split.join('; ')})`;
}

/** A whole number of at least 1, written as text. */
function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new UsageError(`--${name}: expected a whole number of at least 1, got ${JSON.stringify(text)}`);
  }
  return value;
}
