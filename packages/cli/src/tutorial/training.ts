/** The tutorial's training: two towers of 32 dimensions, the retrieval task, Adagrad at 0.1. */
import {
  type FitAbortedError,
  Generator,
  type MovieLens,
  StringLookup,
  Tower,
  type TutorialSplit,
  TwoTowerModel,
} from 'shortlist';
import { loadCheckpoint, saveCheckpoint } from 'shortlist/node';
import type { Report } from '../terminal/reporter.ts';
import type { Environment } from '../terminal/terminal.ts';
import type { TutorialSettings } from './command.ts';
import type { TutorialEvent } from './events.ts';

/** A trained model. */
export interface Trained {
  model: TwoTowerModel;
}

/** Where an interrupted run's state is kept, unless --resume names another file. */
const CHECKPOINT_FILE = 'tutorial.checkpoint';

/** Train, epoch by epoch. */
export async function train(
  { interactions, movies }: MovieLens,
  { train: rows }: TutorialSplit,
  settings: TutorialSettings,
  { now, signal }: Environment,
  report: Report<TutorialEvent>,
): Promise<Trained> {
  const seeds = new Generator(settings.seed);
  const tower = (side: string, words: readonly string[]): Tower => {
    const { vocabulary } = StringLookup.adapt(words);
    return Tower.create({ vocabulary, dimensions: 32, seed: seeds.fork(side).uint32() });
  };
  const queryTower = tower('user', interactions.userIds);
  const candidateTower = tower('title', movies.titles);
  const model = new TwoTowerModel({ queryTower, candidateTower });
  const { epochs } = settings;
  const resume = settings.checkpoint ? await loadCheckpoint(settings.checkpoint) : undefined;
  report({ event: 'towers', users: queryTower.inputs[0]!.lookup.size, titles: candidateTower.inputs[0]!.lookup.size });
  await model.fit(
    { queries: rows.userIds, candidates: rows.titles },
    {
      epochs,
      clock: now,
      signal,
      ...(resume && { resume }),
      onProgress: ({ epoch, step, steps, lossPerExample, examplesPerSecond, etaSeconds }) => {
        const share = (epoch - 1 + step / steps) / epochs;
        report({ event: 'step', epoch, step, share, examplesPerSecond, lossPerExample, etaSeconds });
      },
      onEpochEnd: (record) => report({ event: 'epoch', epochs, ...record }),
    },
  );
  return { model };
}

/** Keep what an interrupted run has, and say how to go on. */
export async function keepCheckpoint(
  { checkpoint }: FitAbortedError,
  settings: TutorialSettings,
  { stderr }: Environment,
): Promise<void> {
  const path = settings.checkpoint ?? CHECKPOINT_FILE;
  await saveCheckpoint(path, checkpoint);
  stderr.write(`Training is kept in ${path}; go on with: shortlist tutorial --resume ${path}\n`);
}
