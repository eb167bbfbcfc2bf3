/**
 * `shortlist tutorial`: the TFRS tutorials "basic retrieval" and "efficient serving" as one command. It reads MovieLens-100K,
 * trains and evaluates a two-tower model, prints a shortlist, measures the latency, saves and loads the bundle, and checks
 * that the shortlist is the same.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FitAbortedError } from 'shortlist';
import { type MovieLens, tutorialSplit } from 'shortlist/datasets';
import { loadMovieLens } from 'shortlist/node';
import { RECIPES, shareOf } from '../compress/plan.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';
import { type Report, reporter } from '../terminal/reporter.ts';
import type { Environment } from '../terminal/terminal.ts';
import { serveEfficiently } from './approximate.ts';
import { trainCompressed } from './compressed.ts';
import type { TutorialEvent } from './events.ts';
import { evaluateModel, recommend, saveAndLoad } from './serving.ts';
import type { Compression, TutorialSettings } from './settings.ts';
import { shower } from './show.ts';
import { keepCheckpoint, train } from './training.ts';

/** Run the tutorial. */
export const tutorial: Command = async (argv, environment) => {
  const { values } = parseArguments({
    args: [...argv],
    options: {
      data: { type: 'string' },
      epochs: { type: 'string', default: '3' },
      seed: { type: 'string', default: '42' },
      user: { type: 'string', default: '42' },
      save: { type: 'string' },
      copies: { type: 'string', default: '1000' },
      resume: { type: 'string' },
      embedding: { type: 'string', default: 'full' },
      budget: { type: 'string', default: '1/4' },
      json: { type: 'boolean', default: false },
    },
  });
  const settings: TutorialSettings = {
    data: values.data,
    epochs: wholeNumber('epochs', values.epochs, 1),
    seed: wholeNumber('seed', values.seed, 0),
    user: values.user,
    save: values.save,
    copies: wholeNumber('copies', values.copies, 0),
    checkpoint: values.resume,
    compression: compressionOf(values.embedding, values.budget),
  };
  if (settings.compression && settings.checkpoint !== undefined) {
    throw new UsageError('--resume: not allowed with --embedding, whose training has no checkpoints');
  }
  await runTutorial(settings, environment, reporter(environment, values.json, shower()));
  return 0;
};

async function runTutorial(
  settings: TutorialSettings,
  environment: Environment,
  report: Report<TutorialEvent>,
): Promise<void> {
  const data = await readData(settings, environment, report);
  const split = tutorialSplit(data);
  report({
    event: 'split',
    train: split.train.length,
    test: split.test.length,
    titles: new Set(data.movies.titles).size,
  });
  try {
    const trainingData = { data, split, settings };
    const { compression } = settings;
    const { trained, compared } = compression
      ? await trainCompressed(trainingData, compression, environment, report)
      : { trained: await train(trainingData, environment, report) };
    const index = await evaluateModel(trained, split, environment, report);
    const shown = { name: 'BruteForce', index, user: settings.user, titleOf: (title: string): string => title };
    if (compared) report(compared);
    recommend(shown, report);
    const folder = await mkdtemp(join(tmpdir(), 'shortlist-'));
    try {
      const path = settings.save ?? join(folder, 'tutorial.shortlist');
      await saveAndLoad(shown, trained, path, environment, report);
      if (settings.copies > 0 && !compression) {
        const efficient = await serveEfficiently(trained, split, settings, environment, report);
        await saveAndLoad(efficient, trained, join(folder, 'efficient.shortlist'), environment, report);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } catch (error) {
    if (error instanceof FitAbortedError && !settings.compression) await keepCheckpoint(error, settings, environment);
    throw error;
  }
}

async function readData(
  { data: folder, seed }: TutorialSettings,
  { variables, signal }: Environment,
  report: Report<TutorialEvent>,
): Promise<MovieLens> {
  const onProgress = (progress: { receivedBytes: number; totalBytes: number }): void => {
    report({ event: 'download', ...progress });
  };
  const { data, source, line } = await loadMovieLens({ folder, seed, env: variables, signal, onProgress });
  const { interactions, users, movies } = data;
  const sizes = { interactions: interactions.length, users: users.length, movies: movies.length };
  report({ event: 'data', line, source, ...sizes });
  return data;
}

function compressionOf(method: string, budget: string): Compression | undefined {
  const share = shareOf(budget, '--budget');
  if (method === 'full') return undefined;
  const recipe = Object.hasOwn(RECIPES, method) ? RECIPES[method] : undefined;
  if (recipe) return { method, recipe, share };
  throw new UsageError(`--embedding: expected one of ${Object.keys(RECIPES).join(', ')}, got ${method}`);
}

/** Parses a whole number. */
function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < min) {
    throw new UsageError(`--${name}: expected a whole number of at least ${min}, got ${JSON.stringify(text)}`);
  }
  return value;
}
