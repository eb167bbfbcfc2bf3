/** The training of the tutorial: two towers of 32 dimensions, the retrieval task, and Adagrad with a learning rate of 0.1. */
import { type FitAbortedError, StringLookup, Tower, TwoTowerModel } from 'shortlist';
import type { MovieLens, TutorialSplit } from 'shortlist/datasets';
import { fitQuantizedAls, pointByCoOccurrence } from 'shortlist/embeddings';
import { loadCheckpoint, saveCheckpoint } from 'shortlist/node';
import { Generator } from 'shortlist/random';
import type { Recipe } from '../compress/plan.ts';
import { splitOf } from '../compress/split.ts';
import type { Report } from '../terminal/reporter.ts';
import type { Environment } from '../terminal/terminal.ts';
import type { TutorialEvent } from './events.ts';
import type { TutorialSettings } from './settings.ts';

/** The data of a training, and its options. */
export interface TrainingData {
  data: MovieLens;
  split: TutorialSplit;
  settings: TutorialSettings;
  /** The method of compressed tables; without it the tables are full. */
  embedding?: { method: string; share: number; recipe: Extract<Recipe, { kind: 'train' }>; columns: number };
}

/** A trained model. */
export interface Trained {
  model: TwoTowerModel;
}

/** Dimensions of the towers, as in the TFRS tutorial. */
const DIMENSIONS = 32;
/** The file for the state of an interrupted run, unless --resume names another. */
const CHECKPOINT_FILE = 'tutorial.checkpoint';

/** Train, and report each step and epoch. */
export async function train(
  { data: { interactions, movies }, split: { train: rows }, settings, embedding }: TrainingData,
  { now, signal }: Environment,
  report: Report<TutorialEvent>,
): Promise<Trained> {
  const seeds = new Generator(settings.seed);
  const tower = (side: string, words: readonly string[]): Tower => {
    const { vocabulary } = StringLookup.adapt(words);
    const options = { vocabulary, dimensions: DIMENSIONS, seed: seeds.fork(side).uint32() };
    if (!embedding) return Tower.create(options);
    // One more row, for unknown words.
    const parameters = Math.floor((vocabulary.length + 1) * DIMENSIONS * embedding.share);
    return Tower.create({ ...options, embedding: embedding.recipe.embedding(parameters, embedding.columns) });
  };
  const queryTower = tower('user', interactions.userIds);
  const candidateTower = tower('title', movies.titles);
  const model = new TwoTowerModel({ queryTower, candidateTower });
  const { epochs } = settings;
  const resume = settings.checkpoint ? await loadCheckpoint(settings.checkpoint) : undefined;
  const [users, titles] = [queryTower.inputs[0]!, candidateTower.inputs[0]!];
  const method = embedding?.method ?? 'full';
  const split = [users, titles].map(({ table }) => splitOf(table));
  const share = embedding?.share ?? 1;
  report({ event: 'towers', users: users.lookup.size, titles: titles.lookup.size, method, share, split });
  const firstPointers = embedding?.recipe.firstPointers ?? 'hashes';
  if (firstPointers !== 'hashes') {
    const pairs = { queries: users.lookup.encode(rows.userIds), candidates: titles.lookup.encode(rows.titles) };
    const point = firstPointers === 'als' ? fitQuantizedAls : pointByCoOccurrence;
    await point(users.table, titles.table, pairs, { signal });
  }
  await model.fit(
    { queries: rows.userIds, candidates: rows.titles },
    {
      epochs,
      // As in the TFRS tutorial.
      shuffle: false,
      samplingCorrection: false,
      clock: now,
      signal,
      ...(resume && { resume }),
      ...(embedding?.recipe.clusterings && { clusterings: embedding.recipe.clusterings }),
      onCluster: ({ epoch, table, health, seconds, warning }) => {
        const { h1, h2, emptyClusters } = health;
        report({ event: 'clustered', epoch, table, h1, h2, emptyClusters, seconds, ...(warning && { warning }) });
      },
      onProgress: ({ epoch, step, steps, lossPerExample, examplesPerSecond, etaSeconds }) => {
        const share = (epoch - 1 + step / steps) / epochs;
        report({ event: 'step', epoch, step, share, examplesPerSecond, lossPerExample, etaSeconds });
      },
      onEpochEnd: (record) => report({ event: 'epoch', epochs, ...record }),
    },
  );
  return { model };
}

/** Save the checkpoint of an interrupted run, and print the command that continues it. */
export async function keepCheckpoint(
  { checkpoint }: FitAbortedError,
  settings: TutorialSettings,
  { stderr }: Environment,
): Promise<void> {
  const path = settings.checkpoint ?? CHECKPOINT_FILE;
  await saveCheckpoint(path, checkpoint);
  stderr.write(`Training was saved in ${path}; continue with: shortlist tutorial --resume ${path}\n`);
}
